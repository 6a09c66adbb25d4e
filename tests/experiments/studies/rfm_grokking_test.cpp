#include "experiments/studies/rfm_grokking.hpp"

#include <cmath>
#include <sstream>

#include "data/modular.hpp"
#include "linalg/lapack.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

RfmGrokkingOptions small_grokking(int threads = 1) {
  return {.modulus = 11, .seeds = {4, 1}, .updates = 3, .geometry_samples = 9, .threads = threads};
}

// What a row says, as text with every digit.
std::string digits(const RfmGrokkingRow& row) {
  std::ostringstream result;
  result << row.model << ' ' << row.seed << ' ' << row.updates << std::hexfloat << ' '
         << row.circulant_share.value_or(-1);
  for (const RfmGrokkingPoints& points : {row.train, row.test}) {
    result << ' ' << points.accuracy << ' ' << points.loss;
    for (const auto& [name, value] : measures(points.geometry)) result << ' ' << value.value_or(-2);
  }
  return result.str();
}

// p x p; entry (i, j) depends on (j - i) mod p alone.
M circulant(Index p, std::uint64_t seed) {
  const M first = random_matrix({1, p}, seed);
  M result(p, p);
  for (Index i = 0; i < p; ++i)
    for (Index j = 0; j < p; ++j) result(i, j) = first(0, (j - i + p) % p);
  return result;
}

// The share by an orthonormal basis of the circulant matrices of zero mean, made of all p shifts by the singular value
// decomposition.
double share_by_basis(const M& matrix) {
  const Index p = matrix.rows(), size = p * p;
  double mean = 0;
  for (const double entry : matrix.span()) mean += entry / static_cast<double>(size);
  M shifts(p, size);
  for (Index k = 0; k < p; ++k)
    for (Index i = 0; i < p; ++i)
      for (Index j = 0; j < p; ++j) shifts(k, i * p + j) = (j - i - k) % p == 0 ? 1 : 0;
  const Svd<double> basis = svd<double>(shifts);
  double within = 0, all = 0;
  for (Index k = 0; k < p; ++k) {
    double along = 0;
    for (Index i = 0; i < size; ++i) along += basis.right(k, i) * (matrix.data()[i] - mean);
    within += along * along;
  }
  for (const double entry : matrix.span()) all += (entry - mean) * (entry - mean);
  return within / all;
}

}  // namespace

TEST_CASE("the circulant share is 1 for circulant matrices, and by a basis of them for any other") {
  for (const Index p : {2, 3, 7, 12}) {
    CAPTURE(p);
    const M all = circulant(p, 1), noise = random_matrix({p, p}, 2);
    CHECK_THAT(circulant_share(all).value_or(0), WithinAbs(1, 1e-12));
    M mixed = all;
    for (std::size_t i = 0; i < mixed.span().size(); ++i) mixed.span()[i] += noise.span()[i];
    for (const M& matrix : {noise, mixed})
      CHECK_THAT(circulant_share(matrix).value_or(0), WithinAbs(share_by_basis(matrix), 1e-12));
    // Neither a constant nor a factor counts.
    for (double& entry : mixed.span()) entry = 3 - 5 * entry;
    M original = all;
    for (std::size_t i = 0; i < original.span().size(); ++i) original.span()[i] += noise.span()[i];
    CHECK_THAT(circulant_share(mixed).value_or(0), WithinAbs(circulant_share(original).value_or(1), 1e-12));
  }
  // Rows turned the other way: the projection is the mean alone.
  M turned(7, 7);
  for (Index i = 0; i < 7; ++i)
    for (Index j = 0; j < 7; ++j) turned(i, j) = (i + j) % 7 == 3 ? 1 : 0;
  CHECK_THAT(circulant_share(turned).value_or(1), WithinAbs(0, 1e-12));
  CHECK(!circulant_share(M(4, 4)));
  CHECK(!circulant_share(M{{0.1, 0.1}, {0.1, 0.1}}));
  CHECK(!circulant_share(M()));
  CHECK(contains(message_of([] { circulant_share(M(2, 3)); }), "matrix is 2x3"));
}

TEST_CASE("random matrices are circulant by chance alone") {
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) sum += circulant_share(random_matrix({9, 9}, seed)).value_or(0);
  CHECK_THAT(sum / 200, WithinAbs(0.1, 0.01));
}

TEST_CASE("the study of grokking has a row for each seed, model and number of updates, as they were reported") {
  std::vector<std::string> reported;
  const RfmGrokking study = rfm_grokking_study(
      small_grokking(), [&](const RfmGrokkingRow& row) { return reported.push_back(digits(row)), true; });
  REQUIRE(study.rows.size() == 2 * 2 * 4);
  REQUIRE(reported.size() == study.rows.size());
  for (std::size_t i = 0; i < study.rows.size(); ++i) {
    const RfmGrokkingRow& row = study.rows[i];
    CAPTURE(i, digits(row));
    CHECK(digits(row) == reported[i]);
    CHECK(row.seed == (i < 8 ? 4 : 1));
    CHECK(row.model == (i % 8 < 4 ? "rfm" : "rfam"));
    CHECK(row.updates == static_cast<Index>(i % 4));
    CHECK(row.train.accuracy == 100);
    CHECK(row.train.loss < 1e-6);
    // The identity has nothing between a and b.
    CHECK(row.circulant_share.has_value() == (row.model == "rfam" || row.updates > 0));
  }
}

TEST_CASE("the study of grokking has the same numbers at any number of threads") {
  const RfmGrokking one = rfm_grokking_study(small_grokking()), two = rfm_grokking_study(small_grokking(2));
  REQUIRE(one.rows.size() == two.rows.size());
  for (std::size_t i = 0; i < one.rows.size(); ++i) CHECK(digits(one.rows[i]) == digits(two.rows[i]));
}

TEST_CASE("without updates the machines of the study are kernel ridge regression with the initial metric") {
  RfmGrokkingOptions options = small_grokking();
  options.updates = 0;
  const RfmGrokking study = rfm_grokking_study(options);
  REQUIRE(study.rows.size() == 4);
  const Split<double> data = modular<double>({.modulus = 11, .train_fraction = 0.5, .seed = 4});
  const M y = one_hot<double>(data.train.labels, 11), expected = one_hot<double>(data.test.labels, 11);
  for (const std::size_t i : {0, 1}) {
    CAPTURE(i);
    const M metric = initial_metric<double>(data.train.inputs, i == 0 ? 1 : 0);
    const MahalanobisPoints<double> points(data.train.inputs, mahalanobis_factor<double>(metric));
    const KernelMachine<double> machine(
        options.kernel, data.train.inputs, metric,
        ridge<double>(options.kernel, points, y, {.regularisation = options.regularisation}).coefficients);
    const M outputs = machine.outputs_at(data.test.inputs);
    double loss = 0;
    for (std::size_t k = 0; k < outputs.span().size(); ++k)
      loss += std::pow(outputs.span()[k] - expected.span()[k], 2) / static_cast<double>(outputs.size());
    CHECK(study.rows[i].test.accuracy == accuracy<double>(outputs, data.test.labels));
    CHECK_THAT(study.rows[i].test.loss, WithinRel(loss, 1e-9));
    std::vector<LocalGeometry> found;
    for (Index k = 0; k < 9; ++k) {
      const M x(data.test.inputs.view().row_block(k, 1));
      found.push_back(
          local_geometry(machine.jacobian(x), machine.outputs_at(x), x, data.test.labels[static_cast<std::size_t>(k)]));
    }
    CHECK_THAT(study.rows[i].test.geometry.class_alignment.value_or(9),
               WithinAbs(mean(found).class_alignment.value_or(-9), 1e-9));
  }
}

TEST_CASE("a kernel machine groks addition modulo 23 with the metric circulant by then") {
  const RfmGrokking study =
      rfm_grokking_study({.modulus = 23, .train_fraction = 0.75, .seeds = {0}, .updates = 20, .geometry_samples = 0});
  const RfmGrokkingRow &first = study.rows[1], &last = study.rows[20];
  CHECK(first.train.accuracy == 100);
  CHECK(first.test.accuracy < 20);
  CHECK(last.test.accuracy > 90);
  CHECK(first.circulant_share.value_or(1) < 0.7);
  CHECK(last.circulant_share.value_or(0) > 0.9);
  CHECK(!last.test.geometry.class_alignment);
  const std::optional<Index> grokked = grokking_updates(study, "rfm", 0);
  REQUIRE(grokked);
  CHECK(study.rows[static_cast<std::size_t>(*grokked)].test.accuracy > 90);
  CHECK(study.rows[static_cast<std::size_t>(*grokked - 1)].test.accuracy <= 90);
  CHECK(!grokking_updates(study, "rfm", 1));
}

TEST_CASE("options of the study of grokking out of range are refused by name") {
  const auto message = [](auto&& change) {
    RfmGrokkingOptions options;
    change(options);
    return message_of([&] { check(options); });
  };
  using O = RfmGrokkingOptions;
  CHECK(message([](O&) {}) == "nothing was thrown");
  CHECK(message([](O& o) { o.modulus = 1; }).starts_with("modulus: found 1, expected"));
  CHECK(message([](O& o) { o.modulus = 200; }).starts_with("modulus: found 200"));
  CHECK(message([](O& o) { o.train_fraction = 1; }).starts_with("train_fraction: found 1"));
  CHECK(message([](O& o) { o.seeds = {}; }).starts_with("seeds: found none"));
  CHECK(message([](O& o) { o.seeds = {-1}; }).starts_with("seeds: found -1"));
  CHECK(message([](O& o) { o.seeds = {2, 2}; }).starts_with("seeds: found 2 twice"));
  CHECK(message([](O& o) { o.geometry_samples = -1; }).starts_with("geometry_samples: found -1"));
  CHECK(message([](O& o) { o.criterion = 100; }).starts_with("criterion: found 100"));
  CHECK(message([](O& o) { o.threads = 0; }).starts_with("threads: found 0"));
  CHECK(contains(message([](O& o) { o.kernel.bandwidth = 0; }), "bandwidth"));
  CHECK(contains(message([](O& o) { o.regularisation = -1; }), "regularisation"));
  CHECK(contains(message([](O& o) { o.updates = -1; }), "updates"));
  CHECK(contains(message([](O& o) { o.power = 0; }), "power"));
}

TEST_CASE("normalign study rfm_grokking prints the tables and writes them beside the picture") {
  if (without_program("study")) return;
  const TemporaryFolder folder;
  const Finished finished = normalign({"study", "rfm_grokking", "--modulus", "7", "--updates", "2", "--seeds", "0", "3",
                                       "--geometry-samples", "4", "--out", (folder / "out").string()});
  CAPTURE(finished.err);
  REQUIRE(finished.status == 0);
  CHECK(contains(finished.err, "rfam, seed 3 done"));
  CHECK(finished.out.starts_with("Updates until the test accuracy was above 90 %"));
  for (const char* name : {"txt", "csv", "json", "tex", "dat", "gp"})
    CHECK(std::filesystem::exists(folder / (std::string("out/rfm_grokking.") + name)));
  const Finished refused = normalign({"study", "rfm_grokking", "--modulus", "7", "--from", "3"});
  CHECK(refused.status == 2);
  CHECK(refused.err ==
        "normalign: --from: found study rfm_grokking, which does not read it, expected study sparsity\n");
  CHECK(contains(normalign({"study", "sparsity", "--power", "1"}).err, "expected study rfm_grokking"));
}

}  // namespace normalign::tests
