#include "geometry/local_geometry.hpp"

#include <cmath>
#include <numbers>

#include "geometry/affine_map.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"
#include "nn/activation.hpp"
#include "nn/train_step.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

M scaled(M a, double factor) {
  for (double& value : a.span()) value *= factor;
  return a;
}

// c xᵀ with c k x 1 and x 1 x d.
M outer(const std::vector<double>& c, const M& x) {
  M result(static_cast<Index>(c.size()), x.cols());
  for (Index i = 0; i < result.rows(); ++i)
    for (Index j = 0; j < result.cols(); ++j) result(i, j) = c[static_cast<std::size_t>(i)] * x(0, j);
  return result;
}

TEST_CASE("a rank-one Jacobian along x is wholly aligned") {
  const M x = random_matrix({1, 6}, 1);
  const LocalGeometry found = local_geometry(outer({2, -0.5, -0.25}, x), M(1, 3), x, 0);
  CHECK_THAT(*found.centroid_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.class_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.normal_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.centred_normal_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.effective_rank, WithinAbs(1, 1e-7));
  CHECK_THAT(*found.explained_variance, WithinAbs(1, 1e-14));
  // Seen from another class the centroid of that class points away from x.
  CHECK_THAT(*local_geometry(outer({2, -0.5, -0.25}, x), M(1, 3), x, 1).class_alignment, WithinAbs(-1, 1e-14));
}

TEST_CASE("without a label all is measured but the class alignment") {
  for (const Index k : {1, 3}) {
    const M jacobian = random_matrix({k, 6}, 1), x = random_matrix({1, 6}, 2), output = random_matrix({1, k}, 3);
    const auto with = measures(local_geometry(jacobian, output, x, 0));
    const auto without = measures(local_geometry(jacobian, output, x, std::nullopt));
    for (std::size_t i = 0; i < with.size(); ++i) {
      CAPTURE(k, with[i].first);
      REQUIRE(with[i].second);
      if (with[i].first == std::string("class_alignment"))
        CHECK_FALSE(without[i].second);
      else
        CHECK(without[i].second == with[i].second);
    }
  }
  const Mlp<double> mlp({.widths = {6, 5, 2}, .seed = 1});
  const M inputs = random_matrix({4, 6}, 1);
  CHECK(local_geometries(mlp, {.inputs = inputs})[3].jacobian_norm ==
        local_geometries(mlp, {.inputs = inputs, .labels = std::vector<std::int32_t>{0, 1, 0, 1}})[3].jacobian_norm);
}

TEST_CASE("at theorem 1's optimum the centroid vanishes, and only the gauge-free alignment sees it") {
  const M x = random_matrix({1, 6}, 2);
  const LocalGeometry found = local_geometry(outer({0.75, -0.25, -0.25, -0.25}, x), M(1, 4), x, 0);
  CHECK_FALSE(found.centroid_alignment);
  CHECK_THAT(*found.class_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.normal_alignment, WithinAbs(1, 1e-14));
}

TEST_CASE("adding one function to all outputs changes the centroid alignment but no gauge-free measure") {
  const M x = random_matrix({1, 7}, 3), output = random_matrix({1, 3}, 4), shift = random_matrix({1, 7}, 6, -3, 3);
  const M jacobian = random_matrix({3, 7}, 5);
  M moved = jacobian;
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 7; ++j) moved(i, j) += shift(0, j);
  const LocalGeometry a = local_geometry(jacobian, output, x, 2), b = local_geometry(moved, output, x, 2);
  CHECK_THAT(*b.class_alignment, WithinAbs(*a.class_alignment, 1e-13));
  CHECK_THAT(*b.centred_normal_alignment, WithinAbs(*a.centred_normal_alignment, 1e-13));
  CHECK(std::abs(*b.centroid_alignment - *a.centroid_alignment) > 0.01);
}

TEST_CASE("measures do not change with the scale of J, its norms do") {
  const M x = random_matrix({1, 7}, 3), jacobian = random_matrix({4, 7}, 8);
  const LocalGeometry a = local_geometry(jacobian, M(1, 4), x, 1);
  const LocalGeometry b = local_geometry(scaled(jacobian, 5), M(1, 4), x, 1);
  for (auto member :
       {&LocalGeometry::centroid_alignment, &LocalGeometry::class_alignment, &LocalGeometry::normal_alignment,
        &LocalGeometry::centred_normal_alignment, &LocalGeometry::effective_rank, &LocalGeometry::explained_variance})
    CHECK_THAT(*(b.*member), WithinRel(*(a.*member), 1e-12));
  CHECK_THAT(*b.jacobian_norm, WithinRel(5 * *a.jacobian_norm, 1e-14));
  CHECK_THAT(*b.offset_norm, WithinRel(25 * *a.offset_norm, 1e-12));
}

TEST_CASE("rank, explained variance and norms of a diagonal Jacobian, by hand") {
  // Singular values 3 and 1, right vectors e_1 and e_2.
  const M jacobian{{3, 0, 0}, {0, 1, 0}}, x{{0.6, 0, 0.8}};
  const LocalGeometry found = local_geometry(jacobian, M{{2.8, 1}}, x, 0);
  CHECK_THAT(*found.effective_rank, WithinRel(16.0 / 10.0, 1e-14));
  CHECK_THAT(*found.explained_variance, WithinRel(0.9, 1e-14));
  CHECK_THAT(*found.jacobian_norm, WithinRel(std::sqrt(10.0), 1e-14));
  CHECK_THAT(*found.normal_alignment, WithinRel(0.6, 1e-14));
  CHECK_THAT(*found.offset_norm, WithinRel(1 + 1.0, 1e-14));  // b = (2.8 - 1.8, 1 - 0)
  CHECK_THAT(*found.centroid_alignment, WithinRel(1.8 / std::sqrt(10.0), 1e-14));
  // J_0 - mean = (1.5, -0.5, 0), the other row its negative, so the centred J has that direction.
  CHECK_THAT(*found.class_alignment, WithinRel(0.9 / std::sqrt(2.5), 1e-14));
  CHECK_THAT(*found.centred_normal_alignment, WithinRel(0.9 / std::sqrt(2.5), 1e-14));
}

TEST_CASE("one output stands for two classes") {
  const M x = random_matrix({1, 5}, 9), jacobian = random_matrix({1, 5}, 10);
  M two(2, 5);
  for (Index j = 0; j < 5; ++j) {
    two(0, j) = -jacobian(0, j) / 2;
    two(1, j) = jacobian(0, j) / 2;
  }
  for (std::int32_t label : {0, 1}) {
    const LocalGeometry one = local_geometry(jacobian, M(1, 1), x, label),
                        pair = local_geometry(two, M(1, 2), x, label);
    CHECK_THAT(*one.class_alignment, WithinAbs(*pair.class_alignment, 1e-14));
    CHECK_THAT(*one.centred_normal_alignment, WithinAbs(*pair.centred_normal_alignment, 1e-14));
  }
}

// The measures from LAPACK's decompositions of the whole Jacobians, cosines from vectors written out.
LocalGeometry by_whole_jacobians(const M& jacobian, const M& output, const M& x, std::int32_t label) {
  const Index k = jacobian.rows(), d = jacobian.cols();
  const auto cosine_with_x = [&](std::span<const double> a) {
    return dot(a, x.span()) / std::sqrt(dot(a, a) * dot(x.span(), x.span()));
  };
  M mean(1, d), centred = jacobian, offset = output;
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < d; ++j) mean(0, j) += jacobian(i, j) / static_cast<double>(k);
  for (Index i = 0; i < k; ++i) {
    offset(0, i) -= dot(jacobian.row(i), x.span());
    for (Index j = 0; j < d; ++j) centred(i, j) -= mean(0, j);
  }
  const Svd<double> whole = svd<double>(jacobian), gauge_free = svd<double>(centred);
  const double squared = std::pow(total<double>(whole.values), 2), norm = dot<double>(whole.values, whole.values);
  return {.centroid_alignment = cosine_with_x(mean.span()),
          .class_alignment = cosine_with_x(centred.row(label)),
          .normal_alignment = std::abs(cosine_with_x(whole.right.row(0))),
          .centred_normal_alignment = std::abs(cosine_with_x(gauge_free.right.row(0))),
          .effective_rank = squared / norm,
          .explained_variance = whole.values[0] * whole.values[0] / norm,
          .jacobian_norm = std::sqrt(norm),
          .offset_norm = dot<double>(offset.span(), offset.span()),
          .centroid_norm = static_cast<double>(k) * std::sqrt(dot<double>(mean.span(), mean.span()))};
}

TEST_CASE("the measures are those of whole decompositions, whatever the shape and the rank of J") {
  for (Shape shape : {Shape{2, 2}, {3, 50}, {10, 784}, {10, 4}, {30, 30}, {5, 1}})
    for (Index rank : {1, 2, 30})
      for (double decay : {0.5, 1e-3, 1e-6, 1e-12}) {
        const M left = random_matrix({shape.rows, rank}, 1), right = random_matrix({rank, shape.cols}, 2);
        M weighted = left;
        for (Index i = 0; i < weighted.rows(); ++i)
          for (Index j = 0; j < rank; ++j) weighted(i, j) *= std::pow(decay, j);
        const M jacobian = naive_product(weighted, right);
        const M x = random_matrix({1, shape.cols}, 3), output = random_matrix({1, shape.rows}, 4);
        const LocalGeometry found = local_geometry(jacobian, output, x, 1);
        const auto expected = measures(by_whole_jacobians(jacobian, output, x, 1));
        for (std::size_t m = 0; m < expected.size(); ++m) {
          CAPTURE(shape, rank, decay, expected[m].first);
          CHECK_THAT(measures(found)[m].second.value(), WithinRel(expected[m].second.value(), 1e-11));
        }
        // By squares: a singular value may be off by the root of the rounding.
        const SingularGeometry singular = singular_geometry(jacobian, x);
        CHECK_THAT(singular.normal_alignment.value(), WithinRel(found.normal_alignment.value(), 1e-11));
        CHECK_THAT(singular.effective_rank.value(), WithinRel(found.effective_rank.value(), 1e-6));
        CHECK_THAT(singular.explained_variance.value(), WithinRel(found.explained_variance.value(), 1e-11));
      }
}

TEST_CASE("measures at the reference points") {
  for (const ReferenceGeometry& reference : reference_geometries("measures at the reference points"))
    for (const auto& point : reference.json.at("points")) {
      CAPTURE(reference.name, point.at("x").dump());
      const M x = row_of(point.at("x")), f = reference.network(x);
      const AffineMap map = local_maps(reference.network, x).front().map;
      const LocalGeometry found = local_geometry(map.slope, f, x, 0);
      for (const auto& [name, value] : measures(found)) {
        // Where it is undefined the reference has null or nothing; where s_1 = s_2 our normal alignment is arbitrary.
        if (!point.contains(name)) continue;
        CAPTURE(name);
        if (point.at(name).is_null())
          CHECK((!value || std::string(name) == "normal_alignment"));
        else
          CHECK_THAT(value.value(), WithinRel(point.at(name).get<double>(), 1e-9));
      }
      const M singular_values = row_of(point.at("singular_values"));
      const std::vector<double> values = svd<double>(triangular_factor<double>(map.slope)).values;
      REQUIRE(values.size() == singular_values.span().size());
      for (std::size_t i = 0; i < values.size(); ++i)
        CHECK_THAT(values[i], WithinAbs(singular_values.span()[i], 1e-9 * singular_values(0, 0)));
    }
}

TEST_CASE("what is undefined is absent: a Jacobian of zero, an x of zero, rows that are all alike") {
  const LocalGeometry zero = local_geometry(M(3, 4), M{{3, 0, 4}}, random_matrix({1, 4}, 11), 0);
  for (const auto& [name, value] : measures(zero)) {
    CAPTURE(name);
    CHECK(value.has_value() == std::string(name).ends_with("_norm"));
  }
  CHECK(zero.jacobian_norm == 0.0);
  CHECK(zero.offset_norm == 25.0);
  CHECK(zero.centroid_norm == 0.0);
  const LocalGeometry origin = local_geometry(random_matrix({3, 4}, 12), M(1, 3), M(1, 4), 0);
  CHECK_FALSE(origin.normal_alignment);
  CHECK(origin.effective_rank);
  const LocalGeometry alike = local_geometry(M{{0.1, 0.7}, {0.1, 0.7}, {0.1, 0.7}}, M(1, 3), M{{1, 2}}, 0);
  CHECK(alike.centroid_alignment);
  CHECK_FALSE(alike.class_alignment);
  CHECK_FALSE(alike.centred_normal_alignment);
}

TEST_CASE("the means of a network are those of Jacobians by finite differences, at any number of threads") {
  for (bool bias : {false, true})
    for (Index outputs : {1, 3}) {
      CAPTURE(bias, outputs);
      const Mlp<double> mlp({.widths = {5, 9, outputs}, .activation = Activation::tanh, .bias = bias, .init_scale = 2});
      const Index n = 37;
      const M inputs = random_matrix({n, 5}, 13);
      std::vector<std::int32_t> labels;
      for (Index i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>(i % std::max<Index>(outputs, 2)));
      const auto output = [&](const M& x) {
        Tape<double> tape;
        return M(mlp.on(tape)(tape.constant(x)).value());
      };
      std::vector<double> sums(measures({}).size());
      for (Index i = 0; i < n; ++i) {
        const M x(inputs.view().row_block(i, 1));
        M jacobian(outputs, 5);
        for (Index j = 0; j < 5; ++j) {
          M up = x, down = x;
          up(0, j) += 1e-5;
          down(0, j) -= 1e-5;
          const M high = output(up), low = output(down);
          for (Index o = 0; o < outputs; ++o) jacobian(o, j) = (high(0, o) - low(0, o)) / 2e-5;
        }
        std::size_t m = 0;
        for (const auto& [name, value] :
             measures(local_geometry(jacobian, output(x), x, labels[static_cast<std::size_t>(i)])))
          sums[m++] += value.value() / static_cast<double>(n);
      }
      const Batch<double> data{.inputs = inputs, .labels = labels};
      const LocalGeometry found = mean_local_geometry(mlp, data, 1);
      std::size_t m = 0;
      for (const auto& [name, value] : measures(found)) {
        CAPTURE(name);
        CHECK_THAT(value.value(), WithinAbs(sums[m++], 1e-6));
      }
      CHECK(measures(mean_local_geometry(mlp, data, 2)) == measures(found));
      CHECK(measures(mean_local_geometry(mlp, data, 7)) == measures(found));
    }
}

TEST_CASE("each row of a batch has the measures of its own affine map, at any number of threads") {
  const Mlp<double> mlp({.widths = {6, 20, 20, 4}, .activation = Activation::leaky_relu, .seed = 3});
  const Index n = 150;
  const M inputs = random_matrix({n, 6}, 16, -2, 2);
  std::vector<std::int32_t> labels;
  for (Index i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>(i % 4));
  const Batch<double> data{.inputs = inputs, .labels = labels};
  const std::vector<LocalGeometry> found = local_geometries(mlp, data);
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);
  const std::vector<LocalMap> maps = local_maps(network, inputs);
  const M f = network(inputs);
  REQUIRE(found.size() == maps.size());
  for (Index i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const auto expected = measures(
        local_geometry(maps[at].map.slope, f.view().row_block(i, 1), inputs.view().row_block(i, 1), labels[at]));
    for (std::size_t m = 0; m < expected.size(); ++m) {
      CAPTURE(i, expected[m].first);
      CHECK_THAT(measures(found[at])[m].second.value(), WithinAbs(expected[m].second.value(), 1e-11));
    }
  }
  for (int threads : {2, 7}) {
    const std::vector<LocalGeometry> again = local_geometries(mlp, data, threads);
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(measures(again[i]) == measures(found[i]));
  }
}

TEST_CASE("a bias-free piecewise-affine network has no offset, and samples it is dead at do not count") {
  Mlp<double> mlp({.widths = {2, 1, 2}, .bias = false});
  mlp.parameters()[0](0, 0) = 1;
  mlp.parameters()[0](0, 1) = 0;
  const M inputs{{1, 0}, {-1, 0}};  // the second is on the dead side
  const std::vector<std::int32_t> labels{0, 0};
  const LocalGeometry found = mean_local_geometry(mlp, {.inputs = inputs, .labels = labels}, 1);
  CHECK_THAT(*found.normal_alignment, WithinAbs(1, 1e-14));
  CHECK_THAT(*found.effective_rank, WithinAbs(1, 1e-7));
  CHECK(*found.offset_norm <= 1e-30);
  CHECK_THAT(*found.jacobian_norm,
             WithinRel(std::hypot(mlp.parameters()[1](0, 0), mlp.parameters()[1](1, 0)) / 2, 1e-14));
}

TEST_CASE("ranks and norms of a Jacobian whose squares are no doubles") {
  for (const double scale : {1e-200, 1e140}) {
    CAPTURE(scale);
    const M j{{3 * scale, 0}, {0, 4 * scale}}, x{{0, 1}};
    const LocalGeometry found = local_geometry(j, M(1, 2), x, 0);
    CHECK_THAT(*found.jacobian_norm, WithinRel(5 * scale, 1e-12));
    CHECK_THAT(*found.effective_rank, WithinRel(49.0 / 25, 1e-12));
    CHECK_THAT(*found.explained_variance, WithinRel(16.0 / 25, 1e-12));
    CHECK_THAT(*found.normal_alignment, WithinRel(1, 1e-12));
  }
}

TEST_CASE("the chance level is the mean over random directions") {
  const Index d = 40;
  const M x = random_matrix({1, d}, 14);
  double sum = 0, squares = 0;
  for (double value : x.span()) squares += value * value;
  M direction(1, d);
  for (std::uint32_t i = 0; i < 4000; ++i) {
    RandomRows(15, Stream::gradcheck).normal(i, direction.span());
    double along = 0, length = 0;
    for (Index j = 0; j < d; ++j) {
      along += direction(0, j) * x(0, j);
      length += direction(0, j) * direction(0, j);
    }
    sum += std::abs(along) / std::sqrt(length * squares) / 4000;
  }
  CHECK_THAT(chance_alignment(d), WithinRel(sum, 0.05));
}

TEST_CASE("shapes, labels and threads that do not fit are refused") {
  const M x(1, 4), jacobian(3, 4), output(1, 3);
  CHECK(contains(message_of([&] { local_geometry(jacobian, output, M(1, 5), 0); }),
                 "jacobian is 3x4, output 1x3 and x 1x5"));
  CHECK(contains(message_of([&] { local_geometry(jacobian, M(1, 2), x, 0); }), "output 1x2"));
  CHECK(contains(message_of([&] { local_geometry(jacobian, output, x, 3); }), "label is 3; it must be from 0 to 2"));
  CHECK(contains(message_of([&] { local_geometry(M(1, 4), M(1, 1), x, 2); }), "label is 2; it must be from 0 to 1"));
  const Mlp<double> mlp({.widths = {4, 3}});
  const std::vector<std::int32_t> labels{0};
  CHECK(contains(message_of([&] { mean_local_geometry(mlp, {.inputs = M(2, 4), .labels = labels}, 1); }), "1 labels"));
  CHECK(contains(message_of([&] { mean_local_geometry(mlp, {.inputs = x, .labels = labels}, 0); }), "threads is 0"));
  CHECK(contains(message_of([&] { singular_geometry(jacobian, M(1, 5)); }), "jacobian is 3x4 and x 1x5"));
  CHECK(contains(message_of([&] { local_geometries(mlp, {.inputs = M(0, 4), .labels = {}}); }), "inputs are 0x4"));
}

TEST_CASE(
    "a piecewise-affine network's Jacobians by backward passes are the slopes of its maps, each row visited once") {
  const Mlp<double> mlp({.widths = {4, 9, 7, 3}, .seed = 5});
  const M x = random_matrix({37, 4}, 6);
  const std::vector<LocalMap> maps = local_maps(piecewise_affine(mlp), x);
  const M outputs = piecewise_affine(mlp)(x);
  std::vector<int> visits(37);
  double largest = 0;
  visit_jacobians<double>(
      mlp, x,
      [&](Index i, ConstView<double> jacobian, ConstView<double> output) {
        ++visits[static_cast<std::size_t>(i)];
        const M& slope = maps[static_cast<std::size_t>(i)].map.slope;
        REQUIRE(jacobian.shape() == slope.shape());
        for (std::size_t at = 0; at < slope.span().size(); ++at)
          largest = std::max(largest, std::abs(jacobian.span()[at] - slope.span()[at]));
        for (Index k = 0; k < 3; ++k) largest = std::max(largest, std::abs(output(0, k) - outputs(i, k)));
      },
      1);
  CHECK(visits == std::vector<int>(37, 1));
  CHECK(largest < 1e-13);
  const auto ignore = [](Index, ConstView<double>, ConstView<double>) {};
  CHECK(message_of([&] { visit_jacobians<double>(mlp, M(0, 4), ignore); }) ==
        "visit_jacobians: inputs are 0x4; there must be a row");
}

TEST_CASE("local geometries and visits of Jacobians end when stopped, on any thread") {
  const Mlp<double> mlp({.widths = {200, 300, 300, 60}, .seed = 1});
  const M x = random_matrix({20'000, 200}, 2);
  for (const int threads : {1, 3}) {
    check_stops("local_geometries", [&](const std::function<bool()>& stop) {
      local_geometries(mlp, Batch<double>{.inputs = x}, threads, stop);
    });
    check_stops("visit_jacobians", [&](const std::function<bool()>& stop) {
      visit_jacobians<double>(
          mlp, x, [](Index, ConstView<double>, ConstView<double>) {}, threads, stop);
    });
  }
}

}  // namespace
}  // namespace normalign::tests
