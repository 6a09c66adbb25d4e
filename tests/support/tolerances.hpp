// The tolerances of the suite: one table by scalar type and order. A looser one gives its reason on the line.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

namespace normalign::tests {

/// The largest relative error (see relative_error) of a value (order 0) or a derivative of order 1, 2 or 3
/// against a closed form or another way to compute it.
template <class T>
constexpr double tolerance(int order = 0) {
  constexpr std::array<double, 4> for_double{1e-13, 1e-12, 1e-11, 1e-10};
  constexpr std::array<double, 4> for_float{2e-6, 1e-5, 1e-4, 1e-3};
  return (std::is_same_v<T, double> ? for_double : for_float)[static_cast<std::size_t>(order)];
}

/// The largest relative error of a derivative against central differences in double, step 1e-5: truncation is
/// step^2 = 1e-10 and rounding 1e-16 / step = 1e-11 times the function's size, with room for both.
constexpr double difference_tolerance = 1e-7;

}  // namespace normalign::tests
