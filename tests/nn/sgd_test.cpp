#include "nn/sgd.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// Steps on one parameter; gradient(t) is the gradient of step t.
template <class Gradient>
M trained(const SgdOptions& options, M w, int steps, const Gradient& gradient) {
  Sgd<double> sgd(options);
  const MatrixView<double> views[] = {w};
  sgd.start(views);
  for (int t = 0; t < steps; ++t) {
    const M g = gradient(t);
    sgd.begin_step();
    sgd.update(0, 0, w.span(), g.span());
  }
  return w;
}

TEST_CASE("SGD without momentum walks along the gradient, decay included") {
  const M start = random_matrix({3, 4}, 1), g = random_matrix({3, 4}, 2);
  const M plain = trained({.learning_rate = 0.25}, start, 7, [&](int) { return g; });
  const M decayed = trained({.learning_rate = 0.25, .weight_decay = 0.5}, start, 7, [](int) { return M(3, 4); });
  for (std::size_t i = 0; i < 12; ++i) {
    CHECK_THAT(plain.span()[i], WithinAbs(start.span()[i] - 7 * 0.25 * g.span()[i], tolerance<double>()));
    CHECK_THAT(decayed.span()[i], WithinAbs(start.span()[i] * std::pow(1 - 0.25 * 0.5, 7), tolerance<double>()));
  }
}

TEST_CASE("the velocity under a constant gradient is the geometric series") {
  const M start = random_matrix({3, 4}, 1), g = random_matrix({3, 4}, 2);
  const double m = 0.8, rate = 0.1;
  const M found = trained({.learning_rate = rate, .momentum = m}, start, 9, [&](int) { return g; });
  double way = 0;
  for (int t = 1; t <= 9; ++t) way += rate * (1 - std::pow(m, t)) / (1 - m);
  for (std::size_t i = 0; i < 12; ++i)
    CHECK_THAT(found.span()[i], WithinAbs(start.span()[i] - way * g.span()[i], tolerance<double>(1)));
}

TEST_CASE("SGD with momentum and coupled decay equals its definition") {
  const M start = random_matrix({1, 50}, 1);
  const auto gradient = [](int t) { return random_matrix({1, 50}, static_cast<std::uint64_t>(100 + t), -3, 3); };
  const SgdOptions o{.learning_rate = 0.1, .momentum = 0.7, .weight_decay = 0.3};
  M w = start, v(1, 50);
  for (int t = 0; t < 12; ++t)
    for (std::size_t i = 0; i < 50; ++i) {
      const double g = gradient(t).span()[i] + o.weight_decay * w.span()[i];
      v.span()[i] = t == 0 ? g : o.momentum * v.span()[i] + g;
      w.span()[i] -= o.learning_rate * v.span()[i];
    }
  CHECK(relative_error(trained(o, start, 12, gradient), w) <= tolerance<double>());
}

TEST_CASE("stretches of a parameter may be updated in any order") {
  M whole = random_matrix({4, 10}, 1), split = whole;
  Sgd<double> a({.momentum = 0.5, .weight_decay = 0.1}), b({.momentum = 0.5, .weight_decay = 0.1});
  const MatrixView<double> whole_views[] = {whole}, split_views[] = {split};
  a.start(whole_views);
  b.start(split_views);
  for (std::uint64_t t = 0; t < 4; ++t) {
    const M g = random_matrix({4, 10}, 10 + t);
    a.begin_step();
    a.update(0, 0, whole.span(), g.span());
    b.begin_step();
    b.update(0, 27, split.span().subspan(27), g.span().subspan(27));
    b.update(0, 0, split.span().first(5), g.span().first(5));
    b.update(0, 5, split.span().subspan(5, 22), g.span().subspan(5, 22));
  }
  CHECK(same_bits(whole, split));
}

TEST_CASE("starting again forgets the velocity") {
  M w = random_matrix({2, 3}, 1);
  const M start = w, g = random_matrix({2, 3}, 2);
  Sgd<double> sgd({.momentum = 0.9});
  const MatrixView<double> views[] = {w};
  M first;
  for (int round = 0; round < 2; ++round) {
    w = start;
    sgd.start(views);
    sgd.begin_step();
    sgd.update(0, 0, w.span(), g.span());
    if (round == 0) first = w;
  }
  CHECK(same_bits(w, first));
}

TEST_CASE("settings of SGD that mean nothing are refused") {
  const auto refusal = [](const SgdOptions& options) { return message_of([&] { Sgd<float>{options}; }); };
  CHECK(refusal({.learning_rate = -1}) == "Sgd: a setting is -1; it must be finite and not negative");
  CHECK(contains(refusal({.momentum = -0.5}), "-0.5"));
  CHECK(contains(refusal({.weight_decay = NAN}), "nan"));
  CHECK(contains(refusal({.learning_rate = INFINITY}), "inf"));
}

}  // namespace
}  // namespace normalign::tests
