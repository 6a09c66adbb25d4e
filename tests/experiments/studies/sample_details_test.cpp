#include "experiments/studies/sample_details.hpp"

#include <nlohmann/json.hpp>

#include "experiments/studies/geometry_tables.hpp"
#include "geometry/piecewise_affine.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/npz_arrays.hpp"
#include "support/python.hpp"

namespace normalign::tests {
namespace {

using DetailsJson = nlohmann::ordered_json;

// Random points whose labels are what the network says, as far as it says 0 or 1.
Dataset<double> labelled_points(Index n, Index d, std::int32_t classes, std::uint64_t seed) {
  Dataset<double> data{random_matrix({n, d}, seed), {}, classes};
  for (Index i = 0; i < n; ++i) data.labels.push_back(static_cast<std::int32_t>(i) % classes);
  return data;
}

// J z + b for the rows z of `points`, one for each sample.
Matrix<double> predictions(const SampleDetails& details, const Matrix<double>& points) {
  const Index k = details.outputs.cols(), d = points.cols();
  Matrix<double> result = details.offsets;
  for (Index i = 0; i < points.rows(); ++i)
    for (Index c = 0; c < k; ++c)
      for (Index j = 0; j < d; ++j) result(i, c) += details.jacobians(i, c * d + j) * points(i, j);
  return result;
}

double largest_difference(const Matrix<double>& a, const Matrix<double>& b) {
  REQUIRE(a.shape() == b.shape());
  double result = 0;
  for (std::size_t i = 0; i < a.span().size(); ++i) result = std::max(result, std::abs(a.span()[i] - b.span()[i]));
  return result;
}

// f by its definition, with the units that a code says are on and not by their signs.
std::vector<double> output_by_code(const PiecewiseAffineNetwork& network, std::span<const double> x,
                                   std::span<const std::uint8_t> code) {
  std::vector<double> z(x.begin(), x.end());
  std::size_t unit = 0;
  for (const PiecewiseAffineLayer& layer : network.layers()) {
    std::vector<double> next;
    for (Index i = 0; i < layer.weight.rows(); ++i) {
      double sum = layer.bias(0, i);
      for (std::size_t j = 0; j < z.size(); ++j) sum += layer.weight(i, static_cast<Index>(j)) * z[j];
      const bool is_hidden = &layer != &network.layers().back();
      next.push_back(is_hidden && !code[unit++] ? layer.slope * sum : sum);
    }
    z = next;
  }
  return z;
}

TEST_CASE("near a sample the network is the map of its details, and the code is what makes it that map") {
  for (const Activation activation : {Activation::relu, Activation::leaky_relu, Activation::abs}) {
    const Mlp<double> mlp({.widths = {4, 9, 6, 3}, .activation = activation, .seed = 3});
    const PiecewiseAffineNetwork network = piecewise_affine(mlp);
    const Matrix<double> x = random_matrix({20, 4}, 5), far = random_matrix({20, 4}, 6);
    const SampleDetails details = sample_details(mlp, x);
    CHECK(details.units == std::vector<Index>{9, 6});
    REQUIRE(details.codes.size() == 20 * 15);
    CHECK(largest_difference(details.outputs, network(x)) == 0);
    CHECK(largest_difference(predictions(details, x), details.outputs) < 1e-12);
    // Far away, too, it is the function that the code selects.
    const Matrix<double> continued = predictions(details, far);
    for (Index i = 0; i < 20; ++i) {
      const auto expected =
          output_by_code(network, far.row(i), std::span(details.codes).subspan(static_cast<std::size_t>(15 * i), 15));
      for (Index c = 0; c < 3; ++c)
        CHECK_THAT(continued(i, c), WithinAbs(expected[static_cast<std::size_t>(c)], 1e-12));
      for (Index j = 0; j < 4; ++j)
        CHECK_THAT(
            details.centroids(i, j),
            WithinAbs(details.jacobians(i, j) + details.jacobians(i, 4 + j) + details.jacobians(i, 8 + j), 1e-13));
    }
  }
}

TEST_CASE("of a smooth network the details are its first-order expansion, and it has no codes") {
  const Mlp<double> mlp({.widths = {3, 8, 2}, .activation = Activation::tanh, .seed = 1});
  const Matrix<double> x = random_matrix({17, 3}, 2);
  const SampleDetails details = sample_details(mlp, x, 2);
  CHECK(details.units.empty());
  CHECK(details.codes.empty());
  CHECK(largest_difference(predictions(details, x), details.outputs) < 1e-13);
  const double step = 1e-6;
  for (Index j = 0; j < 3; ++j) {
    Matrix<double> forward = x, back = x;
    for (Index i = 0; i < 17; ++i) {
      forward(i, j) += step;
      back(i, j) -= step;
    }
    const Matrix<double> f = sample_details(mlp, forward).outputs, g = sample_details(mlp, back).outputs;
    for (Index i = 0; i < 17; ++i)
      for (Index c = 0; c < 2; ++c)
        CHECK_THAT(details.jacobians(i, 3 * c + j), WithinAbs((f(i, c) - g(i, c)) / (2 * step), 1e-8));
  }
}

TEST_CASE("the class of the details is right where the inspection says so, of one output too") {
  for (const Index outputs : {1, 4}) {
    const Mlp<double> mlp({.widths = {3, 8, outputs}, .init_scale = 2, .seed = 4});
    const Dataset<double> data = labelled_points(40, 3, outputs == 1 ? 2 : 4, 1);
    const Inspection found = inspection(mlp, data, {.certificates = 0});
    const SampleDetails details = sample_details(mlp, data.inputs);
    for (std::size_t i = 0; i < 40; ++i) CHECK((details.predicted[i] == data.labels[i]) == found.samples[i].is_correct);
  }
}

TEST_CASE("the archive of an inspection has the arrays of its JSON, at any number of threads") {
  const TemporaryFolder folder;
  for (const Activation activation : {Activation::relu, Activation::tanh, Activation::identity}) {
    const Mlp<double> mlp({.widths = {3, 7, 5, 2}, .activation = activation, .seed = 8});
    const Dataset<double> data = labelled_points(25, 3, 2, 9);
    const Inspection found = inspection(mlp, data, {.certificates = 5, .attack_radii = {0.1}});
    const SampleDetails details = sample_details(mlp, data.inputs, 1);
    DetailsJson json = as_json(found);
    add_details(json, found, details, data.inputs);
    NpzWriter file(folder / "json.npz");
    add(file, inspection_tables(DetailsJson::parse(json.dump())));
    file.finish();
    write_npz(folder / "memory.npz", found, sample_details(mlp, data.inputs, 3), data.inputs);
    const auto from_json = npz_arrays(folder / "json.npz"), from_memory = npz_arrays(folder / "memory.npz");
    for (const auto& [name, array] : from_memory) {
      CAPTURE(name);
      REQUIRE(from_json.contains(name));
      CHECK(are_same(array, from_json.at(name)));
    }
    CHECK(from_json.size() == from_memory.size());
    CHECK(from_memory.at("jacobian").shape == std::vector<Index>{25, 2, 3});
    CHECK(from_memory.contains("code") == (activation == Activation::relu));
    CHECK(from_memory.contains("certificate_adversarial") == (activation != Activation::tanh));
  }
}

TEST_CASE("a network of one class everywhere has infinite certificates and no adversarial points") {
  const TemporaryFolder folder;
  Mlp<double> mlp({.widths = {2, 3, 2}, .seed = 1});
  std::ranges::fill(mlp.parameters().back().span(), 0.0);
  std::ranges::fill(mlp.parameters()[mlp.parameters().size() - 2].span(), 0.0);
  mlp.parameters().back()(0, 1) = 1;
  const Dataset<double> data = labelled_points(4, 2, 2, 3);
  const Inspection found = inspection(mlp, data, {.certificates = 2});
  write_npz(folder / "a.npz", found, sample_details(mlp, data.inputs), data.inputs);
  const auto arrays = npz_arrays(folder / "a.npz");
  CHECK(arrays.at("certificate_lower").numbers(0, 0) == INFINITY);
  CHECK(arrays.at("certificate_upper").numbers(0, 0) == INFINITY);
  CHECK_FALSE(arrays.contains("certificate_adversarial"));
  CHECK(arrays.at("predicted").numbers == Matrix<double>{{1}, {1}, {1}, {1}});
}

TEST_CASE("conformance: NumPy finds the network in its arrays, and adversarial points on the decision boundary") {
  if (without_numpy()) return;
  const TemporaryFolder folder;
  const Mlp<double> mlp({.widths = {5, 12, 8, 3}, .init_scale = 2, .seed = 11});
  const Dataset<double> data = labelled_points(30, 5, 3, 12);
  const Inspection found = inspection(mlp, data, {.certificates = 12});
  write_npz(folder / "a.npz", found, sample_details(mlp, data.inputs), data.inputs);
  NpzWriter weights(folder / "weights.npz");
  Index number = 0;
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);
  for (const PiecewiseAffineLayer& layer : network.layers()) {
    weights.add(text("W", number), {layer.weight.rows(), layer.weight.cols()}, layer.weight.span());
    weights.add(text("b", number++), {layer.bias.cols()}, layer.bias.span());
  }
  weights.finish();
  CHECK(numpy_says(R"(
d, w = np.load(sys.argv[1]), np.load(sys.argv[2])
n = len(w.files) // 2
def f(x):
  for l in range(n):
    x = x @ w[f"W{l}"].T + w[f"b{l}"]
    if l < n - 1: x = np.maximum(x, 0)
  return x
def close(a, b): return np.allclose(a, b, rtol=1e-12, atol=1e-12)
x, J = d["input"], d["jacobian"]
print(close(f(x), d["outputs"]), (f(x).argmax(1) == d["predicted"]).all(), ((d["predicted"] == d["label"]) == d["correct"]).all())
print(close(np.einsum("nkd,nd->nk", J, x) + d["offset"], f(x)), close(J.sum(1), d["centroid"]))
codes = np.split(d["code"], np.cumsum(d["units"])[:-1], axis=1)
M = w["W0"][None]
for l, code in enumerate(codes): M = w[f"W{l + 1}"] @ (code[:, :, None] * M)
print(close(M, J))
print(close(np.linalg.norm(J, axis=(1, 2)), d["jacobian_norm"]), close((d["offset"] ** 2).sum(1), d["offset_norm"]))
known = ~np.isnan(d["certificate_adversarial"]).any(1)
a = d["certificate_adversarial"][known]
top = np.sort(f(a), 1)
print(known.sum(), np.allclose(top[:, -1], top[:, -2], atol=1e-7))
print(np.allclose(np.linalg.norm(a - x[known], axis=1), d["certificate_upper"][known], rtol=1e-9))
)",
                   {(folder / "a.npz").string(), (folder / "weights.npz").string()}) ==
        "True True True\nTrue True\nTrue\nTrue True\n12 True\nTrue\n");
}

}  // namespace
}  // namespace normalign::tests
