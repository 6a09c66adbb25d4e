#include "geometry/certificates/proved_distance.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/certificates/rounding.hpp"
#include "linalg/reduce.hpp"

namespace normalign::detail {

ProvedDistance proved_distance(const HalfSpaces& set, std::span<const double> multipliers, Norm norm, double radius) {
  const Index d = set.slopes.cols();
  std::vector<double> sum(static_cast<std::size_t>(d)), sizes(sum.size());
  double height = 0, height_size = 0;
  Index count = 0;
  for (Index row = 0; row < set.slopes.rows(); ++row) {
    const double y = multipliers[static_cast<std::size_t>(row)];
    if (!(y > 0) || !std::isfinite(y)) continue;
    ++count;
    height -= y * set.offsets(0, row);
    height_size += std::abs(y * set.offsets(0, row));
    const auto slope = set.slopes.row(row);
#pragma omp simd
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += y * slope[i];
      sizes[i] += std::abs(y * slope[i]);
    }
  }
  const double rounding = rounding_of<double>(count + 4), whole = 1 + rounding_of<double>(d + 8);
  const double least = height - rounding * height_size * whole - underflow_of<double>(count);
  if (!(least > 0)) return {};
  const double length = dual_length(sum, norm), error = rounding * dual_length(sizes, norm) * whole;
  ProvedDistance result;
  const double longest = (length + error) * whole + underflow_of<double>(d * count);
  result.distance = least / longest * (1 - rounding_of<double>(4));
  if (!(result.distance < radius)) {
    result.distance = infinity;
    return result;
  }
  if (norm != Norm::l2 || !(length > 0)) return result;
  result.direction = std::move(sum);
  for (double& value : result.direction) value /= length;
  // The sum that was found is off by its error, and the quotient by one more rounding.
  const double off = (error / length + rounding_of<double>(d + 8)) * radius * whole;
  result.along = std::max(0.0, least / length * (1 - rounding_of<double>(d + 8)) - off);
  return result;
}

}  // namespace normalign::detail
