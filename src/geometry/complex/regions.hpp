// All linear regions of a network in its input space, how they meet, and what the network decides in them.
#pragma once

#include <functional>
#include <optional>
#include <span>

#include "base/infinity.hpp"
#include "base/stop.hpp"
#include "geometry/affine_map.hpp"
#include "geometry/polytope.hpp"

namespace normalign {

/// How far a search is: the regions found, and how much of the search is behind them, from 0 to 1, if each cut is taken
/// to halve the work.
struct RegionProgress {
  Index regions = 0;
  double done = 0;
};

/// Where to look for regions, and how.
struct RegionOptions {
  /// Only the part of each region within |x_i| <= box counts; infinite: the whole space.
  double box = infinity;
  /// More regions are an error: nothing bounds how many a network has.
  Index max_regions = 10'000'000;
  /// Every sign is decided by whole numbers, at many times the cost: a referee for the default, in which they decide
  /// only where the error bound of a double does not.
  bool exact = false;
  /// Called every 1000 regions and at the end.
  std::function<void(const RegionProgress&)> progress = {};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// A linear region, and the map x -> J x + b that the network is there.
struct LinearRegion {
  bool is_open = false;  ///< it is unbounded; or, in a box, one of its facets is on the box
  /// The class that the network decides on at the point inside: the first of the largest outputs; with one output f, 1
  /// where f > 0 and else 0.
  std::int32_t label = 0;
  double clearance = 0;      ///< from the point inside to the nearest wall; infinite where there is none
  double volume = 0;         ///< of its part in the box; infinite where it is unbounded
  double jacobian_norm = 0;  ///< |J|_F
  /// cos(Jᵀ1, x) and (sum s)^2 / sum s^2, at the point x inside: see LocalGeometry.
  std::optional<double> centroid_alignment = {};
  std::optional<double> effective_rank = {};
};

/// Two regions that meet in a facet.
struct RegionFacet {
  std::int32_t first = 0;  ///< first < second
  std::int32_t second = 0;
  bool is_crossed = false;   ///< more than one class wins on it: the decision boundary meets it from inside
  bool is_decision = false;  ///< part of it is decision boundary: different classes win on its two sides
};

/// The part of a region in which one class wins. Where two are the same function, the first of them does.
struct DecisionPiece {
  std::int32_t region = 0;
  std::int32_t label = 0;
  std::int32_t component = 0;  ///< the connected decision region that it is part of
  double volume = 0;           ///< of its part in the box; infinite where it is unbounded
};

/// All linear regions of a network: the sets of inputs with one activation code that have an interior. They are in the
/// order in which they were found, which depends on the network and the box alone.
///
/// With N hidden units and d inputs a region takes 8 ceil(N / 64) + 8 d + 64 bytes, 24 for each piece of it and 12 for
/// each facet, of which there are at most d for each region where walls meet in general position: about 180 bytes in 4
/// inputs. While facets are being joined it takes up to three times as much.
struct RegionComplex {
  std::vector<Index> units = {};          ///< of each hidden layer
  std::vector<std::uint64_t> codes = {};  ///< ceil(N / 64) words of each region: bit u is hidden unit u's
  std::vector<LinearRegion> regions = {};
  /// R x d: a point inside each region: the mean of its vertices, moved along the mean of its directions where it is
  /// unbounded. It is not the centre of the largest ball inside. In a region about as thin as a double resolves, the
  /// point may lie on a wall by rounding, with a clearance of 0.
  Matrix<double> inside = {};
  std::vector<RegionFacet> facets = {};  ///< each once, in order of its two regions
  /// In order of the regions; one that the decision boundary does not cross has one piece, and any other has one for
  /// each class that wins somewhere in it.
  std::vector<DecisionPiece> pieces = {};
  std::vector<std::int32_t> component_labels = {};  ///< the class of each connected decision region
  Index exact_decisions = 0;                        ///< signs that were decided by whole numbers

  /// How many there are.
  Index count() const { return static_cast<Index>(regions.size()); }
  /// 64-bit words of a region's code.
  Index code_words() const;
  /// Whether a hidden unit, counted through all layers, is on in a region.
  bool is_on(Index region, Index unit) const;
  /// The activation code of a region; `affine_map` and `region` take it.
  ActivationCode code(Index region) const;
  /// The hidden units in which the codes on both sides of a facet differ: those whose walls coincide there.
  std::vector<HiddenUnit> flips(const RegionFacet& facet) const;
};

/// The regions, found by cutting the input space unit by unit, layer by layer. The vertices and directions of a region
/// are known while it is cut (the double description method), so that no linear program is solved and time is linear in
/// the regions: about 20 us for each in 2 to 4 inputs. Signs that the error bound of a double does not decide are
/// decided by whole numbers, so that coincident, parallel and concurrent walls are seen as what they are on the numbers
/// as stored. A unit that is 0 everywhere on a region is off there and cuts nothing. Two pieces belong to one decision
/// region when a chain of pieces of the same class, each meeting the next in a facet, joins them.
///
/// In the whole space regions count wherever they are: walls that are parallel but for the rounding of their weights
/// meet far away. A box leaves those out.
///
/// Meant for up to about 6 inputs: in more, regions have too many vertices. Pairs of outputs cost one bit each in every
/// vertex, so that outputs should be tens, not thousands.
///
/// Throws InputError on a box that is not above 0, fewer than one as max_regions, more than 16 inputs in a box, a first
/// layer of a rank above 30 without one, or slopes beyond what a double holds; Stopped when stopped; RunError on more
/// than max_regions: at once where the rank r of the first layer says so, which without a box makes 2^r regions or
/// more.
RegionComplex regions(const PiecewiseAffineNetwork& network, const RegionOptions& options = {});

/// The number of regions that `regions` would find, or nothing where they are more than max_regions. Nothing is kept of
/// a region, so that this takes less time and next to no memory. Throws as `regions` does but for their number.
std::optional<Index> count_regions(const PiecewiseAffineNetwork& network, const RegionOptions& options = {});

}  // namespace normalign
