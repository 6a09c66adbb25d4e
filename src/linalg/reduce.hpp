// Sums in double and in an order that depends on the length alone, and what else is asked of all values together.
#pragma once

#include <cmath>
#include <span>

namespace normalign {

/// The sum of the values.
template <class T>
double total(std::span<const T> values) {
  double result = 0;
#pragma omp simd reduction(+ : result)
  for (std::size_t i = 0; i < values.size(); ++i) result += static_cast<double>(values[i]);
  return result;
}

/// Whether no value is infinite or NaN.
template <class T>
bool all_finite(std::span<const T> values) {
  for (const T value : values)
    if (!std::isfinite(value)) return false;
  return true;
}

/// The sum of the products a_i b_i; both are equally long.
template <class T>
double dot(std::span<const T> a, std::span<const T> b) {
  double result = 0;
#pragma omp simd reduction(+ : result)
  for (std::size_t i = 0; i < a.size(); ++i) result += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return result;
}

}  // namespace normalign
