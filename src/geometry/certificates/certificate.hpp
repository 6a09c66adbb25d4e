// How far an input is from the nearest one that the network classifies otherwise: exactly, or between two bounds.
#pragma once

#include <functional>
#include <vector>

#include "base/infinity.hpp"
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
};

/// What is proved about one input: no point nearer than `lower` is classified otherwise, and `adversarial`, at distance
/// `upper`, is classified otherwise, there or a rounding error further on.
struct Certificate {
  bool exact = false;  ///< lower and upper are the distance of the decision boundary
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
/// that can bend has one, a part is a piece of one region. The distance of a part is bounded from below by that of the
/// half-spaces of `PartBounds`; the nearest part is divided by the sign of one more unit, until the nearest point found
/// belongs to the part. An attack gives an upper bound at the start; all parts within a reach are looked for, which
/// grows by half until it holds the nearest point. Regions are not gone through one by one as by Jordan, Lewis and
/// Dimakis ("Provable certificates for adversarial examples: fitting a ball in the union of polytopes", NeurIPS 2019):
/// for MNIST with 64 hidden units that took thirty times as many steps where it came to an end. Distances are exact to
/// about 1e-9; beyond 1000 times the larger of 1 and |x| nothing is looked for. In l2 all is computed in the row space
/// of the first weight.
///
/// Practical for up to some tens of units that change their sign within the distance: the number of parts grows
/// exponentially in them. A part that waits takes about N + 8 r bytes, N hidden units, r the rank of the first weight
/// (in linf 0).
///
/// Throws InputError when shapes do not fit, an option is negative, an `adversarial` row is not classified otherwise,
/// or on fewer than one thread; RunError when a projection fails its check.
std::vector<Certificate> certificates(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                      const CertificateOptions& options = {}, int threads = 1);

}  // namespace normalign
