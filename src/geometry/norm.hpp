// How lengths and distances in input space are measured.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include "linalg/reduce.hpp"

namespace normalign {

/// Euclidean, or the largest size of a coordinate.
enum class Norm { l2, linf };

/// The length of a in the norm.
inline double norm_length(std::span<const double> a, Norm norm) {
  if (norm == Norm::l2) return std::sqrt(dot(a, a));
  double largest = 0;
  for (const double value : a) largest = std::max(largest, std::abs(value));
  return largest;
}

/// How much the linear function with the slope a changes at most over a step of length one in the norm.
inline double dual_length(std::span<const double> a, Norm norm) {
  if (norm == Norm::l2) return std::sqrt(dot(a, a));
  double sum = 0;
  for (const double value : a) sum += std::abs(value);
  return sum;
}

}  // namespace normalign
