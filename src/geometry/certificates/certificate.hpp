// How far an input is from the nearest one that the network classifies otherwise: exactly, or between two bounds.
#pragma once

#include <functional>
#include <vector>

#include "base/infinity.hpp"
#include "base/stop.hpp"
#include "geometry/piecewise_affine.hpp"
#include "linalg/norm.hpp"

namespace normalign {

/// How a certificate is looked for, and when the search is given up.
struct CertificateOptions {
  Norm norm = Norm::l2;
  /// The most parts to visit for one input.
  Index parts = 100'000;
  /// The most seconds for one input; results near such an end depend on the machine.
  double seconds = infinity;
  /// Where not empty: a point for each input that is classified otherwise, found by an attack, say. Nearer ones make
  /// the search shorter.
  ConstView<double> adversarial = {};
  /// Called after each row with the number of rows that are done, by one thread at a time.
  std::function<void(Index done)> progress = {};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// What is proved about one input, of the network's numbers as they are stored: no point nearer than `lower` is
/// classified otherwise, and one at distance at most `upper` is, or is tied. `adversarial` is that point, each
/// coordinate rounded to a double.
struct Certificate {
  bool exact = false;  ///< lower and upper agree to 1e-9 of the distance
  double lower = 0;
  double upper = infinity;          ///< infinite where no such point is known
  Matrix<double> adversarial = {};  ///< 1 x d, empty where none is known
  Index parts = 0;                  ///< how many were visited
};

/// The certificates of the rows of x, n x d, on up to `threads` threads, with the same bits at any number unless a
/// limit of seconds ends a search. The class of an input is the first largest output; of a network with one output, its
/// sign. On the boundary itself the distance is 0.
///
/// By best-first search over parts of the input space, where an output other than that of the class is the larger one
/// and some hidden units have given signs: at first none, so that a part is a union of regions, and where every unit
/// that can bend has one, a part is a piece of one region. The half-spaces of `PartBounds` contain a part; a solver
/// proposes multipliers of them, and `proved_distance` says what those prove. The part whose proof is the nearest is
/// divided by the sign of one more unit, until it is proved to be no nearer than the upper bound, or cannot be divided.
/// Parts are looked for within a reach, which grows until it holds the nearest adversarial point; where there seems to
/// be none the search ends far away, with `lower` proved and `upper` infinite; `exact` then only where intervals prove
/// that there is none at all, and `lower` is infinite too.
///
/// A network that sees one or two coordinates (of the input; in l2, of the row space of its first weight) is certified
/// by the regions of that plane (`slice`) where parts become many: exactly, as long as there are no more of them within
/// the distance than ten for each part that may be visited.
///
/// Nothing depends on a tolerance: half-spaces are moved outward by a bound on their rounding, a bound is evaluated
/// with every rounding against it, a point counts as adversarial where that is proved, and where double precision does
/// not decide, integers do. A solver that fails costs a part its bound. Inputs times a power of two have the same
/// certificates times that power.
///
/// Regions are not gone through one by one as by Jordan, Lewis and Dimakis ("Provable certificates for adversarial
/// examples: fitting a ball in the union of polytopes", NeurIPS 2019): for MNIST with 64 hidden units that took thirty
/// times as many steps where it came to an end. In l2 all is computed in the row space of the first weight.
///
/// Practical for up to some tens of units that change their sign within the distance: the number of parts grows
/// exponentially in them. A part that waits takes about N + 8 r bytes, N hidden units, r the rank of the first weight;
/// in linf N + d, and one more for each sign that it has.
///
/// Throws InputError when shapes do not fit, an option is negative, an `adversarial` row is not classified otherwise,
/// or on fewer than one thread; Stopped when stopped.
std::vector<Certificate> certificates(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                      const CertificateOptions& options = {}, int threads = 1);

}  // namespace normalign
