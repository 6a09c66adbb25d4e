#include "robustness/attack_ball.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

// |values|, safe from overflow and underflow of the squares.
template <class T>
double length_of(std::span<const T> values) {
  double largest = 0, squares = 0;
  for (T value : values) largest = std::max(largest, std::abs(static_cast<double>(value)));
  if (largest == 0) return 0;
  for (T value : values) {
    const double part = static_cast<double>(value) / largest;
    squares += part * part;
  }
  return largest * std::sqrt(squares);
}

}  // namespace

void check(const char* caller, const AttackBall& ball) {
  if (!(std::isfinite(ball.radius) && ball.radius >= 0))
    throw InputError(text(caller, ": radius is ", ball.radius, "; it must be finite and not negative"));
  if (ball.clamp && !(ball.clamp->low <= ball.clamp->high))
    throw InputError(text(caller, ": clamp is ", ball.clamp->low, " to ", ball.clamp->high,
                          "; its low end must not be above its high end"));
}

template <class T>
void check_inputs(const char* caller, ConstView<T> inputs, std::span<const Index> samples, const AttackBall& ball) {
  if (!samples.empty() && static_cast<Index>(samples.size()) != inputs.rows())
    throw InputError(text(caller, ": inputs are ", inputs.shape(), " but there are ", samples.size(),
                          " sample numbers; there must be one per row"));
  if (!ball.clamp) return;
  const T low = static_cast<T>(ball.clamp->low), high = static_cast<T>(ball.clamp->high);
  for (Index i = 0; i < inputs.rows(); ++i)
    for (T value : inputs.row(i))
      if (!(low <= value && value <= high))
        throw InputError(text(caller, ": row ", i, " of the inputs holds ", value, "; clamp is ", low, " to ", high,
                              " and the inputs must lie in it"));
}

template <class T>
void MovingPoint<T>::start(const RandomRows& random, std::uint32_t sample) {
  if (ball_.norm == Norm::linf) {
    random.uniform(sample, perturbation_.first(input_.size()), -ball_.radius, ball_.radius);
  } else {
    // The first d coordinates of a point uniform on the unit sphere of d + 2 dimensions are uniform in the ball.
    random.normal(sample, perturbation_);
    const double scale = ball_.radius / length_of<double>(perturbation_);
    for (double& value : perturbation_) value *= scale;
  }
  project();
  place();
}

template <class T>
void MovingPoint<T>::step(std::span<const T> gradient, double length) {
  if (!add_step(gradient, length)) return;
  project();
  place();
}

template <class T>
void MovingPoint<T>::step(std::span<const T> gradient, double length, double share, std::span<T> before) {
  add_step(gradient, length);
  project();
  for (std::size_t j = 0; j < input_.size(); ++j) {
    const double input = static_cast<double>(input_[j]), x = static_cast<double>(point_[j]);
    double z = input + perturbation_[j];
    if (ball_.clamp) z = std::clamp(z, ball_.clamp->low, ball_.clamp->high);
    perturbation_[j] = (x - input) + share * (z - x) + (1 - share) * (x - static_cast<double>(before[j]));
  }
  std::ranges::copy(point_, before.begin());
  project();
  place();
}

// perturbation = point - input + length * direction of the gradient. False where l2 knows no direction.
template <class T>
bool MovingPoint<T>::add_step(std::span<const T> gradient, double length) {
  const bool l2 = ball_.norm == Norm::l2;
  const double norm = l2 ? length_of(gradient) : 0;
  for (std::size_t j = 0; j < input_.size(); ++j) {
    const double g = static_cast<double>(gradient[j]);
    const double direction = !l2 ? static_cast<double>((g > 0) - (g < 0)) : norm == 0 ? 0 : g / norm;
    perturbation_[j] = static_cast<double>(point_[j]) - static_cast<double>(input_[j]) + length * direction;
  }
  return !l2 || norm > 0;
}

template <class T>
void MovingPoint<T>::project() {
  const std::span<double> perturbation = perturbation_.first(input_.size());
  if (ball_.norm == Norm::linf) {
    for (double& value : perturbation) value = std::clamp(value, -ball_.radius, ball_.radius);
  } else if (const double norm = length_of<double>(perturbation); norm > ball_.radius) {
    for (double& value : perturbation) value *= ball_.radius / norm;
  }
}

template <class T>
void MovingPoint<T>::place() {
  for (std::size_t j = 0; j < input_.size(); ++j) {
    point_[j] = static_cast<T>(static_cast<double>(input_[j]) + perturbation_[j]);
    // After the ball: a clamp brings a point nearer to an input that is in the range itself.
    if (ball_.clamp)
      point_[j] = std::clamp(point_[j], static_cast<T>(ball_.clamp->low), static_cast<T>(ball_.clamp->high));
  }
}

#define NORMALIGN_INSTANTIATE(T)                                                                         \
  template void check_inputs(const char*, ConstView<T>, std::span<const Index>, const AttackBall& ball); \
  template class MovingPoint<T>;
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
