// A network as the search for its decision boundary around one input sees it.
#pragma once

#include <span>
#include <vector>

#include "geometry/certificates/row_space.hpp"
#include "geometry/piecewise_affine.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {

/// How a class is proved: by floating-point numbers with error bounds, which may not decide, or where those do not by
/// integers, which takes a hundred times as long.
enum class Proof { rounded, exact };

/// The margins of a network at x + step: the output of every other class less that of the class of x (of one output,
/// its negative where it is positive at x), so that one of them is >= 0 just where another class wins or ties.
///
/// They are a network of the step, whose first bias is the first pre-activation at x: near x nothing depends on how
/// far x is from the origin, and errors are relative to what is computed. In l2 the step has the few coordinates that
/// the first weight looks at. Both are rounded; `first_constant`, `first_rate` and the magnitudes say how much.
class CentredMargins {
 public:
  /// `network` is borrowed, and so is `row_space`, the network's in l2 where that has fewer coordinates, else null; x
  /// is 1 x d.
  CentredMargins(const PiecewiseAffineNetwork& network, const RowSpaceNetwork* row_space, ConstView<double> x);

  /// The margins as a network of the step: r inputs, one output for each other class.
  const PiecewiseAffineNetwork& network() const { return network_; }
  /// Unit k of the first layer is off at a step from x by rounding by at most first_constant[k] + first_rate[k] |step|.
  const std::vector<double>& first_constant() const { return first_constant_; }
  const std::vector<double>& first_rate() const { return first_rate_; }
  /// What the first bias lost when it was rounded, and how far that is still off at x: of each first unit.
  const std::vector<double>& first_rest() const { return first_rest_; }
  const std::vector<double>& first_rest_error() const { return first_rest_error_; }
  /// At least the sizes of what the last layer's weights and biases were made of: k x n and 1 x k.
  const Matrix<double>& last_weight_sizes() const { return last_weight_sizes_; }
  const Matrix<double>& last_bias_sizes() const { return last_bias_sizes_; }
  /// A step's length in its coordinates is at most so many times that of the step itself.
  double stretch() const { return stretch_; }

  /// The step of an input, 1 x d, that has these coordinates, 1 x r.
  Matrix<double> in_inputs(ConstView<double> step) const;
  /// The coordinates of the step from x to an input, 1 x r.
  Matrix<double> coordinates(ConstView<double> input) const;
  /// Whether input + step, a sum that is not rounded, is proved to be classified otherwise, or tied; both are 1 x d.
  bool is_adversarial(ConstView<double> input, ConstView<double> step, Proof proof) const;
  /// Whether intervals, from layer to layer for inputs of any size, prove that nothing is classified otherwise.
  bool are_negative_everywhere() const;
  /// The distance of the points of a region (by its code, of N hidden units) with margin j >= 0 that multipliers, N of
  /// the region's walls as in `RegionRows` and one of the margin, prove as in `proved_distance`: but out of the stored
  /// numbers by integers, so that nothing but the last quotient is rounded, downward. 0 where they prove nothing.
  double exact_distance(const ActivationCode& code, Index j, std::span<const double> multipliers, Norm norm) const;

 private:
  void reduce(const RowSpaceNetwork& row_space);

  const PiecewiseAffineNetwork* original_;
  const RowSpaceNetwork* row_space_;
  Matrix<double> x_;
  Index class_ = 0;  // of x; of one output 1 where it is positive
  PiecewiseAffineNetwork network_;
  std::vector<double> first_constant_, first_rate_, first_rest_, first_rest_error_;
  Matrix<double> last_weight_sizes_, last_bias_sizes_;
  double stretch_ = 1;
};

}  // namespace normalign::detail
