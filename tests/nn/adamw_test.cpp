#include "nn/adamw.hpp"

#include <cmath>

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
template <class T, class Gradient>
M by_definition(const AdamWOptions& o, const Matrix<T>& start, int steps, const Gradient& gradient) {
  M w(start.rows(), start.cols());
  for (std::size_t i = 0; i < w.span().size(); ++i) {
    double x = static_cast<double>(start.span()[i]), m = 0, v = 0;
    for (int t = 1; t <= steps; ++t) {
      const double g = static_cast<double>(gradient(t - 1).span()[i]);
      x -= o.learning_rate * o.weight_decay * x;
      m = o.beta1 * m + (1 - o.beta1) * g;
      v = o.beta2 * v + (1 - o.beta2) * g * g;
      const double corrected_m = m / (1 - std::pow(o.beta1, t)), corrected_v = v / (1 - std::pow(o.beta2, t));
      x -= o.learning_rate * corrected_m / (std::sqrt(corrected_v) + o.epsilon);
    }
    w.span()[i] = x;
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
  CHECK(relative_error(trained(options, start, 20, gradient), by_definition(options, start, 20, gradient)) <=
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
