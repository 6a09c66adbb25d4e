// Networks with their exact geometry from the reference folder, and random ones.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "geometry/piecewise_affine.hpp"
#include "geometry/planar/plane.hpp"

namespace normalign::tests {

/// One file of reference/geometry.
struct ReferenceGeometry {
  std::string name;
  PiecewiseAffineNetwork network;
  nlohmann::json json;
};

/// All of them, sorted by name. Where there is no reference folder there are none, and `test` counts as skipped; a
/// folder without them fails it.
std::vector<ReferenceGeometry> reference_geometries(const std::string& test);

/// A planar network whose numbers are awkward, with inputs and their distances by rational arithmetic.
struct AwkwardNetwork {
  std::string name;
  PiecewiseAffineNetwork network;
  nlohmann::json points;  ///< [{"x", "l2", "linf"}], a distance null where it is not known
};

/// All of them. Where there is no reference folder there are none, and `test` counts as skipped.
std::vector<AwkwardNetwork> awkward_networks(const std::string& test);

/// The plane of a `partition`.
Plane plane_of(const nlohmann::json& partition);

/// A row of numbers as 1 x n.
Matrix<double> row_of(const nlohmann::json& json);

/// A network of these widths (d, hidden widths, k) with hidden slopes cycling through `slopes`, weights uniform in
/// (-1, 1) / sqrt(d_in) * 2 and biases in (-1, 1); with `grain` > 0 all rounded to multiples of it, which makes exact
/// coincidences common.
PiecewiseAffineNetwork random_network(const std::vector<Index>& widths, std::uint64_t seed,
                                      const std::vector<double>& slopes = {0}, double grain = 0);

}  // namespace normalign::tests
