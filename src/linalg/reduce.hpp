// Sums in double and in an order that depends on the length alone.
#pragma once

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

/// The sum of the products a_i b_i; both are equally long.
template <class T>
double dot(std::span<const T> a, std::span<const T> b) {
  double result = 0;
#pragma omp simd reduction(+ : result)
  for (std::size_t i = 0; i < a.size(); ++i) result += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return result;
}

}  // namespace normalign
