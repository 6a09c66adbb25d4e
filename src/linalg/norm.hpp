// How lengths and distances are measured.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

#include "base/infinity.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

/// Euclidean, or the largest size of a coordinate.
enum class Norm { l2, linf };

/// "l2" or "linf".
const char* name_of(Norm norm);

/// The norm of that name. Throws InputError, which opens with `field` and lists the names, on any other.
Norm norm_of(const char* field, std::string_view name);

/// The Euclidean length of a, also where the squares of its values are too large or too small for a double.
inline double euclidean_length(std::span<const double> a) {
  const double squared = dot(a, a);
  if (!(squared < 1e-280) && squared != infinity) return std::sqrt(squared);
  double largest = 0;
  for (const double value : a) largest = std::max(largest, std::abs(value));
  if (largest == 0 || std::isinf(largest)) return largest;
  double sum = 0;
  for (const double value : a) sum += value / largest * (value / largest);
  return largest * std::sqrt(sum);
}

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
