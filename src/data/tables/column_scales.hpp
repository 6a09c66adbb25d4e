// Columns brought to mean 0 and standard deviation 1.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// The mean and the standard deviation (n - 1) of each column; a deviation of 0 is written as 1.
struct ColumnScales {
  std::vector<double> means = {}, deviations = {};
};

/// Those of the columns of x, n x d, whatever the magnitude of their finite values.
ColumnScales column_scales(ConstView<double> x);

/// Writes each value v of x, n x d, as (v - mean) / deviation.
void scale_columns(Matrix<double>& x, const ColumnScales& scales);

/// Gives each column of x mean 0 and standard deviation 1; a constant one becomes 0.
void standardise(Matrix<double>& x);

}  // namespace normalign
