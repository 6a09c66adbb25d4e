#include "robustness/apgd.hpp"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/infinity.hpp"
#include "robustness/pgd.hpp"
#include "support/catch.hpp"
#include "support/distances.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr Norm all_norms[] = {Norm::linf, Norm::l2};

// The loss w_i x of row i, which never fools.
template <class T>
LossAndGradient<T> straight_loss(const Matrix<T>& slopes) {
  return [&slopes](std::span<const Index> rows, ConstView<T> points, const PointLosses<T>& out) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const std::span<const T> w = slopes.row(rows[j]), x = points.row(static_cast<Index>(j));
      std::ranges::copy(w, out.gradients.row(static_cast<Index>(j)).begin());
      out.losses[j] = inner_product(ConstView<T>(w.data(), 1, points.cols()), ConstView<T>(x.data(), 1, points.cols()));
    }
  };
}

// A loss with many local maxima, the sum of sin(3 x_j + c_j) + x_j / 2 + x_j x_{j+1} / 2, and its gradient.
double wavy(std::span<const double> x, std::span<const double> c, std::span<double> gradient) {
  double loss = 0;
  const std::size_t d = x.size();
  std::ranges::fill(gradient, 0.0);
  for (std::size_t j = 0; j < d; ++j) {
    loss += std::sin(3 * x[j] + c[j]) + x[j] / 2 + x[j] * x[(j + 1) % d] / 2;
    gradient[j] += 3 * std::cos(3 * x[j] + c[j]) + 0.5 + x[(j + 1) % d] / 2;
    gradient[(j + 1) % d] += x[j] / 2;
  }
  return loss;
}

// That of row i has the phases c_i.
LossAndGradient<double> wavy_loss(const M& c) {
  return [&c](std::span<const Index> rows, ConstView<double> points, const PointLosses<double>& out) {
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const auto at = static_cast<Index>(j);
      out.losses[j] = wavy(points.row(at), c.row(rows[j]), out.gradients.row(at));
    }
  };
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// The points of the paper's algorithm 1, in its notation, from x^(0) for one row (1 x d each).
class PublishedAlgorithm {
 public:
  PublishedAlgorithm(M x, const M& c, const ApgdOptions& options) : x_(std::move(x)), c_(c), o_(options) {}

  std::vector<M> operator()(const M& start) {
    std::vector<double> p{0, 0.22};
    while (p.back() <= 1) p.push_back(p.back() + std::max(p.back() - p[p.size() - 2] - 0.03, 0.06));
    std::vector<int> w;
    for (const double share : p) w.push_back(static_cast<int>(std::ceil(share * o_.steps)));

    double eta = 2 * o_.radius, eta_before = eta;
    std::vector<M> asked{start}, x{start};
    x.push_back(projected(moved(start, eta)));
    asked.push_back(x[1]);
    M x_max = f(x[0]) >= f(x[1]) ? x[0] : x[1];
    double f_max_before = f(x[0]);
    std::vector<bool> rose{f(x[1]) > f(x[0])};
    std::size_t j = 1;
    for (int k = 1;; ++k) {
      if (k == w[j]) {
        int count = 0;
        for (int i = w[j - 1]; i < w[j]; ++i) count += rose[static_cast<std::size_t>(i)];
        const bool first = count < 0.75 * (w[j] - w[j - 1]);
        const bool second = eta_before == eta && f_max_before == f(x_max);
        eta_before = eta;
        if (first || second) {
          eta /= 2;
          x.back() = x_max;
        }
        f_max_before = f(x_max);
        ++j;
      }
      if (k == o_.steps) return asked;
      const M z = projected(moved(x.back(), eta));
      M next = x.back();
      for (Index i = 0; i < next.cols(); ++i)
        next(0, i) += 0.75 * (z(0, i) - x.back()(0, i)) + 0.25 * (x.back()(0, i) - x[x.size() - 2](0, i));
      next = projected(next);
      rose.push_back(f(next) > f(x.back()));
      asked.push_back(next);
      x.push_back(next);
      if (f(next) > f(x_max)) x_max = next;
    }
  }

 private:
  double f(const M& x) const {
    M gradient(1, x.cols());
    return wavy(x.row(0), c_.row(0), gradient.span());
  }
  M moved(const M& x, double eta) const {
    M gradient(1, x.cols()), to = x;
    wavy(x.row(0), c_.row(0), gradient.span());
    const double length = std::sqrt(inner_product(gradient, gradient));
    for (Index i = 0; i < x.cols(); ++i)
      to(0, i) += eta * (o_.norm == Norm::l2 ? gradient(0, i) / length : std::copysign(1, gradient(0, i)));
    return to;
  }
  M projected(M to) const {
    const double far = distance(to, x_, o_.norm);
    for (Index i = 0; i < to.cols(); ++i) {
      double offset = to(0, i) - x_(0, i);
      if (o_.norm == Norm::linf) offset = std::clamp(offset, -o_.radius, o_.radius);
      if (o_.norm == Norm::l2 && far > o_.radius) offset *= o_.radius / far;
      to(0, i) = x_(0, i) + offset;
      if (o_.clamp) to(0, i) = std::clamp(to(0, i), o_.clamp->low, o_.clamp->high);
    }
    return to;
  }

  M x_;
  const M& c_;
  ApgdOptions o_;
};

// The largest w x for x in the ball around `input` and in [0, 1]: at clamp(input + mu w), where that is as far as the
// ball reaches or mu is as large as matters.
double largest_in_ball_and_box(std::span<const double> input, std::span<const double> w, double radius) {
  const auto at = [&](double mu) {
    double value = 0, squares = 0;
    for (std::size_t j = 0; j < w.size(); ++j) {
      const double z = std::clamp(input[j] + mu * w[j], 0.0, 1.0);
      value += w[j] * z;
      squares += (z - input[j]) * (z - input[j]);
    }
    return std::pair(value, std::sqrt(squares));
  };
  double low = 0, high = 1e6;
  if (at(high).second <= radius) return at(high).first;
  for (int i = 0; i < 200; ++i) (at((low + high) / 2).second <= radius ? low : high) = (low + high) / 2;
  return at(low).first;
}

}  // namespace

// ---- where it ends

template <class T>
void check_apgd_linear_optimum() {
  const Matrix<T> x = random_matrix<T>({9, 7}, 1, 0, 1), w = random_matrix<T>({9, 7}, 2);
  const double room = 100 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const double radius : {0.05, 0.4, 3.0})
    for (const Norm norm : all_norms) {
      CAPTURE(radius, name_of(norm), sizeof(T));
      const auto free = apgd<T>(x, {.norm = norm, .radius = radius, .seed = 3}, straight_loss(w));
      const auto boxed =
          apgd<T>(x, {.norm = norm, .radius = radius, .seed = 3, .clamp = InputRange{}}, straight_loss(w));
      for (Index i = 0; i < x.rows(); ++i) {
        double at_x = 0, dual = 0, corner = 0;
        for (Index j = 0; j < x.cols(); ++j) {
          const double slope = static_cast<double>(w(i, j)), value = static_cast<double>(x(i, j));
          at_x += slope * value;
          dual += norm == Norm::l2 ? slope * slope : std::abs(slope);
          corner += slope * std::clamp(value + std::copysign(radius, slope), 0.0, 1.0);
        }
        if (norm == Norm::l2) dual = std::sqrt(dual);
        const auto row = static_cast<std::size_t>(i);
        CHECK_THAT(free.losses[row], WithinAbs(at_x + radius * dual, room * (1 + radius)));
        const M own = converted<double>(x.view().row_block(i, 1)), slopes = converted<double>(w.view().row_block(i, 1));
        const double best = norm == Norm::linf ? corner : largest_in_ball_and_box(own.span(), slopes.span(), radius);
        CHECK(boxed.losses[row] <= best + room * (1 + radius));
        // Projecting on the ball and then on the box may end a little short of the best point in both.
        CHECK(boxed.losses[row] - at_x >= (norm == Norm::linf ? 1 : 0.95) * (best - at_x) - room * (1 + radius));
        CHECK_FALSE(free.is_fooled[row]);
      }
    }
}

TEST_CASE("apgd: on a linear loss the optimum in the ball is reached, with a box too") {
  check_apgd_linear_optimum<double>();
  check_apgd_linear_optimum<float>();
}

TEST_CASE("apgd: its points are those of the published algorithm") {
  for (const Norm norm : all_norms)
    for (const bool clamped : {false, true})
      for (const int steps : {1, 2, 7, 30, 100})
        for (std::uint64_t seed = 0; seed < 8; ++seed) {
          CAPTURE(name_of(norm), clamped, steps, seed);
          const M x = random_matrix({1, 3}, seed, 0, 1), c = random_matrix({1, 3}, 100 + seed, -4, 4);
          ApgdOptions options{.norm = norm, .radius = 0.9, .steps = steps, .seed = seed};
          if (clamped) options.clamp = InputRange{.low = -0.2, .high = 1.3};
          std::vector<M> asked;
          apgd<double>(x, options, [&](std::span<const Index> rows, ConstView<double> z, const auto& out) {
            asked.emplace_back(z);
            wavy_loss(c)(rows, z, out);
          });
          const std::vector<M> expected = PublishedAlgorithm(x, c, options)(asked.front());
          REQUIRE(asked.size() == static_cast<std::size_t>(steps) + 1);
          REQUIRE(expected.size() == asked.size());
          for (std::size_t k = 0; k < asked.size(); ++k) {
            CAPTURE(k);
            REQUIRE(relative_error(asked[k], expected[k]) <= 1e-6);  // steps in l2 magnify roundings
          }
        }
}

TEST_CASE("apgd: a row gets the first of the best of all points that were looked at") {
  const M x = random_matrix({12, 3}, 1), c = random_matrix({12, 3}, 2, -4, 4);
  for (const Norm norm : all_norms)
    for (const int restarts : {1, 3}) {
      std::vector<double> best(12, -infinity);
      M points(12, 3);
      const auto found =
          apgd<double>(x, {.norm = norm, .radius = 1, .steps = 25, .restarts = restarts, .seed = 4},
                       [&](std::span<const Index> rows, ConstView<double> z, const PointLosses<double>& out) {
                         wavy_loss(c)(rows, z, out);
                         for (std::size_t j = 0; j < rows.size(); ++j)
                           if (double& own = best[static_cast<std::size_t>(rows[j])]; out.losses[j] > own) {
                             own = out.losses[j];
                             std::ranges::copy(z.row(static_cast<Index>(j)), points.row(rows[j]).begin());
                           }
                       });
      CHECK(found.losses == best);
      CHECK(same_bits(found.points, points));
    }
  // Nothing is better than the start: ties go to the first point.
  std::vector<M> asked;
  const auto flat = apgd<double>(x, {}, [&](std::span<const Index>, ConstView<double> z, const auto& out) {
    asked.emplace_back(z);
    std::ranges::fill(out.losses, 2.0);
    std::ranges::fill(out.gradients.span(), asked.size() % 2 ? 1.0 : 0.0);
  });
  CHECK(same_bits(flat.points, asked.front()));
}

TEST_CASE("apgd: more restarts never end lower, more steps do not on the whole, and it climbs higher than pgd") {
  const M x = random_matrix({200, 4}, 1), c = random_matrix({200, 4}, 2, -4, 4);
  for (const Norm norm : all_norms) {
    CAPTURE(name_of(norm));
    std::vector<double> last(200, -infinity);
    for (const int restarts : {1, 2, 5}) {
      const auto found = apgd<double>(x, {.norm = norm, .radius = 1, .steps = 20, .restarts = restarts}, wavy_loss(c));
      for (std::size_t i = 0; i < 200; ++i) CHECK(found.losses[i] >= last[i]);
      CHECK(mean_of(found.losses) > mean_of(last));
      last = found.losses;
    }
    double before = -infinity;
    for (const int steps : {0, 1, 5, 20, 100}) {
      const double found = mean_of(apgd<double>(x, {.norm = norm, .radius = 1, .steps = steps}, wavy_loss(c)).losses);
      CHECK(found > before);
      before = found;
    }
    const auto gradient = [&](ConstView<double> points, MatrixView<double> out) {
      for (Index i = 0; i < 200; ++i) wavy(points.row(i), c.row(i), out.row(i));
    };
    const M last_iterates = pgd<double>(x, {.norm = norm, .radius = 1, .step = 0.1, .steps = 100}, gradient);
    std::vector<double> by_pgd;
    for (Index i = 0; i < 200; ++i) {
      M ignored(1, 4);
      by_pgd.push_back(wavy(last_iterates.row(i), c.row(i), ignored.span()));
    }
    CHECK(before > mean_of(by_pgd));
  }
}

// ---- the ball and the range

template <class T>
void check_apgd_constraints() {
  const Matrix<T> x = random_matrix<T>({20, 9}, 1, 0, 1);
  for (const Norm norm : all_norms)
    for (const double radius : {1e-3, 0.3, 50.0})
      for (const bool clamped : {false, true}) {
        CAPTURE(name_of(norm), radius, clamped, sizeof(T));
        ApgdOptions options{.norm = norm, .radius = radius, .steps = 30, .restarts = 2, .seed = 8};
        if (clamped) options.clamp = InputRange{};
        const double room = 3 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (1 + radius);
        double farthest = 0;
        bool in_range = true;
        std::uint64_t call = 0;
        apgd<T>(x, options, [&](std::span<const Index> rows, ConstView<T> points, const PointLosses<T>& out) {
          REQUIRE(rows.size() == 20);
          for (Index i = 0; i < points.rows(); ++i)
            farthest = std::max(farthest, distance(converted<double>(points.row_block(i, 1)),
                                                   converted<double>(x.view().row_block(i, 1)), norm));
          for (T value : points.span()) in_range = in_range && value >= 0 && value <= 1;
          const Matrix<T> g = random_matrix<T>(points.shape(), 100 + call++);
          std::ranges::copy(g.span(), out.gradients.span().begin());
          std::ranges::copy(random_matrix({1, 20}, 200 + call).span(), out.losses.begin());
        });
        CHECK(farthest <= radius + room);
        CHECK(farthest >= (clamped ? 0 : 0.9 * radius));
        if (clamped || radius == 50.0) CHECK(in_range == clamped);
      }
}

TEST_CASE("apgd: every point stays in the ball, and in the range where there is one, up to one rounding") {
  check_apgd_constraints<double>();
  check_apgd_constraints<float>();
}

TEST_CASE("apgd: radius 0 asks once, at the inputs, and returns them bit by bit") {
  const M x{{-0.0, 1, 1e308}, {2, 3, 5e-324}};
  for (const Norm norm : all_norms) {
    int asked = 0;
    const auto found = apgd<double>(x, {.norm = norm, .radius = 0, .restarts = 3},
                                    [&](std::span<const Index>, ConstView<double> z, const PointLosses<double>& out) {
                                      ++asked;
                                      CHECK(same_bits(z, x));
                                      std::ranges::fill(out.gradients.span(), 1.0);
                                      out.losses[1] = 7;
                                      out.is_fooled[0] = 1;
                                    });
    CHECK(asked == 1);
    CHECK(same_bits(found.points, x));
    CHECK(found.losses == std::vector<double>{0, 7});
    CHECK(found.is_fooled == std::vector<std::uint8_t>{1, 0});
  }
  const auto nothing = apgd<double>(M(0, 3), {}, straight_loss(M(0, 3)));
  CHECK(nothing.points.shape() == Shape{0, 3});
}

// ---- rows

TEST_CASE("apgd: a row is done with the first point that fools, and the others are not disturbed") {
  const M x = random_matrix({6, 3}, 1), c = random_matrix({6, 3}, 2, -4, 4);
  const ApgdOptions options{.radius = 0.8, .steps = 12, .restarts = 2, .seed = 5};
  const auto undisturbed = apgd<double>(x, options, wavy_loss(c));
  std::vector<int> asked(6);
  M fooled(6, 3);
  // Row i is fooled when it is asked for the (i + 1)-th time, the last two never.
  const auto found =
      apgd<double>(x, options, [&](std::span<const Index> rows, ConstView<double> z, const PointLosses<double>& out) {
        wavy_loss(c)(rows, z, out);
        for (std::size_t j = 0; j < rows.size(); ++j) {
          const Index i = rows[j];
          if (i >= 4 || ++asked[static_cast<std::size_t>(i)] != 4 * i + 1) continue;
          out.is_fooled[j] = 1;
          out.losses[j] = not_a_number;  // which no longer matters
          std::ranges::copy(z.row(static_cast<Index>(j)), fooled.row(i).begin());
        }
      });
  for (Index i = 0; i < 6; ++i) {
    const auto row = static_cast<std::size_t>(i);
    CAPTURE(i);
    CHECK(found.is_fooled[row] == (i < 4));
    if (i < 4) CHECK(asked[row] == 4 * i + 1);
    const M& expected = i < 4 ? fooled : undisturbed.points;
    CHECK(same_bits(found.points.view().row_block(i, 1), expected.view().row_block(i, 1)));
    if (i >= 4) CHECK(found.losses[row] == undisturbed.losses[row]);
  }
}

TEST_CASE("apgd: seed, draw and sample number decide a row's attack, and nothing else does") {
  const M x = random_matrix({6, 3}, 1), c = random_matrix({6, 3}, 2, -4, 4);
  for (const Norm norm : all_norms) {
    const ApgdOptions options{.norm = norm, .radius = 0.6, .steps = 9, .restarts = 2, .seed = 7, .draw = 2};
    const M whole = apgd<double>(x, options, wavy_loss(c)).points;
    CHECK(same_bits(apgd<double>(x, options, wavy_loss(c)).points, whole));
    for (auto change : {+[](ApgdOptions& o) { o.seed = 8; }, +[](ApgdOptions& o) { o.draw = 5; }}) {
      ApgdOptions other = options;
      change(other);
      CHECK(apgd<double>(x, other, wavy_loss(c)).points != whole);
    }
    const std::vector<Index> numbers{0, 1, 2, 3, 4, 5};
    for (const Index first : {0, 2, 4}) {
      const M part(c.view().row_block(first, 2));
      const M found = apgd<double>(x.view().row_block(first, 2), options, wavy_loss(part),
                                   std::span(numbers).subspan(static_cast<std::size_t>(first), 2))
                          .points;
      CHECK(same_bits(found, whole.view().row_block(first, 2)));
    }
  }
}

TEST_CASE("apgd: the starts are those of pgd, or the input first") {
  const M x = random_matrix({5, 3}, 1), c = random_matrix({5, 3}, 2);
  for (const Norm norm : all_norms)
    for (const bool random_start : {true, false}) {
      std::vector<M> asked;
      apgd<double>(x, {.norm = norm, .steps = 0, .restarts = 3, .random_start = random_start, .seed = 6, .draw = 4},
                   [&](std::span<const Index> rows, ConstView<double> z, const PointLosses<double>& out) {
                     asked.emplace_back(z);
                     wavy_loss(c)(rows, z, out);
                   });
      REQUIRE(asked.size() == 3);
      for (std::uint32_t start = 0; start < 3; ++start) {
        const M expected = pgd<double>(
            x, {.norm = norm, .steps = 0, .random_start = random_start || start > 0, .seed = 6, .draw = 4 + start},
            [](ConstView<double>, MatrixView<double>) {});
        CHECK(same_bits(asked[start], expected));
      }
    }
}

// ---- refusals

TEST_CASE("apgd: options and inputs that make no attack are refused") {
  const M x{{0.5, 1.25}};
  const auto refusal = [&](const ApgdOptions& options, std::span<const Index> samples = {}) {
    return message_of<InputError>([&] { apgd<double>(x, options, straight_loss(x), samples); });
  };
  CHECK(refusal({.radius = -0.5}) == "apgd: radius is -0.5; it must be finite and not negative");
  CHECK(refusal({.radius = infinity}) == "apgd: radius is inf; it must be finite and not negative");
  CHECK(contains(refusal({.radius = not_a_number}), "apgd: radius is nan"));
  CHECK(refusal({.steps = -1}) == "apgd: steps is -1; it must not be negative");
  CHECK(refusal({.restarts = 0}) == "apgd: restarts is 0; it must be at least 1");
  CHECK(refusal({.clamp = InputRange{.low = 1, .high = 0}}) ==
        "apgd: clamp is 1 to 0; its low end must not be above its high end");
  CHECK(refusal({.clamp = InputRange{}}) ==
        "apgd: row 0 of the inputs holds 1.25; clamp is 0 to 1 and the inputs must lie in it");
  const std::vector<Index> two{0, 1};
  CHECK(refusal({}, two) == "apgd: inputs are 1x2 but there are 2 sample numbers; there must be one per row");
}

TEST_CASE("apgd: a loss or a gradient that is not finite ends the attack and names the sample and the step") {
  const M x(2, 2);
  const std::vector<Index> numbers{40, 17};
  for (const double bad : {not_a_number, infinity, -infinity})
    for (const bool in_loss : {false, true}) {
      int call = 0;
      const auto model = [&](std::span<const Index>, ConstView<double>, const PointLosses<double>& out) {
        std::ranges::fill(out.gradients.span(), 1.0);
        if (call++ == 2) (in_loss ? out.losses[1] : out.gradients(1, 1)) = bad;
      };
      CHECK(message_of<RunError>([&] { apgd<double>(x, {}, model, numbers); }) ==
            text("apgd: the ", in_loss ? "loss" : "gradient", " at sample 17 is ", bad, " in step 2"));
    }
  const auto failing = [](auto, auto, const auto&) { throw std::domain_error("mine"); };
  CHECK_THROWS_AS(apgd<double>(x, {}, failing), std::domain_error);
}

TEST_CASE("apgd ends when stopped, between two steps") {
  const Matrix<double> inputs(3, 2);
  check_stops("apgd", [&](const std::function<bool()>& stop) {
    apgd<double>(inputs, {.steps = 1'000'000'000, .stop = stop},
                 [](std::span<const Index>, ConstView<double>, const PointLosses<double>& out) {
                   std::ranges::fill(out.losses, 0.0);
                   std::ranges::fill(out.gradients.span(), 1.0);
                 });
  });
}

}  // namespace normalign::tests
