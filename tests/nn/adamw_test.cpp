#include "nn/adamw.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// Steps on one parameter; gradient(t) is the gradient of step t.
template <class T, class Gradient>
Matrix<T> trained(const AdamWOptions& options, Matrix<T> w, int steps, const Gradient& gradient) {
  AdamW<T> adamw(options);
  const MatrixView<T> views[] = {w};
  adamw.start(views);
  for (int t = 0; t < steps; ++t) {
    const Matrix<T> g = gradient(t);
    adamw.begin_step();
    adamw.update(0, 0, w.span(), g.span());
  }
  return w;
}

// As in Loshchilov and Hutter's algorithm 2, with bias-corrected moments.
template <class Real = double, class T, class Gradient>
std::vector<Real> by_definition(const AdamWOptions& o, const Matrix<T>& start, int steps, const Gradient& gradient) {
  std::vector<Matrix<T>> gradients;
  for (int t = 0; t < steps; ++t) gradients.push_back(gradient(t));
  std::vector<Real> w;
  for (std::size_t i = 0; i < start.span().size(); ++i) {
    Real x = start.span()[i], m = 0, v = 0;
    for (int t = 1; t <= steps; ++t) {
      const Real g = gradients[static_cast<std::size_t>(t - 1)].span()[i];
      x -= o.learning_rate * o.weight_decay * x;
      m = o.beta1 * m + (1 - o.beta1) * g;
      v = o.beta2 * v + (1 - o.beta2) * g * g;
      const Real corrected_m = m / (1 - std::pow(Real{o.beta1}, t)), corrected_v = v / (1 - std::pow(Real{o.beta2}, t));
      x -= o.learning_rate * corrected_m / (std::sqrt(corrected_v) + o.epsilon);
    }
    w.push_back(x);
  }
  return w;
}

template <class T>
void check_definition(const AdamWOptions& options) {
  const Matrix<T> start = random_matrix<T>({3, 40}, 1);
  // Gradients of many sizes.
  const auto gradient = [](int t) {
    Matrix<T> g = random_matrix<T>({3, 40}, static_cast<std::uint64_t>(100 + t), -3, 3);
    for (std::size_t i = 0; i < g.span().size(); ++i)
      g.span()[i] *= static_cast<T>(std::pow(10, -static_cast<double>(i % 8)));
    return g;
  };
  const std::vector<double> expected = by_definition(options, start, 20, gradient);
  CHECK(relative_error(trained(options, start, 20, gradient), ConstView<double>(expected.data(), 3, 40)) <=
        20 * tolerance<T>());  // twenty steps, each rounded
}

TEST_CASE("AdamW equals its definition") {
  for (const AdamWOptions& options :
       {AdamWOptions{}, AdamWOptions{.learning_rate = 1e-2, .beta2 = 0.99, .epsilon = 1e-25, .weight_decay = 0.1},
        AdamWOptions{.learning_rate = 0.1, .beta1 = 0, .beta2 = 0.5, .epsilon = 1e-3, .weight_decay = 1}}) {
    check_definition<double>(options);
    check_definition<float>(options);
  }
}

TEST_CASE("under a constant gradient Adam steps by the learning rate, whatever the gradient's size") {
  const M start = random_matrix({2, 5}, 1);
  M g = random_matrix({2, 5}, 2);
  for (std::size_t i = 0; i < 10; ++i) g.span()[i] *= std::pow(10, 3 - static_cast<double>(i));
  const M found = trained({.learning_rate = 0.01, .epsilon = 1e-25}, start, 30, [&](int) { return g; });
  for (std::size_t i = 0; i < 10; ++i)
    CHECK_THAT(found.span()[i], WithinAbs(start.span()[i] - 0.3 * (g.span()[i] > 0 ? 1 : -1), tolerance<double>(1)));
}

TEST_CASE("without a gradient AdamW only decays, and epsilon keeps 0 / 0 away") {
  const M start = random_matrix({2, 5}, 1);
  const auto none = [](int) { return M(2, 5); };
  const M found = trained({.learning_rate = 0.1, .epsilon = 1e-25, .weight_decay = 0.5}, start, 10, none);
  for (std::size_t i = 0; i < 10; ++i)
    CHECK_THAT(found.span()[i], WithinRel(start.span()[i] * std::pow(0.95, 10), tolerance<double>()));
  const auto no_float = [](int) { return Matrix<float>(2, 5); };
  const Matrix<float> single = random_matrix<float>({2, 5}, 1);
  CHECK(same_bits(trained({.epsilon = 1e-25}, single, 3, no_float), single));
}

TEST_CASE("tiny moments are neither floored nor flushed to zero") {
  // In float, g = 1e-18 has g^2 = 1e-36 and 0.01 g^2 = 1e-38, which is subnormal; the step is the learning
  // rate's all the same.
  Matrix<float> g(1, 4);
  for (float& value : g.span()) value = 1e-18f;
  const Matrix<float> found =
      trained({.learning_rate = 0.5, .beta2 = 0.99, .epsilon = 1e-25}, Matrix<float>(1, 4), 1, [&](int) { return g; });
  for (float value : found.span()) CHECK_THAT(static_cast<double>(value), WithinRel(-0.5, 1e-5));
}

// Gradients of every size that T has, each as large as the one before or much smaller or larger.
template <class T>
void check_all_sizes(double epsilon, double bound) {
  const int exponents = std::numeric_limits<T>::min_exponent10;
  const AdamWOptions options{.learning_rate = 1e-3, .beta2 = 0.99, .epsilon = epsilon};
  Matrix<T> start(1, 64);
  for (T& value : start.span()) value = 1;
  const auto gradient = [&](int t) {
    Matrix<T> g = random_matrix<T>(start.shape(), static_cast<std::uint64_t>(t), 0.5, 1);
    for (std::size_t i = 0; i < 64; ++i) {
      double power = exponents * static_cast<double>(i) / 64;  // constant in t
      if (i % 3 == 1 && t >= 20) power /= 2;                   // grows
      if (i % 3 == 2 && t < 20) power /= 2;                    // falls
      g.span()[i] *= static_cast<T>(std::pow(10, power));
    }
    return g;
  };
  for (int steps : {1, 20, 21, 40, 400}) {
    CAPTURE(steps, epsilon);
    const Matrix<T> found = trained(options, start, steps, gradient);
    const std::vector<long double> expected = by_definition<long double>(options, start, steps, gradient);
    for (std::size_t i = 0; i < 64; ++i) {
      CAPTURE(i, gradient(steps - 1).span()[i]);
      CHECK_THAT(static_cast<double>(found.span()[i]),
                 WithinAbs(static_cast<double>(expected[i]), bound * std::sqrt(steps)));
    }
  }
}

TEST_CASE("the second moment does not underflow, however small the gradient") {
  // A gradient whose square is no float: a step is the learning rate's, not 2600 times as long.
  const auto tiny = [](int) { return Matrix<float>{{2.6e-22f}}; };
  const Matrix<float> found =
      trained({.learning_rate = 1e-3, .beta2 = 0.99, .epsilon = 1e-25}, Matrix<float>{{1}}, 1, tiny);
  CHECK_THAT(static_cast<double>(found(0, 0)), WithinRel(0.9990004, 1e-6));
  check_all_sizes<float>(1e-25, 1e-6);
  check_all_sizes<float>(1e-37, 1e-6);
  check_all_sizes<double>(1e-25, 1e-14);
  check_all_sizes<double>(1e-300, 1e-14);
}

TEST_CASE("an epsilon that the precision rounds to zero keeps 0 / 0 away all the same") {
  for (double epsilon : {1e-46, 0.0}) {
    CAPTURE(epsilon);
    Matrix<float> single{{1, 1}};
    const auto none = [](int t) { return t < 3 ? Matrix<float>{{0, 1e-30f}} : Matrix<float>(1, 2); };
    const Matrix<float> found = trained({.learning_rate = 0.5, .epsilon = epsilon}, single, 3, none);
    CHECK(found(0, 0) == 1);
    CHECK_THAT(static_cast<double>(found(0, 1)), WithinAbs(-0.5, 1e-5));
    CHECK(all_finite(trained({.learning_rate = 0.5, .epsilon = epsilon}, single, 2000, none)));
  }
  const auto zero = [](int) { return M(1, 1); };
  CHECK(trained({.epsilon = 1e-320}, M{{1}}, 3, zero)(0, 0) == 1);
}

TEST_CASE("AdamW goes on from its state with the same bits, tiny moments included") {
  const auto gradient = [](std::uint64_t t) {
    Matrix<float> g = random_matrix<float>({1, 40}, t);
    for (std::size_t i = 0; i < 40; ++i) g.span()[i] *= static_cast<float>(std::pow(10, -static_cast<double>(i)));
    return g;
  };
  const AdamWOptions options{.learning_rate = 1e-3, .beta2 = 0.99, .epsilon = 1e-25};
  Matrix<float> whole = random_matrix<float>({1, 40}, 100), first = whole;
  const auto step = [](AdamW<float>& adamw, Matrix<float>& w, const Matrix<float>& g) {
    adamw.begin_step();
    adamw.update(0, 0, w.span(), g.span());
  };
  AdamW<float> a(options), b(options), c(options);
  const MatrixView<float> whole_views[] = {whole}, first_views[] = {first};
  a.start(whole_views);
  b.start(first_views);
  for (std::uint64_t t = 0; t < 8; ++t) step(a, whole, gradient(t));
  for (std::uint64_t t = 0; t < 5; ++t) step(b, first, gradient(t));
  c.start(first_views);
  const auto from = b.state(), to = c.state();
  for (std::size_t i = 0; i < to.size(); ++i) std::ranges::copy(from[i].span(), to[i].span().begin());
  c.resume(5);
  for (std::uint64_t t = 5; t < 8; ++t) step(c, first, gradient(t));
  CHECK(same_bits(whole, first));
}

TEST_CASE("stretches of a parameter may be updated in any order, on several parameters") {
  M whole = random_matrix({4, 10}, 1), split = whole, other_a = random_matrix({1, 3}, 5), other_b = other_a;
  const AdamWOptions options{.learning_rate = 0.1, .weight_decay = 0.1};
  AdamW<double> a(options), b(options);
  const MatrixView<double> whole_views[] = {whole, other_a}, split_views[] = {split, other_b};
  a.start(whole_views);
  b.start(split_views);
  for (std::uint64_t t = 0; t < 4; ++t) {
    const M g = random_matrix({4, 10}, 10 + t), h = random_matrix({1, 3}, 20 + t);
    a.begin_step();
    a.update(0, 0, whole.span(), g.span());
    a.update(1, 0, other_a.span(), h.span());
    b.begin_step();
    b.update(0, 27, split.span().subspan(27), g.span().subspan(27));
    b.update(1, 0, other_b.span(), h.span());
    b.update(0, 0, split.span().first(27), g.span().first(27));
  }
  CHECK(relative_error(whole, split) <= tolerance<double>());
  CHECK(same_bits(whole, split));
  CHECK(same_bits(other_a, other_b));
}

TEST_CASE("settings of AdamW that mean nothing are refused") {
  const auto refusal = [](const AdamWOptions& options) { return message_of([&] { AdamW<float>{options}; }); };
  CHECK(refusal({.learning_rate = -1}) == "AdamW: a setting is -1; it must be finite and not negative");
  CHECK(contains(refusal({.epsilon = INFINITY}), "inf"));
  CHECK(contains(refusal({.weight_decay = NAN}), "nan"));
  CHECK(refusal({.beta1 = 1}) == "AdamW: a beta is 1; it must be at least 0 and below 1");
  CHECK(contains(refusal({.beta2 = -0.1}), "-0.1"));
  CHECK(contains(refusal({.beta2 = NAN}), "nan"));
}

TEST_CASE("starting again forgets moments and the number of steps") {
  M w = random_matrix({2, 3}, 1);
  const M start = w, g = random_matrix({2, 3}, 2), h = random_matrix({2, 3}, 3);
  AdamW<double> adamw({.learning_rate = 0.1});
  const MatrixView<double> views[] = {w};
  M first;
  for (int round = 0; round < 2; ++round) {
    w = start;
    adamw.start(views);
    for (const M* gradient : {&g, &h}) {
      adamw.begin_step();
      adamw.update(0, 0, w.span(), gradient->span());
    }
    if (round == 0) first = w;
  }
  CHECK(same_bits(w, first));
}

}  // namespace
}  // namespace normalign::tests
