// How far a floating-point result may be from the exact one.
#pragma once

#include <cmath>
#include <limits>

#include "linalg/matrix.hpp"

namespace normalign::detail {

/// A bound, relative to the sum of the sizes of its terms, on the error of a sum of products on each of whose paths at
/// most n results of type T are rounded: n u / (1 - n u), a little more, with u half of T's epsilon. Holds in any order
/// of summation (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd ed., chapter 3).
template <class T>
constexpr T rounding_of(Index n) {
  const T share = static_cast<T>(n) * std::numeric_limits<T>::epsilon() / 2;
  return share / (1 - share) * (1 + T{4} * std::numeric_limits<T>::epsilon());
}

/// What n products of type T can lose by being too small for a normal number.
template <class T>
constexpr T underflow_of(Index n) {
  return static_cast<T>(n) * std::numeric_limits<T>::denorm_min();
}

}  // namespace normalign::detail
