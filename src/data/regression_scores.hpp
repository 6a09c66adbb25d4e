// How well numbers are predicted.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Scores of predictions, of each target.
struct RegressionScores {
  /// R² = 1 - sum (target - prediction)² / sum (target - mean)², over the rows: 1 at best, 0 for the mean as every
  /// prediction, below 0 for worse. Of a target that is the same in all rows 1 where every prediction is exact, else 0.
  std::vector<double> r_squared = {};
  std::vector<double> rmse = {};  ///< root of the mean squared error, in the units of the target

  /// The mean of R² over the targets, as `r2_score` of scikit-learn is by default.
  double mean_r_squared() const;
};

/// The scores of predictions, both n x k, worked out in double. Throws InputError where they are not alike in shape, or
/// without a row or a target.
template <class T>
RegressionScores regression_scores(ConstView<T> predictions, ConstView<T> targets);

/// One error for all targets: the root of the mean of their squared errors, each times its `unit`, of which there is
/// one for each target, or none where all are 1.
double joint_rmse(const std::vector<double>& rmse, const std::vector<double>& units = {});

}  // namespace normalign
