#include "robustness/pgd.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "linalg/random.hpp"

namespace normalign {
namespace {

// |values|, safe from overflow and underflow of the squares.
template <class T>
double length(std::span<const T> values) {
  double largest = 0, squares = 0;
  for (T value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  if (largest == 0) return 0;
  for (T value : values) {
    const double part = static_cast<double>(value) / largest;
    squares += part * part;
  }
  return largest * std::sqrt(squares);
}

// One row under attack: its perturbation of the input is worked out in double and rounded once, in the point.
template <class T>
class Row {
 public:
  Row(const PgdOptions& options, std::span<const T> input, std::span<T> point, std::span<double> perturbation)
      : options_(options), input_(input), point_(point), perturbation_(perturbation) {}

  void start(const RandomRows& random, std::uint32_t sample) {
    const std::size_t d = input_.size();
    if (options_.norm == Norm::linf) {
      random.uniform(sample, perturbation_.first(d), -options_.radius, options_.radius);
    } else {
      // The first d coordinates of a point uniform on the unit sphere of d + 2 dimensions are uniform in the ball.
      random.normal(sample, perturbation_);
      const double scale = options_.radius / length<double>(perturbation_);
      for (double& value : perturbation_) value *= scale;
    }
    place();
  }

  void ascend(std::span<const T> gradient) {
    const bool l2 = options_.norm == Norm::l2;
    const double norm = l2 ? length(gradient) : 0;
    if (l2 && norm == 0) return;
    for (std::size_t j = 0; j < input_.size(); ++j) {
      const double g = static_cast<double>(gradient[j]);
      const double direction = l2 ? g / norm : static_cast<double>((g > 0) - (g < 0));
      perturbation_[j] = static_cast<double>(point_[j]) - static_cast<double>(input_[j]) + options_.step * direction;
    }
    place();
  }

 private:
  // The perturbed input, projected.
  void place() {
    const std::size_t d = input_.size();
    const std::span<double> perturbation = perturbation_.first(d);
    if (options_.norm == Norm::linf) {
      for (double& value : perturbation) value = std::clamp(value, -options_.radius, options_.radius);
    } else if (const double norm = length<double>(perturbation); norm > options_.radius) {
      for (double& value : perturbation) value *= options_.radius / norm;
    }
    for (std::size_t j = 0; j < d; ++j) {
      point_[j] = static_cast<T>(static_cast<double>(input_[j]) + perturbation[j]);
      // After the ball: a clamp brings a point nearer to an input that is in the range itself.
      if (options_.clamp)
        point_[j] = std::clamp(point_[j], static_cast<T>(options_.clamp->low), static_cast<T>(options_.clamp->high));
    }
  }

  const PgdOptions& options_;
  std::span<const T> input_;
  std::span<T> point_;
  std::span<double> perturbation_;  // d + 2 values
};

template <class T>
void check_range(ConstView<T> inputs, const InputRange& range) {
  const T low = static_cast<T>(range.low), high = static_cast<T>(range.high);
  for (Index i = 0; i < inputs.rows(); ++i)
    for (T value : inputs.row(i))
      if (!(low <= value && value <= high))
        throw InputError(text("pgd: row ", i, " of the inputs holds ", value, "; clamp is ", low, " to ", high,
                              " and the inputs must lie in it"));
}

}  // namespace

void check(const PgdOptions& options) {
  if (!(std::isfinite(options.radius) && options.radius >= 0))
    throw InputError(text("pgd: radius is ", options.radius, "; it must be finite and not negative"));
  if (!(std::isfinite(options.step) && options.step >= 0))
    throw InputError(text("pgd: step is ", options.step, "; it must be finite and not negative"));
  if (options.steps < 0) throw InputError(text("pgd: steps is ", options.steps, "; it must not be negative"));
  if (options.clamp && !(options.clamp->low <= options.clamp->high))
    throw InputError(text("pgd: clamp is ", options.clamp->low, " to ", options.clamp->high,
                          "; its low end must not be above its high end"));
}

template <class T>
Matrix<T> pgd(ConstView<T> inputs, const PgdOptions& options, const std::type_identity_t<LossGradient<T>>& gradient,
              std::span<const Index> samples) {
  check(options);
  const Index n = inputs.rows(), d = inputs.cols();
  if (!samples.empty() && static_cast<Index>(samples.size()) != n)
    throw InputError(text("pgd: inputs are ", inputs.shape(), " but there are ", samples.size(),
                          " sample numbers; there must be one per row"));
  if (options.clamp) check_range(inputs, *options.clamp);
  Matrix<T> points(inputs);
  if (options.radius == 0) return points;

  Matrix<T> gradients(n, d);
  std::vector<double> perturbation(static_cast<std::size_t>(d + 2));
  const auto sample = [&](Index i) { return samples.empty() ? i : samples[static_cast<std::size_t>(i)]; };
  const auto row = [&](Index i) { return Row<T>(options, inputs.row(i), points.row(i), perturbation); };
  if (options.random_start) {
    const RandomRows random(options.seed, Stream::attack, options.draw);
    for (Index i = 0; i < n; ++i) row(i).start(random, static_cast<std::uint32_t>(sample(i)));
  }
  for (int step = 0; step < options.steps; ++step) {
    gradient(points, gradients);
    for (Index i = 0; i < n; ++i) {
      const std::span<const T> found = gradients.row(i);
      for (T value : found)
        if (!std::isfinite(value))
          throw RunError(text("pgd: the gradient at sample ", sample(i), " holds ", value, " in step ", step));
      row(i).ascend(found);
    }
  }
  return points;
}

template Matrix<float> pgd(ConstView<float>, const PgdOptions&, const LossGradient<float>&, std::span<const Index>);
template Matrix<double> pgd(ConstView<double>, const PgdOptions&, const LossGradient<double>&, std::span<const Index>);

}  // namespace normalign
