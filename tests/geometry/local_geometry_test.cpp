#include "geometry/local_geometry.hpp"

#include <cmath>
#include <numbers>

#include "nn/activation.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
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

TEST_CASE("what is undefined is absent: a Jacobian of zero, an x of zero, rows that are all alike") {
  const LocalGeometry zero = local_geometry(M(3, 4), M{{3, 0, 4}}, random_matrix({1, 4}, 11), 0);
  for (const auto& [name, value] : measures(zero)) {
    CAPTURE(name);
    CHECK(value.has_value() == (std::string(name) == "jacobian_norm" || std::string(name) == "offset_norm"));
  }
  CHECK(zero.jacobian_norm == 0.0);
  CHECK(zero.offset_norm == 25.0);
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
      std::vector<double> sums(8);
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
}

}  // namespace
}  // namespace normalign::tests
