#include "robustness/pgd.hpp"

#include <cmath>
#include <vector>

namespace normalign {
namespace {

AttackBall ball_of(const PgdOptions& options) {
  return {.norm = options.norm, .radius = options.radius, .clamp = options.clamp};
}

}  // namespace

void check(const PgdOptions& options) {
  check("pgd", ball_of(options));
  if (!(std::isfinite(options.step) && options.step >= 0))
    throw InputError(text("pgd: step is ", options.step, "; it must be finite and not negative"));
  if (options.steps < 0) throw InputError(text("pgd: steps is ", options.steps, "; it must not be negative"));
}

template <class T>
Matrix<T> pgd(ConstView<T> inputs, const PgdOptions& options, const std::type_identity_t<LossGradient<T>>& gradient,
              std::span<const Index> samples) {
  check(options);
  const AttackBall ball = ball_of(options);
  check_inputs("pgd", inputs, samples, ball);
  const Index n = inputs.rows(), d = inputs.cols();
  Matrix<T> points(inputs);
  if (options.radius == 0) return points;

  Matrix<T> gradients(n, d);
  std::vector<double> perturbation(static_cast<std::size_t>(d + 2));
  const auto row = [&](Index i) { return MovingPoint<T>(ball, inputs.row(i), points.row(i), perturbation); };
  if (options.random_start) {
    const RandomRows random(options.seed, Stream::attack, options.draw);
    for (Index i = 0; i < n; ++i) row(i).start(random, static_cast<std::uint32_t>(sample_number(samples, i)));
  }
  const StopPoll stop("pgd", options.stop);
  for (int step = 0; step < options.steps; ++step) {
    stop.check();
    gradient(points, gradients);
    for (Index i = 0; i < n; ++i) {
      const std::span<const T> found = gradients.row(i);
      for (T value : found)
        if (!std::isfinite(value))
          throw RunError(
              text("pgd: the gradient at sample ", sample_number(samples, i), " holds ", value, " in step ", step));
      row(i).step(found, options.step);
    }
  }
  return points;
}

template Matrix<float> pgd(ConstView<float>, const PgdOptions&, const LossGradient<float>&, std::span<const Index>);
template Matrix<double> pgd(ConstView<double>, const PgdOptions&, const LossGradient<double>&, std::span<const Index>);

}  // namespace normalign
