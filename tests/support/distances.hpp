// Distances by their definition, apart from the library's own.
#pragma once

#include <algorithm>
#include <cmath>

#include "linalg/matrix.hpp"
#include "linalg/norm.hpp"

namespace normalign::tests {

/// |a - b| of two single rows in the norm.
inline double distance(const Matrix<double>& a, const Matrix<double>& b, Norm norm) {
  double sum = 0, largest = 0;
  for (Index i = 0; i < a.cols(); ++i) {
    const double difference = std::abs(a(0, i) - b(0, i));
    sum += difference * difference;
    largest = std::max(largest, difference);
  }
  return norm == Norm::l2 ? std::sqrt(sum) : largest;
}

}  // namespace normalign::tests
