// Where an attack looks: the points near an input that it may reach, and steps that stay among them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "linalg/matrix.hpp"
#include "linalg/norm.hpp"
#include "linalg/random.hpp"

namespace normalign {

/// The values that an input may have.
struct InputRange {
  double low = 0;
  double high = 1;
};

/// The points that are no farther than `radius` from an input in `norm`, in the units of the inputs, and that lie in
/// the range where there is one.
struct AttackBall {
  Norm norm = Norm::linf;
  double radius = 0.1;
  std::optional<InputRange> clamp{};
};

/// Throws InputError, opened by `caller`, on a radius that is negative or not finite, and on a range whose ends are not
/// in order.
void check(const char* caller, const AttackBall& ball);

/// Throws InputError, opened by `caller`, unless there are as many sample numbers as inputs (n x d), or none, and all
/// inputs lie in the range, rounded to T, where there is one.
template <class T>
void check_inputs(const char* caller, ConstView<T> inputs, std::span<const Index> samples, const AttackBall& ball);

/// The number that addresses the random draws of row i: samples[i], or i where there are none.
inline Index sample_number(std::span<const Index> samples, Index i) {
  return samples.empty() ? i : samples[static_cast<std::size_t>(i)];
}

/// A point that moves in the ball around one input. Its perturbation of the input is worked out in double and rounded
/// once, in the point, so that ball and range are kept up to one rounding. All is borrowed.
template <class T>
class MovingPoint {
 public:
  /// `input` and `point`: d values; `perturbation`: d + 2 values of working memory, whose contents do not matter.
  MovingPoint(const AttackBall& ball, std::span<const T> input, std::span<T> point, std::span<double> perturbation)
      : ball_(ball), input_(input), point_(point), perturbation_(perturbation) {}

  /// Goes to a point that is uniform in the cube (linf) or the ball (l2), then to the range: by uniforms or normals of
  /// the row `sample`.
  void start(const RandomRows& random, std::uint32_t sample);

  /// Goes up the gradient: to the point plus length * sign(gradient) (linf; sign(0) = 0) or length * gradient /
  /// |gradient| (l2; a zero gradient stays), projected on the ball and then on the range.
  void step(std::span<const T> gradient, double length);

  /// The same with momentum, as APGD has it: with z where `step` would lead, x the point and x' the one `before`, to
  /// x + share (z - x) + (1 - share) (x - x'), projected likewise; `before` is then x. It has d values.
  void step(std::span<const T> gradient, double length, double share, std::span<T> before);

 private:
  bool add_step(std::span<const T> gradient, double length);
  void project();
  void place();

  const AttackBall& ball_;
  std::span<const T> input_;
  std::span<T> point_;
  std::span<double> perturbation_;
};

}  // namespace normalign
