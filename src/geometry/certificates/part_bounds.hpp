// Linear bounds of a network on a part of a ball where the signs of some hidden units are given.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/certificates/centred_margins.hpp"
#include "geometry/certificates/least_distance.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {

/// What is known of a hidden unit: off and on are the entries of an ActivationCode.
enum class UnitSign : std::uint8_t { off, on, any };

/// The steps z with |z| <= radius and, in l2, z·direction >= least: what is left of a ball when no point of interest
/// is nearer than least and that one lies in the direction.
struct Cap {
  double radius = 0;
  double least = 0;                        ///< in l2 only, otherwise 0
  std::span<const double> direction = {};  ///< d, of length one up to rounding; not looked at where least is 0
};

/// A relaxation of {z in the cap : units have their given signs, output j >= 0} to half-spaces, which contain it. A
/// unit that may change its sign there and has none given is called bent; between its bounds it is replaced by two
/// lines, above and below, through which later layers are traced back to the input (Zhang et al., "Efficient neural
/// network robustness certification with general activation functions", NeurIPS 2018). Bounds of units are over the cap
/// and, in linf and of few inputs, over a box around what the half-spaces of earlier layers leave of it. Without bent
/// units the half-spaces and the cap are the set itself, up to rounding.
///
/// Half-spaces contain the set as the network's stored numbers define it: every row is moved outward by a bound on what
/// the products over the layers that it came from can be off, in the ball.
class PartBounds {
 public:
  /// The margins are borrowed. What `stop` throws ends `compute` and `are_negative`.
  PartBounds(const CentredMargins& margins, Norm norm, StopPoll stop = {});

  /// Works out what the functions below return, for one sign for each of the N units. Returns false when it finds that
  /// the set is empty; the functions below then have no meaning.
  bool compute(std::span<const UnitSign> signs, const Cap& cap, Index output);

  /// Whether one backward pass proves that no output is >= 0 at any step within the radius. The functions below then
  /// have no meaning.
  bool are_negative(double radius);

  /// The half-spaces: the cap's where least is not 0, one for each given sign, and the output's.
  HalfSpaces half_spaces() const;
  /// The signs, where no unit is bent: those given, and else those that units have on all of the cap.
  ActivationCode code() const;
  /// The unit whose sign to give next: the bent one by which the output's bound is furthest off at a point z (1 x d).
  /// Where no unit is to blame, the one of the first layer with bent units whose sign is the least certain; -1 where no
  /// unit is bent.
  Index loosest_unit(ConstView<double> z) const;

 private:
  struct Line {
    double slope = 1, offset = 0;
  };
  struct Unit {
    Line upper, lower;  // of the activation in the pre-activation
    double low = 0, high = 0;
    bool is_bent = false;
  };
  // Row i bounds something from above (or below) in the input.
  struct Rows {
    Matrix<double> slopes, offsets;  // n x d, 1 x n
  };

  bool bound_units(std::span<const UnitSign> signs, const Cap& cap);
  void bound_errors(Index layer);
  void trace(Index layer, Index first, Index count, double side, Rows& rows);
  double most(std::span<const double> slope, double offset, double side, const Cap& cap) const;
  Unit unit(double low, double high, double slope, UnitSign sign) const;
  void add_half_space(std::span<const double> slope, double offset, double side);
  bool shrink_box();

  StopPoll stop_;
  const CentredMargins* margins_;
  const PiecewiseAffineNetwork* network_;
  Norm norm_;
  bool has_box_;
  std::vector<Matrix<double>> weight_sizes_;  // of each layer
  // Of what comes into the layer at hand, in the ball: the largest size of a value, and how far it is from the
  // margins'.
  std::vector<double> sizes_, deviations_;
  std::vector<double> errors_;  // of the rows of the layer at hand
  std::vector<Unit> units_;
  std::vector<double> influence_;  // of each unit's activation on the output's bound
  Rows upper_, lower_;
  Matrix<double> coefficients_, next_;
  Matrix<double> slopes_, offsets_;     // of the half-spaces
  std::vector<double> middle_, reach_;  // of the box
  double radius_ = 0;
  Index count_ = 0;
};

}  // namespace normalign::detail
