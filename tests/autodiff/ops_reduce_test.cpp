// What the table of operations (op_table_test.cpp) cannot say: extreme values, invariances, adjoints, bad
// labels.
#include "autodiff/ops_reduce.hpp"

#include <cmath>
#include <limits>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

template <class T>
void check_extremes() {
  Tape<T> tape;
  const Var<T> x = tape.variable(Matrix<T>{{1000, -1000, 0}, {-1000, -1000, -1000}, {1000, 1000, -1000}});
  const T log2 = static_cast<T>(std::log(2.0)), log3 = static_cast<T>(std::log(3.0));
  const std::int32_t classes[] = {1, 0, 1};
  const Var<T> labels = tape.labels(classes);
  const double bound = tolerance<T>(1);
  CHECK(relative_error(logsumexp(x).value(), Matrix<T>{{1000}, {-1000 + log3}, {1000 + log2}}) <= bound);
  CHECK(relative_error(log_softmax(x).value(),
                       Matrix<T>{{0, -2000, -1000}, {-log3, -log3, -log3}, {-log2, -log2, -2000 - log2}}) <= bound);
  const T third = T{1} / 3;
  const Matrix<T> probabilities{{1, 0, 0}, {third, third, third}, {0.5, 0.5, 0}};
  CHECK(relative_error(softmax(x).value(), probabilities) <= bound);
  CHECK(relative_error(cross_entropy_rows(x, labels).value(), Matrix<T>{{2000}, {log3}, {log2}}) <= bound);

  const Matrix<T> minus_labels{{1, -1, 0}, {third - 1, third, third}, {0.5, -0.5, 0}};
  CHECK(relative_error(grad(sum(cross_entropy_rows(x, labels)), x).value(), minus_labels) <= bound);
  CHECK(relative_error(grad(sum(logsumexp(x)), x).value(), probabilities) <= bound);
  const Var<T> g = grad(sum(log_softmax(x)), x, {.create_graph = true});
  CHECK(all_finite(g.value()));
  CHECK(all_finite(grad(sum(square(g)), x).value()));
}

TEST_CASE("the softmax family and its derivatives stay right at logits of 1000") {
  check_extremes<double>();
  check_extremes<float>();
}

// Cases of a classifier that is sure: what is small must not be lost in what is large.
template <class T>
void check_log_softmax_far_from_zero() {
  const Matrix<T> near{{0.25, -0.5, 1, 0}};
  Matrix<T> far = near;
  for (T& value : far.span()) value += 4096;  // exact in float too
  Tape<T> tape;
  const auto found = log_softmax(tape.constant(far));
  const auto expected = log_softmax(tape.constant(near));
  CHECK(relative_error(found.value(), expected.value()) <= tolerance<T>());
  CHECK(relative_error(softmax(tape.constant(far)).value(), softmax(tape.constant(near)).value()) <= tolerance<T>());
  const std::int32_t classes[] = {2};
  CHECK(relative_error(cross_entropy_rows(tape.constant(far), tape.labels(classes)).value(),
                       cross_entropy_rows(tape.constant(near), tape.labels(classes)).value()) <= tolerance<T>());
}

TEST_CASE("softmax, log_softmax and cross entropy do not change when a row is shifted") {
  check_log_softmax_far_from_zero<double>();
  check_log_softmax_far_from_zero<float>();
}

TEST_CASE("softmax rows sum to 1 and logsumexp shifts with its row") {
  const Matrix<double> logits = random_matrix({5, 7}, 1, -5, 5);
  Matrix<double> shifted = logits;
  for (double& value : shifted.span()) value += 3;
  Tape<double> tape;
  const Var<double> x = tape.constant(logits), y = tape.constant(shifted);
  CHECK(relative_error(row_sum(softmax(x)).value(), tape.full({5, 1}, 1).value()) <= tolerance<double>());
  CHECK(relative_error(softmax(y).value(), softmax(x).value()) <= tolerance<double>());
  CHECK(relative_error(logsumexp(y).value(), (logsumexp(x) + 3).value()) <= tolerance<double>());
  CHECK(relative_error(exp(log_softmax(x)).value(), softmax(x).value()) <= tolerance<double>());
}

TEST_CASE("the softmax family with infinities and NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tape<double> tape;
  const Var<double> x = tape.constant(
      Matrix<double>{{-infinity, 0, 0}, {-infinity, -infinity, -infinity}, {0, infinity, 0}, {0, 1, nan}, {nan, 1, 0}});
  const auto total = logsumexp(x).value();
  CHECK_THAT(total(0, 0), WithinRel(std::log(2), tolerance<double>()));
  CHECK(total(1, 0) == -infinity);
  CHECK(total(2, 0) == infinity);
  CHECK(std::isnan(total(3, 0)));
  CHECK(std::isnan(total(4, 0)));
  const Var<double> p = softmax(x);
  CHECK(p.value()(0, 0) == 0);
  CHECK(p.value()(0, 1) == 0.5);
  const std::int32_t classes[] = {1, 0, 0, 0, 1};
  const auto loss = cross_entropy_rows(x, tape.labels(classes));
  CHECK_THAT(loss.value()(0, 0), WithinRel(std::log(2), tolerance<double>()));
  CHECK(std::isnan(loss.value()(3, 0)));
  CHECK(std::isnan(loss.value()(4, 0)));
}

// Value, gradient and curvature of a row's cross entropy whose label leads by `gap`, one other logit being 1 below the
// other. With q = e^-gap: the loss is log(1 + s), s = q (1 + 1/e); the shares of the others are q / (1 + s) and so on.
template <class T>
void check_large_gap(double gap) {
  CAPTURE(gap, sizeof(T));
  const double q = std::exp(-gap), s = q * (1 + std::exp(-1));
  const double p1 = q / (1 + s), p2 = q * std::exp(-1) / (1 + s);
  Tape<T> tape;
  const Matrix<T> logits{{static_cast<T>(gap), T{0}, T{-1}}};
  const Var<T> x = tape.variable(logits);
  const std::int32_t label = 0;
  const Var<T> labels = tape.labels({&label, 1});
  const auto close = [&](double found, double expected) {
    CHECK_THAT(found, WithinRel(expected, 10 * tolerance<T>()));
  };
  const Var<T> loss = sum(cross_entropy_rows(x, labels, CrossEntropyGradient::accurate));
  close(static_cast<double>(loss.item()), std::log1p(s));
  const Var<T> g = grad(loss, x, {.create_graph = true});
  close(static_cast<double>(g.value()(0, 0)), -(p1 + p2));
  close(static_cast<double>(g.value()(0, 1)), p1);
  close(static_cast<double>(g.value()(0, 2)), p2);
  // H = diag(p) - p pᵀ, row by row in reverse and in forward mode.
  const double q0 = p1 + p2, p0 = 1 / (1 + s);
  const double hessian[3][3] = {
      {p0 * q0, -p0 * p1, -p0 * p2}, {-p0 * p1, p1 * (1 - p1), -p1 * p2}, {-p0 * p2, -p1 * p2, p2 * (1 - p2)}};
  for (Index i = 0; i < 3; ++i) {
    Matrix<T> unit(1, 3);
    unit(0, i) = 1;
    const Var<T> v = tape.constant(unit);
    const Var<T> pulled = grad(g, x, {.seed = v}), pushed = jvp(g, x, v);
    const Var<T> product = hvp(loss, std::vector{x}, {v}).at(0);
    for (Index j = 0; j < 3; ++j) {
      CAPTURE(i, j);
      close(static_cast<double>(pulled.value()(0, j)), hessian[i][j]);
      close(static_cast<double>(pushed.value()(0, j)), hessian[i][j]);
      close(static_cast<double>(product.value()(0, j)), hessian[i][j]);
    }
    close(static_cast<double>(jvp(loss, x, v).item()), i == 0 ? -q0 : i == 1 ? p1 : p2);
  }
}

TEST_CASE("the accurate gradient of cross entropy keeps the label's logit at every gap, at second order too") {
  for (double gap : {0.0, 1.0, 8.0, 16.0, 17.0, 20.0, 30.0, 35.0}) {
    check_large_gap<double>(gap);
    check_large_gap<float>(gap);
  }
  for (double gap : {37.0, 40.0, 100.0, 300.0}) check_large_gap<double>(gap);
}

TEST_CASE("the gradient of cross entropy is PyTorch's unless said, which vanishes at the label") {
  Tape<float> tape;
  const Var<float> x = tape.variable(Matrix<float>{{20, 0}});
  const std::int32_t label = 0;
  const Var<float> loss = sum(cross_entropy_rows(x, tape.labels({&label, 1})));
  CHECK_THAT(static_cast<double>(loss.item()), WithinRel(std::exp(-20), 1e-6));
  CHECK(grad(loss, x).value()(0, 0) == 0);
  CHECK_THAT(static_cast<double>(grad(loss, x).value()(0, 1)), WithinRel(std::exp(-20), 1e-6));
}

TEST_CASE("both gradients of cross entropy agree where neither is lost") {
  const Matrix<double> logits = random_matrix({5, 4}, 1, -5, 5), v = random_matrix({5, 4}, 2);
  const std::int32_t classes[] = {0, 1, 2, 3, 1};
  Tape<double> tape;
  const Var<double> x = tape.variable(logits);
  const auto losses = [&](CrossEntropyGradient gradient) {
    return cross_entropy_rows(x, tape.labels(classes), gradient);
  };
  const Var<double> plain = losses(CrossEntropyGradient::subtracted), accurate = losses(CrossEntropyGradient::accurate);
  CHECK(same_bits(plain.value(), accurate.value()));
  CHECK(relative_error(grad(sum(accurate), x).value(), grad(sum(plain), x).value()) <= tolerance<double>());
  const auto product = [&](const Var<double>& loss) {
    return hvp(sum(loss), std::vector{x}, {tape.constant(v)}).at(0);
  };
  CHECK(relative_error(product(accurate).value(), product(plain).value()) <= tolerance<double>(1));
}

TEST_CASE("a NaN beside an infinity is not lost in the softmax family") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tape<double> tape;
  for (const Matrix<double>& row : {Matrix<double>{{infinity, nan, 1}}, Matrix<double>{{nan, infinity, 1}},
                                    Matrix<double>{{1, infinity, nan}}, Matrix<double>{{-infinity, nan, -infinity}}}) {
    const Var<double> x = tape.constant(row);
    CHECK(std::isnan(logsumexp(x).item()));
    for (std::int32_t label : {0, 1, 2}) {
      CAPTURE(label);
      CHECK(std::isnan(cross_entropy_rows(x, tape.labels({&label, 1})).item()));
    }
    for (Index j = 0; j < 3; ++j) {
      CHECK(std::isnan(softmax(x).value()(0, j)));
      CHECK(std::isnan(log_softmax(x).value()(0, j)));
    }
  }
}

TEST_CASE("a mean is divided by the number, not multiplied by its rounded inverse") {
  for (Index count = 1; count <= 200; ++count) {
    CAPTURE(count);
    Tape<double> tape;
    const Var<double> x = tape.variable(Matrix<double>(1, count));
    CHECK(mean(x + 1).item() == 1);
    CHECK(grad(mean(x), x).value()(0, 0) == 1 / static_cast<double>(count));
  }
}

TEST_CASE("cross entropy refuses what is not a label") {
  Tape<double> tape;
  const Var<double> logits = tape.variable(Matrix<double>(2, 3));
  const auto message = [&](double label) {
    return message_of([&] { cross_entropy_rows(logits, tape.constant(Matrix<double>{{0}, {label}})); });
  };
  for (double label : {3.0, -1.0, 1.5}) {
    CAPTURE(label);
    CHECK(message(label) ==
          text("cross_entropy_rows: label ", label, " in row 1; it must be a whole number from 0 to 2"));
  }
  for (double label : {std::numeric_limits<double>::quiet_NaN(), infinity})
    CHECK(contains(message(label), "in row 1; it must be a whole number from 0 to 2"));
  CHECK(message_of([&] { cross_entropy_rows(logits, tape.constant(Matrix<double>(3, 1))); }) ==
        "cross_entropy_rows: logits are 2x3 but labels are 3x1; labels must be 2x1");
  CHECK(contains(message_of([&] { cross_entropy_rows(logits, tape.constant(Matrix<double>(2, 3))); }),
                 "labels must be 2x1"));
}

TEST_CASE("broadcast_to and sum_to are each other's adjoint") {
  const Shape large{3, 4};
  for (const Shape& small : {Shape{1, 1}, Shape{1, 4}, Shape{3, 1}, Shape{3, 4}}) {
    CAPTURE(text(small));
    Tape<double> tape;
    const Var<double> x = tape.variable(random_matrix(small, 1)), y = tape.variable(random_matrix(large, 2));
    CHECK_THAT(inner_product(broadcast_to(x, large).value(), y.value()),
               WithinAbs(inner_product(x.value(), sum_to(y, small).value()), tolerance<double>()));
    CHECK(same_bits(grad(broadcast_to(x, large), x, {.seed = y}).value(), sum_to(y, small).value()));
    CHECK(same_bits(grad(sum_to(y, small), y, {.seed = x}).value(), broadcast_to(x, large).value()));
  }
}

TEST_CASE("sum_to and broadcast_to refuse shapes that do not broadcast") {
  Tape<double> tape;
  const Var<double> x = tape.variable(Matrix<double>(3, 4));
  CHECK(message_of([&] {
          sum_to(x, {2, 4});
        }) == "sum_to: x is 3x4 but the shape asked for is 2x4; each extent asked for must be equal or 1");
  CHECK(message_of([&] {
          broadcast_to(x, {3, 8});
        }) == "broadcast_to: x is 3x4 but the shape asked for is 3x8; each extent of x must be equal or 1");
  const Index beyond_32_bits = (Index{1} << 32) + 4;
  CHECK_THROWS_AS(broadcast_to(x, {3, beyond_32_bits}), InputError);
  CHECK_THROWS_AS(broadcast_to(tape.variable(Matrix<double>(1, 1)), {beyond_32_bits, 1}), InputError);
}

TEST_CASE("sums of nothing are zero, a mean of nothing is refused") {
  Tape<double> tape;
  const Var<double> none = tape.variable(Matrix<double>(0, 3)), thin = tape.variable(Matrix<double>(2, 0));
  CHECK(sum(none).item() == 0);
  CHECK(same_bits(col_sum(none).value(), Matrix<double>(1, 3)));
  CHECK(same_bits(row_sum(thin).value(), Matrix<double>(2, 1)));
  CHECK(row_sum(none).shape() == Shape{0, 1});
  CHECK(logsumexp(thin).value()(0, 0) == -infinity);
  CHECK(message_of([&] { mean(none); }) == "mean: x is 0x3; it must hold a value");
}

TEST_CASE("sums of floats are taken in double") {
  const Index count = 1 << 20;
  Matrix<float> values(count, 1);
  for (Index i = 0; i < count; ++i) values(i, 0) = i % 2 ? 0.1f : 1024.0f;
  const double expected = static_cast<double>(count / 2) * (static_cast<double>(0.1f) + 1024);
  Tape<float> tape;
  const Var<float> x = tape.borrowed_constant(values);
  for (const Var<float>& total : {sum(x), col_sum(x), sum_to(x, {1, 1})})
    CHECK(total.item() == static_cast<float>(expected));
}

}  // namespace
}  // namespace normalign::tests
