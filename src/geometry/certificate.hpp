// How far an input is from the nearest one that the network classifies otherwise: exactly, or between two bounds.
#pragma once

#include <limits>
#include <vector>

#include "geometry/polytope.hpp"

namespace normalign {

/// How a certificate is looked for, and when the search is given up.
struct CertificateOptions {
  Norm norm = Norm::l2;
  /// The most regions to visit for one input.
  Index regions = 100'000;
  /// The most seconds for one input; results near such an end depend on the machine.
  double seconds = std::numeric_limits<double>::infinity();
  /// Where not empty: a point for each input that is classified otherwise, found by an attack, say. Nearer ones make
  /// the search shorter.
  ConstView<double> adversarial = {};
};

/// What is proved about one input: no point nearer than `lower` is classified otherwise, and `adversarial`, at distance
/// `upper`, is, or would be a rounding error further on.
struct Certificate {
  bool exact = false;  ///< lower and upper are the distance of the decision boundary
  double lower = 0;
  double upper = std::numeric_limits<double>::infinity();  ///< infinite where no such point is known
  Matrix<double> adversarial = {};                         ///< 1 x d, empty where none is known
  Index regions = 0;                                       ///< how many were visited
};

/// The certificates of the rows of x, n x d, on up to `threads` threads, with the same bits at any number unless a
/// limit of seconds ends a search. The class of an input is the first largest output; of a network with one output, its
/// sign. On the boundary itself the distance is 0.
///
/// By best-first search over the regions around x (Jordan, Lewis and Dimakis, "Provable certificates for adversarial
/// examples: fitting a ball in the union of polytopes", NeurIPS 2019): regions are visited in the order of their
/// distance, each shows its pieces of the decision boundary and its neighbours. An attack gives an upper bound at the
/// start. Regions through which no straight way from x can reach another class within that bound, by the steepness of
/// the outputs, are not visited. Distances are exact to about 1e-9; a region thinner than that may be passed over. In
/// l2 all is computed in the row space of the first weight.
///
/// Practical up to some tens of inputs or first-layer units, or for small distances: the number of regions in a ball
/// grows exponentially.
///
/// Throws InputError when shapes do not fit, an option is negative, an `adversarial` row is not classified otherwise,
/// or on fewer than one thread; RunError when a projection fails its check.
std::vector<Certificate> certificates(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                      const CertificateOptions& options = {}, int threads = 1);

}  // namespace normalign
