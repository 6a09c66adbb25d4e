#include "data/regression_scores.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "linalg/norm.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

double RegressionScores::mean_r_squared() const {
  return total<double>(r_squared) / static_cast<double>(r_squared.size());
}

template <class T>
RegressionScores regression_scores(ConstView<T> predictions, ConstView<T> targets) {
  const Index n = targets.rows(), k = targets.cols();
  if (n < 1 || k < 1 || predictions.shape() != targets.shape())
    throw InputError(text("regression_scores: predictions are ", predictions.shape(), " and targets ", targets.shape(),
                          "; they must be alike, of a row and a column at least"));
  RegressionScores result;
  std::vector<double> spread(static_cast<std::size_t>(n)), error(spread);
  for (Index j = 0; j < k; ++j) {
    // Of distances to the first value, so that a constant target has exactly no spread.
    const double origin = static_cast<double>(targets(0, j));
    for (Index i = 0; i < n; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double target = static_cast<double>(targets(i, j));
      spread[at] = target - origin;
      error[at] = target - static_cast<double>(predictions(i, j));
    }
    const double mean = total<double>(spread) / static_cast<double>(n);
    for (double& value : spread) value -= mean;
    // Lengths, whose squares need not be doubles.
    const double error_length = euclidean_length(error), spread_length = euclidean_length(spread);
    result.rmse.push_back(error_length / std::sqrt(static_cast<double>(n)));
    result.r_squared.push_back(spread_length > 0   ? 1 - std::pow(error_length / spread_length, 2)
                               : error_length == 0 ? 1
                                                   : 0);
  }
  return result;
}

double joint_rmse(const std::vector<double>& rmse, const std::vector<double>& units) {
  if (rmse.empty() || (!units.empty() && units.size() != rmse.size()))
    throw InputError(text("joint_rmse: there are ", rmse.size(), " errors and ", units.size(),
                          " units; there must be an error, and a unit for each or none"));
  std::vector<double> errors = rmse;
  for (std::size_t j = 0; j < units.size(); ++j) errors[j] *= units[j];
  return euclidean_length(errors) / std::sqrt(static_cast<double>(errors.size()));
}

template RegressionScores regression_scores(ConstView<float>, ConstView<float>);
template RegressionScores regression_scores(ConstView<double>, ConstView<double>);

}  // namespace normalign
