#include "autodiff/grad.hpp"

#include <cmath>

#include "autodiff/check/gradcheck.hpp"
#include "autodiff/ops.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;
using Inputs = std::span<const V>;

// A smooth composite of many operations: 4x3, 5x3 and 1x5 to 4x5.
V composite(const V& x, const V& w, const V& b) {
  const V h = tanh(linear(x, w, b));
  return softmax(h) * h + row_sum(square(x)) / (1 + exp(-h));
}

struct Composite {
  Tape<double> tape;
  V x = tape.variable(random_matrix({4, 3}, 1));
  V w = tape.variable(random_matrix({5, 3}, 2));
  V b = tape.variable(random_matrix({1, 5}, 3));
  V f = composite(x, w, b);
  std::vector<V> all{x, w, b};
};

// The gradient of a scalar function in one matrix by central differences.
template <class F>
M central_differences(F f, const M& at, double step = 1e-5) {
  M result(at.rows(), at.cols());
  for (std::size_t i = 0; i < at.span().size(); ++i) {
    M up = at, down = at;
    up.span()[i] += step;
    down.span()[i] -= step;
    result.span()[i] = (f(up) - f(down)) / (2 * step);
  }
  return result;
}

double second_derivative(const V& f, const V& x) { return grad(sum(grad(f, x, {.create_graph = true})), x).item(); }

// Closed forms.

TEST_CASE("grad of a quadratic form is its closed form") {
  // f = sum((x a) * x) / 2 has the gradient x (a + aᵀ) / 2.
  const M a = random_matrix({4, 4}, 1), at = random_matrix({3, 4}, 2);
  Tape<double> tape;
  const V x = tape.variable(at);
  const V f = 0.5 * sum(matmul(x, tape.constant(a)) * x);
  M symmetric(4, 4);
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 4; ++j) symmetric(i, j) = (a(i, j) + a(j, i)) / 2;
  CHECK(relative_error(grad(f, x).value(), naive_product(at, symmetric)) <= tolerance<double>(1));
}

TEST_CASE("grad of cross entropy is softmax minus the one-hot label") {
  const M logits = random_matrix({3, 4}, 5, -3, 3);
  const std::int32_t labels[] = {2, 0, 3};
  Tape<double> tape;
  const V x = tape.variable(logits);
  const V g = grad(mean(cross_entropy_rows(x, tape.labels(labels))), x);
  M expected(3, 4);
  for (Index i = 0; i < 3; ++i) {
    double total = 0;
    for (Index j = 0; j < 4; ++j) total += std::exp(logits(i, j));
    for (Index j = 0; j < 4; ++j) expected(i, j) = (std::exp(logits(i, j)) / total - (j == labels[i] ? 1 : 0)) / 3;
  }
  CHECK(relative_error(g.value(), expected) <= tolerance<double>(1));
}

TEST_CASE("derivatives of x^5 and of e^{2x} are right to the fifth order") {
  Tape<double> tape;
  const V x = tape.variable(M{{1.5}});
  V polynomial = pow(x, 5), exponential = exp(2 * x);
  double coefficient = 1;
  for (int order = 1; order <= 5; ++order) {
    CAPTURE(order);
    polynomial = grad(polynomial, x, {.create_graph = true});
    exponential = grad(exponential, x, {.create_graph = true});
    coefficient *= 6 - order;
    CHECK_THAT(polynomial.item(), WithinRel(coefficient * std::pow(1.5, 5 - order), tolerance<double>(3)));
    CHECK_THAT(exponential.item(), WithinRel(std::pow(2, order) * std::exp(3), tolerance<double>(3)));
  }
}

// Linearity, forward against reverse.

TEST_CASE("a pullback is linear in its seed") {
  Composite c;
  const M u = random_matrix(c.f.shape(), 6), v = random_matrix(c.f.shape(), 7);
  M both(u.rows(), u.cols());
  for (std::size_t i = 0; i < both.span().size(); ++i) both.span()[i] = 2.5 * u.span()[i] - 0.75 * v.span()[i];
  const auto gu = grad(c.f, c.all, {.seed = c.tape.constant(u)});
  const auto gv = grad(c.f, c.all, {.seed = c.tape.constant(v)});
  const auto gb = grad(c.f, c.all, {.seed = c.tape.constant(both)});
  for (std::size_t k = 0; k < c.all.size(); ++k)
    CHECK(relative_error(gb[k].value(), (2.5 * gu[k] - 0.75 * gv[k]).value()) <= tolerance<double>(1));
}

TEST_CASE("a pushforward and a pullback are adjoint") {
  Composite c;
  const M u = random_matrix(c.f.shape(), 8);
  for (const V& x : c.all) {
    const M t = random_matrix(x.shape(), 9);
    const V pushed = jvp(c.f, x, c.tape.constant(t));
    const V pulled = grad(c.f, x, {.seed = c.tape.constant(u)});
    CHECK(pushed.shape() == c.f.shape());
    CHECK(pulled.shape() == x.shape());
    CHECK_THAT(inner_product(pushed.value(), u), WithinAbs(inner_product(pulled.value(), t), tolerance<double>(1)));
  }
}

TEST_CASE("jvp is a directional difference, and can be differentiated") {
  Composite c;
  const M t = random_matrix(c.x.shape(), 10);
  const auto value_at = [&](double s) {
    Composite other;
    return M(composite(other.x + s * other.tape.constant(t), other.w, other.b).value());
  };
  const double step = 1e-5;
  M expected = value_at(step);
  const M below = value_at(-step);
  for (std::size_t i = 0; i < expected.span().size(); ++i)
    expected.span()[i] = (expected.span()[i] - below.span()[i]) / (2 * step);
  CHECK(relative_error(jvp(c.f, c.x, c.tape.constant(t)).value(), expected) <= difference_tolerance);

  const DifferentiableFunction norm_of_pushed = [](Tape<double>&, Inputs x) {
    return sum(square(jvp(composite(x[0], x[1], x[2]), x[0], x[3], {.create_graph = true})));
  };
  const auto report =
      gradcheck(norm_of_pushed, {random_matrix({4, 3}, 1), random_matrix({5, 3}, 2), random_matrix({1, 5}, 3), t},
                {.name = "|J t|^2", .order = 2});
  INFO(report.failure);
  CHECK(report.passed);
}

TEST_CASE("jacobian's rows are gradients of single outputs, sample by sample") {
  Composite c;
  const auto rows = jacobian(c.f, c.x);
  REQUIRE(std::ssize(rows) == c.f.cols());
  for (Index j = 0; j < c.f.cols(); ++j)
    for (Index i = 0; i < c.f.rows(); ++i) {
      const V f_ij = slice_cols(slice_rows(c.f, i, 1), j, 1);
      M row(c.x.rows(), c.x.cols());  // zero but for row i
      std::ranges::copy(rows[static_cast<std::size_t>(j)].value().row(i), row.row(i).begin());
      CHECK(relative_error(grad(f_ij, c.x).value(), row) <= tolerance<double>(1));
    }
}

// Hessians.

TEST_CASE("hvp of a quadratic form is its matrix times the direction") {
  const M a = random_matrix({4, 4}, 1), direction = random_matrix({1, 4}, 2);
  Tape<double> tape;
  const V x = tape.variable(random_matrix({1, 4}, 3));
  const V f = sum(matmul(x, tape.constant(a)) * x);
  M hessian(4, 4);
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 4; ++j) hessian(i, j) = a(i, j) + a(j, i);
  const auto product = hvp(f, std::vector{x}, {tape.constant(direction)});
  CHECK(relative_error(product.at(0).value(), naive_product(direction, hessian)) <= tolerance<double>(2));
}

TEST_CASE("hvp is symmetric and agrees with differences of gradients") {
  Composite c;
  const V loss = sum(square(c.f));
  std::vector<V> u, v;
  for (std::size_t k = 0; k < c.all.size(); ++k) {
    u.push_back(c.tape.constant(random_matrix(c.all[k].shape(), 20 + k)));
    v.push_back(c.tape.constant(random_matrix(c.all[k].shape(), 30 + k)));
  }
  const auto hu = hvp(loss, c.all, u), hv = hvp(loss, c.all, v);
  double uhv = 0, vhu = 0;
  for (std::size_t k = 0; k < c.all.size(); ++k) {
    uhv += inner_product(u[k].value(), hv[k].value());
    vhu += inner_product(v[k].value(), hu[k].value());
  }
  CHECK_THAT(uhv, WithinRel(vhu, tolerance<double>(2)));

  // (gradient at p + s v - gradient at p - s v) / 2 s
  const double step = 1e-5;
  const auto gradient_at = [&](double s) {
    Tape<double> tape;
    std::vector<V> at;
    for (std::size_t k = 0; k < c.all.size(); ++k) {
      M moved(c.all[k].value());
      for (std::size_t i = 0; i < moved.span().size(); ++i) moved.span()[i] += s * v[k].value().span()[i];
      at.push_back(tape.variable(moved));
    }
    std::vector<M> result;
    for (const V& g : grad(sum(square(composite(at[0], at[1], at[2]))), at)) result.emplace_back(g.value());
    return result;
  };
  const auto above = gradient_at(step), below = gradient_at(-step);
  for (std::size_t k = 0; k < c.all.size(); ++k) {
    M expected = above[k];
    for (std::size_t i = 0; i < expected.span().size(); ++i)
      expected.span()[i] = (above[k].span()[i] - below[k].span()[i]) / (2 * step);
    CHECK(relative_error(hv[k].value(), expected) <= difference_tolerance);
  }
}

TEST_CASE("a direction of hvp is a constant, also where it is made of the variables") {
  Tape<double> tape;
  const V w = tape.variable(M{{1, 2}});
  const V f = sum(pow(w, 3));
  const auto check_product = [&](const V& direction, const M& expected) {
    CHECK(relative_error(hvp(f, std::vector{w}, {direction}).at(0).value(), expected) <= tolerance<double>(2));
  };
  check_product(w, {{6, 24}});  // H w, H = diag(6 w)
  check_product(2 * w, {{12, 48}});
  check_product(tape.constant(w.value()), {{6, 24}});
  // A gradient, recorded or not, is a direction too: H g.
  for (const bool create_graph : {false, true}) check_product(grad(f, w, {.create_graph = create_graph}), {{18, 144}});
  // H v of power iterations: the last product is the next direction.
  V v = tape.full({1, 2}, 1);
  for (int i = 0; i < 3; ++i) v = hvp(f, std::vector{w}, {v}).at(0);
  CHECK(relative_error(v.value(), M{{216, 1728}}) <= tolerance<double>(2));
}

TEST_CASE("seeds and tangents are differentiated through where the derivative is recorded") {
  // f = x^2: a pullback of the seed x is 2 x x, a pushforward of the tangent x the same; both have the slope 4 x.
  Tape<double> tape;
  const V x = tape.variable(M{{1.5}});
  CHECK(grad(grad(square(x), x, {.seed = x, .create_graph = true}), x).item() == 6);
  CHECK(grad(jvp(square(x), x, x, {.create_graph = true}), x).item() == 6);
}

TEST_CASE("mixed partial derivatives agree in either order and with the closed form") {
  // f = x^2 y^3 + sin-free cross terms: d2f/dxdy = 6 x y^2
  Tape<double> tape;
  const V x = tape.variable(M{{1.5}}), y = tape.variable(M{{-0.5}});
  const V f = square(x) * pow(y, 3) + exp(x) + pow(y, 4);
  const V fx = grad(f, x, {.create_graph = true}), fy = grad(f, y, {.create_graph = true});
  CHECK_THAT(grad(fx, y).item(), WithinRel(6 * 1.5 * 0.25, tolerance<double>(2)));
  CHECK_THAT(grad(fy, x).item(), WithinRel(6 * 1.5 * 0.25, tolerance<double>(2)));
}

TEST_CASE("hvp where the gradient is constant is zero, of the right shape") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({2, 3}, 1));
  const auto product = hvp(sum(3 * x), std::vector{x}, {tape.constant(random_matrix({2, 3}, 2))});
  CHECK(product.at(0).shape() == Shape{2, 3});
  CHECK(all_zero(product.at(0).value()));
}

// What is recorded, what is zero.

TEST_CASE("a recorded gradient has the bits of a plain one") {
  Composite c;
  const V seed = c.tape.constant(random_matrix(c.f.shape(), 6));
  const Index nodes = c.tape.nodes();
  const auto plain = grad(c.f, c.all, {.seed = seed});
  const auto again = grad(c.f, c.all, {.seed = seed});
  CHECK(c.tape.nodes() == nodes);
  const auto recorded = grad(c.f, c.all, {.seed = seed, .create_graph = true});
  CHECK(c.tape.nodes() > nodes);
  for (std::size_t k = 0; k < c.all.size(); ++k) {
    CHECK_FALSE(plain[k].depends());
    CHECK(recorded[k].depends());
    CHECK(same_bits(again[k].value(), plain[k].value()));
    CHECK(same_bits(recorded[k].value(), plain[k].value()));
    CHECK(same_bits(grad(c.f, c.all[k], {.seed = seed}).value(), plain[k].value()));
  }
}

TEST_CASE("grad and hvp take the parameters as a vector or as a span of it") {
  Composite c;
  const std::span<const V> parameters = c.all;
  const auto from_vector = grad(sum(c.f), c.all), from_span = grad(sum(c.f), parameters.subspan(1));
  REQUIRE(from_span.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) CHECK(same_bits(from_span[k].value(), from_vector[k + 1].value()));
  const auto product = hvp(sum(c.f), c.all, c.all), product_of_span = hvp(sum(c.f), parameters, c.all);
  for (std::size_t k = 0; k < 3; ++k) CHECK(same_bits(product_of_span[k].value(), product[k].value()));
  CHECK(grad(sum(c.f), parameters.first(0)).empty());
}

TEST_CASE("no dependence gives zeros of the input's shape") {
  Tape<double> tape;
  const V before = tape.variable(random_matrix({2, 3}, 1));
  const V x = tape.variable(random_matrix({1, 2}, 2));
  const V f = sum(square(x));
  const V after = tape.variable(random_matrix({4, 1}, 3));
  for (bool create_graph : {false, true}) {
    const auto g = grad(f, std::vector{before, x, after}, {.create_graph = create_graph});
    CHECK(g[0].shape() == Shape{2, 3});
    CHECK(all_zero(g[0].value()));
    CHECK(relative_error(g[1].value(), (2 * x).value()) <= tolerance<double>(1));
    CHECK(g[2].shape() == Shape{4, 1});
    CHECK(all_zero(g[2].value()));
  }
  const V pushed = jvp(f, before, tape.constant(M(2, 3)));
  CHECK(pushed.shape() == Shape{1, 1});
  CHECK(pushed.item() == 0);
  CHECK(all_zero(jvp(before, after, tape.constant(M(4, 1))).value()));
  // A function that is no function of anything, and one through a mask only.
  CHECK(all_zero(grad(tape.full({1, 1}, 3), x).value()));
  CHECK(all_zero(grad(sum(sign(x)), x).value()));
}

TEST_CASE("a constant gradient differentiated again gives zeros") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({2, 3}, 1));
  const V once = grad(sum(3 * x + 1), x, {.create_graph = true});
  for (double value : once.value().span()) CHECK(value == 3);
  const V twice = grad(sum(once), x, {.create_graph = true});
  CHECK(twice.shape() == x.shape());
  CHECK(all_zero(twice.value()));
  CHECK(all_zero(grad(sum(twice), x).value()));
}

TEST_CASE("grad of a value in itself is its seed") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({2, 3}, 1)), seed = tape.constant(random_matrix({2, 3}, 2));
  CHECK(same_bits(grad(x, x, {.seed = seed}).value(), seed.value()));
  CHECK(same_bits(jvp(x, x, seed).value(), seed.value()));
  const V y = exp(x);
  CHECK(same_bits(grad(y, y, {.seed = seed}).value(), seed.value()));
}

TEST_CASE("grad in an intermediate value, alone and together with what it depends on") {
  Tape<double> tape;
  const V x = tape.variable(M{{1.5}});
  const V y = square(x);
  const V f = y * x;
  CHECK(grad(f, y).item() == 1.5);
  const auto g = grad(f, std::vector{x, y, f, x});
  CHECK(g[0].item() == 3 * 1.5 * 1.5);
  CHECK(g[1].item() == 1.5);
  CHECK(g[2].item() == 1);
  CHECK(g[3].item() == g[0].item());
  CHECK(jvp(f, y, tape.full({1, 1}, 2)).item() == 3);
}

// A forgotten create_graph.

constexpr const char* lost =
    "f holds a derivative that was taken without create_graph, so how it depends on x is lost; take that one with "
    ".create_graph = true, or make it a constant with detached";

TEST_CASE("a derivative that was not recorded says so where it is differentiated") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  const V t = tape.full({1, 2}, 1);
  const V g = grad(sum(pow(x, 3)), x);
  CHECK_THAT(g.value()(0, 1), WithinRel(12, tolerance<double>(1)));
  const V pushed = jvp(pow(x, 3), x, t);
  const V of_jacobian = jacobian(pow(x, 3), x).at(0);
  const V product = hvp(sum(pow(x, 4)), std::vector{x}, {t}).at(0);
  for (const V& derivative : {g, pushed, of_jacobian, product}) {
    const auto refused = [&](const V& f) {
      CHECK(message_of([&] { grad(f, x, {.seed = tape.full(f.shape(), 1)}); }) == text("grad: ", lost));
      CHECK(message_of([&] { jvp(f, x, t); }) == text("jvp: ", lost));
      CHECK(message_of([&] { hvp(sum(f), std::vector{x}, {t}); }) == text("grad: ", lost));
      if (f.rows() == 1) CHECK(message_of([&] { jacobian(f, x); }) == text("grad: ", lost));
    };
    refused(derivative);
    refused(sum(2 * derivative));                       // through operations that are not recorded,
    refused(sum(square(derivative)) + sum(square(x)));  // and through recorded ones: a penalty
    refused(derivative * x);
    refused(transpose(derivative));
  }
}

TEST_CASE("a seed or tangent whose derivatives were lost hands that on") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}}), c = tape.full({1, 2}, 3);
  const V g = grad(sum(pow(x, 3)), x);
  for (const bool create_graph : {false, true}) {
    CAPTURE(create_graph);
    const V pulled = grad(c * x, x, {.seed = g, .create_graph = create_graph});
    CHECK(message_of([&] { grad(sum(pulled), x); }) == text("grad: ", lost));
    const V pushed = jvp(c * x, x, g, {.create_graph = create_graph});
    CHECK(message_of([&] { grad(sum(pushed), x); }) == text("grad: ", lost));
  }
}

TEST_CASE("a derivative that is constant has a derivative of zero, recorded or not") {
  Tape<double> tape;
  const V w = tape.variable(random_matrix({3, 2}, 1)), x = tape.variable(random_matrix({4, 2}, 2));
  const V linear_gradient = grad(sum(3 * x + 1), x);
  CHECK(all_zero(grad(sum(linear_gradient), x).value()));
  CHECK(all_zero(jvp(linear_gradient, x, tape.constant(M(4, 2))).value()));
  // A ReLU network's gradient in x depends on the weights alone.
  for (const bool weights_first : {false, true}) {
    CAPTURE(weights_first);
    const V z = weights_first ? tape.variable(random_matrix({4, 2}, 2)) : x;
    const V f = linear(relu(linear(z, w)), tape.variable(random_matrix({1, 3}, 3)));
    const V g = grad(sum(f), z);
    CHECK(all_zero(grad(sum(square(g)), z).value()));
    CHECK(message_of([&] { grad(sum(g), w); }) == text("grad: ", lost));
  }
  // Of no dependence at all, through a mask, and of a power that is linear.
  CHECK(all_zero(grad(sum(grad(sum(w), x)), x).value()));
  CHECK(all_zero(grad(sum(grad(sum(abs(x)), x)), x).value()));
  CHECK(all_zero(grad(sum(grad(sum(pow(x, 1)), x)), x).value()));
}

TEST_CASE("what was made a constant by hand is one") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  const V f = sum(pow(x, 3)), g = grad(f, x);
  const V constant = tape.constant(g.value());
  CHECK(same_bits(grad(sum(constant * x), x).value(), g.value()));
  CHECK(all_zero(grad(sum(constant), x).value()));
  for (const V& by_hand : {detached(g), 2 * detached(g)}) {
    CHECK_FALSE(by_hand.depends());
    CHECK(same_bits(grad(sum(by_hand * x), x).value(), by_hand.value()));
    CHECK(all_zero(grad(sum(by_hand), x).value()));
  }
  V inside, unrecorded;
  {
    const WithoutRecording<double> scope(tape);
    inside = grad(f, x);
    unrecorded = 2 * g;
  }
  CHECK(same_bits(grad(sum(inside * x), x).value(), g.value()));
  CHECK(all_zero(grad(sum(unrecorded), x).value()));
}

TEST_CASE("a derivative taken before a clear is a constant after it") {
  Tape<double> tape;
  V g;
  {
    const V x = tape.variable(M{{1, 2}});
    g = grad(sum(pow(x, 3)), x);
  }
  tape.clear();
  const V x = tape.variable(M{{5, 6}});
  CHECK(same_bits(grad(sum(g * x), x).value(), g.value()));
  CHECK(all_zero(grad(sum(g), x).value()));
}

TEST_CASE("a lost dependence is found out among more variables than one word has bits") {
  Tape<double> tape;
  std::vector<V> x;
  V f;
  for (int i = 0; i < 70; ++i) {
    x.push_back(tape.variable(M{{1.0 + i}}));
    f = f ? f + square(x.back()) : square(x.back());
  }
  for (std::size_t i : {0u, 31u, 32u, 33u, 69u}) {
    CAPTURE(i);
    CHECK(message_of([&] { grad(grad(f, x[i]), x[i]); }) == text("grad: ", lost));
  }
  CHECK(grad(grad(f, x[3]), x[4]).item() == 0);
}

// Shared and deep graphs.

TEST_CASE("a ladder of 60 diamonds is walked once") {
  Tape<double> tape;
  const V x = tape.variable(M{{1}});
  V y = x;
  for (int i = 0; i < 60; ++i) y = y + y;
  CHECK(grad(y, x).item() == 0x1p60);
  CHECK(jvp(y, x, tape.full({1, 1}, 1)).item() == 0x1p60);
  // d2(y^2)/dx2 = 2 (2^60)^2
  CHECK(second_derivative(square(y), x) == 0x1p121);
}

TEST_CASE("an inner value that is used twice gathers both derivatives") {
  Tape<double> tape;
  const V x = tape.variable(M{{0.5}});
  const V h = exp(x);
  const V f = h * h + sum(h) * x;  // e^2x + x e^x
  const double e = std::exp(0.5);
  CHECK_THAT(grad(f, x).item(), WithinRel(2 * e * e + 1.5 * e, tolerance<double>(1)));
  CHECK_THAT(second_derivative(f, x), WithinRel(4 * e * e + 2.5 * e, tolerance<double>(2)));
}

TEST_CASE("a chain of 100000 nodes is differentiated twice without recursion") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  V y = x;
  for (int i = 0; i < 100000; ++i) y = y + 1;
  CHECK(tape.nodes() == 100001);
  const V f = sum(square(y));
  const V g = grad(f, x, {.create_graph = true});
  CHECK(relative_error(g.value(), M{{200002, 200004}}) <= tolerance<double>(1));
  CHECK(relative_error(grad(sum(g), x).value(), M{{2, 2}}) <= tolerance<double>(1));
  CHECK(jvp(y, x, tape.full({1, 2}, 3)).value()(0, 1) == 3);
}

// What is refused.

TEST_CASE("grad, jvp, jacobian and hvp say what does not fit") {
  Tape<double> tape, other;
  const V x = tape.variable(M(2, 3)), f = exp(x), constant = tape.constant(M(2, 3));
  const V misfit = tape.constant(M(3, 2)), elsewhere = other.variable(M(2, 3));
  CHECK(message_of([&] { grad(f, x); }) ==
        "grad: f is 2x3 and there is no seed; give one of f's shape, or sum f first");
  CHECK(message_of([&] { grad(f, x, {.seed = misfit}); }) == "grad: seed is 3x2 but f is 2x3; they must be equal");
  CHECK(message_of([&] { grad(f, elsewhere, {.seed = f}); }) == "grad: f and x live on different tapes");
  CHECK(message_of([&] { grad(f, constant, {.seed = f}); }) ==
        "grad: x is a constant; make it with Tape::variable to differentiate by it");
  CHECK(message_of([&] { grad(V(), x); }) == "grad: a Var is empty; it must hold a value");
  CHECK(message_of([&] { grad(f, V(), {.seed = f}); }) == "grad: a Var is empty; it must hold a value");
  std::vector<V> out(2);
  CHECK(message_of([&] { grad(f, std::span<const V>(&x, 1), std::span<V>(out), {.seed = f}); }) ==
        "grad: 1 inputs but 2 outputs; they must be equal");

  CHECK(message_of([&] { jvp(f, x, misfit); }) == "jvp: tangent is 3x2 but x is 2x3; they must be equal");
  CHECK(message_of([&] { jvp(f, elsewhere, constant); }) == "jvp: f and x live on different tapes");
  CHECK(message_of([&] { jvp(f, constant, constant); }) ==
        "jvp: x is a constant; make it with Tape::variable to differentiate by it");
  CHECK(message_of([&] { jacobian(sum(f), x); }) == "jacobian: f is 1x1 but x is 2x3; f.rows must equal x.rows");
  CHECK(message_of([&] { hvp(sum(f), std::vector{x}, {}); }) == "hvp: 1 inputs but 0 directions; they must be equal");
  CHECK(message_of([&] { hvp(sum(f), std::vector{x}, {misfit}); }) ==
        "hvp: a direction is 3x2 but its input is 2x3; they must be equal");
  CHECK(message_of([&] { hvp(f, std::vector{x}, {constant}); }) ==
        "grad: f is 2x3 and there is no seed; give one of f's shape, or sum f first");
}

TEST_CASE("a seed, tangent or direction of another tape is refused") {
  Tape<double> tape, other;
  const V x = tape.variable(M(2, 3)), elsewhere = other.constant(M(2, 3));
  for (const V& f : {exp(x), x + x, x}) {  // the last two never compute with it
    CHECK(contains(message_of([&] { grad(f, x, {.seed = elsewhere}); }), "different tapes"));
    CHECK(contains(message_of([&] { jvp(f, x, elsewhere); }), "different tapes"));
  }
  CHECK(contains(message_of([&] { hvp(sum(exp(x)), std::vector{x}, {elsewhere}); }), "different tapes"));
}

TEST_CASE("a failed sweep leaves the tape usable") {
  Tape<double> tape, other;
  const V x = tape.variable(M{{1, 2}});
  const V f = exp(x);
  const V expected = grad(sum(f), x);
  const Index buffers = tape.buffers();
  for (bool create_graph : {false, true})
    CHECK_THROWS_AS(grad(f, x, {.seed = other.constant(M(1, 2)), .create_graph = create_graph}), InputError);
  CHECK(tape.buffers() == buffers);
  const V g = sum(x * x);
  CHECK(g.depends());  // recording is as it was
  CHECK(same_bits(grad(sum(f), x).value(), expected.value()));
}

// ReLU networks.

struct Weights {
  M w1 = random_matrix({6, 3}, 41), b1 = random_matrix({1, 6}, 42), w2 = random_matrix({2, 6}, 43);
  M x = random_matrix({5, 3}, 44);
};

V relu_network(const V& x, const V& w1, const V& b1, const V& w2) { return linear(relu(linear(x, w1, b1)), w2); }

// mean_i ||J_i||_F, the floor inside the root
V jacobian_norm(const V& x, const V& f) {
  V total;
  for (const V& row : jacobian(f, x, {.create_graph = true})) {
    const V share = row_sum(square(row));
    total = total ? total + share : share;
  }
  return mean(sqrt(clamp_min(total, 1e-8)));
}

TEST_CASE("the Jacobian of a ReLU network is the product of its masked weights") {
  const Weights n;
  Tape<double> tape;
  const V x = tape.variable(n.x);
  const auto rows = jacobian(relu_network(x, tape.constant(n.w1), tape.constant(n.b1), tape.constant(n.w2)), x);
  for (Index i = 0; i < n.x.rows(); ++i) {
    M masked = n.w1;
    for (Index unit = 0; unit < n.w1.rows(); ++unit) {
      double z = n.b1(0, unit);
      for (Index d = 0; d < n.x.cols(); ++d) z += n.w1(unit, d) * n.x(i, d);
      if (z <= 0) std::ranges::fill(masked.row(unit), 0.0);
    }
    const M expected = naive_product(n.w2, masked);  // k x d
    for (Index j = 0; j < n.w2.rows(); ++j) {
      const M found(rows[static_cast<std::size_t>(j)].value().row_block(i, 1));
      CHECK(relative_error(found, M(expected.view().row_block(j, 1))) <= tolerance<double>(1));
    }
  }
}

TEST_CASE("a ReLU network has no curvature in x, yet its Jacobian norm has a gradient in the weights") {
  const Weights n;
  Tape<double> tape;
  const V x = tape.variable(n.x), w1 = tape.variable(n.w1), b1 = tape.variable(n.b1), w2 = tape.variable(n.w2);
  const V f = relu_network(x, w1, b1, w2);
  const V g = grad(f, x, {.seed = tape.constant(random_matrix(f.shape(), 45)), .create_graph = true});
  CHECK(all_zero(grad(sum(square(g)), x).value()));

  const V norm = jacobian_norm(x, f);
  const auto gradients = grad(norm, std::vector{x, w1, b1, w2});
  CHECK(all_zero(gradients[0].value()));
  CHECK(all_zero(gradients[2].value()));  // the offset moves kinks, not slopes
  const auto norm_at = [&](const M& a, const M& b) {
    Tape<double> again;
    const V at = again.variable(n.x);
    return jacobian_norm(at, relu_network(at, again.variable(a), again.variable(n.b1), again.variable(b))).item();
  };
  const M in_w1 = central_differences([&](const M& w) { return norm_at(w, n.w2); }, n.w1);
  const M in_w2 = central_differences([&](const M& w) { return norm_at(n.w1, w); }, n.w2);
  CHECK_FALSE(all_zero(in_w1));
  CHECK(relative_error(gradients[1].value(), in_w1) <= difference_tolerance);
  CHECK(relative_error(gradients[3].value(), in_w2) <= difference_tolerance);
}

TEST_CASE("the Jacobian norm of a network passes the gradient check in all its weights, at second order too") {
  const Weights n;
  const auto check = [&](V (*network)(const V&, const V&, const V&, const V&)) {
    const auto report = gradcheck(
        [&](Tape<double>& tape, Inputs w) {
          const V x = tape.variable(n.x);
          return jacobian_norm(x, network(x, w[0], w[1], w[2]));
        },
        {n.w1, n.b1, n.w2}, {.name = "jacobian norm", .order = 2});
    INFO(report.failure);
    CHECK(report.passed);
  };
  SECTION("relu") { check(relu_network); }
  SECTION("tanh") {
    check([](const V& x, const V& w1, const V& b1, const V& w2) { return linear(tanh(linear(x, w1, b1)), w2); });
  }
}

TEST_CASE("the Jacobian norm with its floor inside the root has finite gradients at J = 0") {
  Weights n;
  n.w2 = M(2, 6);
  Tape<double> tape;
  const V x = tape.variable(n.x), w1 = tape.variable(n.w1), b1 = tape.variable(n.b1), w2 = tape.variable(n.w2);
  const V norm = jacobian_norm(x, relu_network(x, w1, b1, w2));
  CHECK_THAT(norm.item(), WithinRel(1e-4, tolerance<double>()));
  const std::vector<V> weights{w1, b1, w2};
  const auto gradients = grad(norm, weights, {.create_graph = true});
  for (const V& g : gradients) {
    CHECK(all_zero(g.value()));  // below the floor nothing pulls
    for (const V& second : grad(sum(square(g)), weights)) CHECK(all_finite(second.value()));
  }
  // With the floor outside the root, the gradient is not a number: the reason for the rule.
  const V outside = clamp_min(sqrt(sum(square(w2))), 1e-4);
  CHECK_FALSE(all_finite(grad(outside, w2).value()));
}

// Kinks.

TEST_CASE("at kinks and poles the derivatives are the documented ones") {
  const struct {
    const char* name;
    V (*f)(V);
    double at, first, second;
  } rows[] = {
      {"relu", [](V x) { return relu(x); }, 0, 0, 0},
      {"leaky_relu", [](V x) { return leaky_relu(x, 0.2); }, 0, 0.2, 0},
      {"abs", [](V x) { return abs(x); }, 0, 0, 0},
      {"clamp_min", [](V x) { return clamp_min(x, 0.5); }, 0.5, 1, 0},
      {"sign", [](V x) { return sign(x); }, 0, 0, 0},
      {"relu squared", [](V x) { return square(relu(x)); }, 0, 0, 0},
      {"x relu", [](V x) { return x * relu(x); }, 0, 0, 0},
      {"clamp_min squared", [](V x) { return square(clamp_min(x, 0.5)); }, 0.5, 1, 2},
      {"x abs", [](V x) { return x * abs(x); }, 0, 0, 0},
      {"pow 0", [](V x) { return pow(x, 0); }, 0, 0, 0},
      {"pow 1", [](V x) { return pow(x, 1); }, 0, 1, 0},
      {"pow 2", [](V x) { return pow(x, 2); }, 0, 0, 2},
      {"pow 3", [](V x) { return pow(x, 3); }, 0, 0, 0},
      {"sqrt", [](V x) { return sqrt(x); }, 0, infinity, -infinity},
      {"log", [](V x) { return log(x); }, 0, infinity, -infinity},
  };
  for (const auto& row : rows)
    for (double zero : {0.0, -0.0}) {
      if (row.at != 0 && std::signbit(zero)) continue;
      if (std::isinf(row.first) && std::signbit(zero)) continue;
      CAPTURE(row.name, std::signbit(zero));
      Tape<double> tape;
      const V x = tape.variable(M{{row.at + zero}});
      const V f = row.f(x);
      const V first = grad(f, x, {.create_graph = true});
      CHECK(first.item() == row.first);
      CHECK(grad(first, x).item() == row.second);
      CHECK(jvp(f, x, tape.full({1, 1}, 1)).item() == row.first);
    }
}

}  // namespace
}  // namespace normalign::tests
