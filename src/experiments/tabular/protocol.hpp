// Recursive Feature Machines on a table: choose regularisation, bandwidth and metric, refit on each fold, attack and
// measure (arXiv:2605.08464, section on tabular data).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/tables/labelled_table.hpp"
#include "experiments/tabular/config.hpp"
#include "rfm/rfm.hpp"

namespace normalign {

struct TensorFile;

/// A table with its splits. Targets of regression are in their own units.
struct TabularData {
  std::string name = {};
  Dataset<double> samples = {};
  TableEncoding encoding = {};   ///< how a file of the user's was read; without columns for other tables
  Fold selection = {};           ///< training rows and the rows that the published protocol chooses by
  std::vector<Fold> folds = {};  ///< training and test rows of the metrics
};

/// What was chosen on validation rows.
struct TabularSelection {
  double regularisation = 0;
  double bandwidth = 0;
  Index updates = 0;          ///< of the metric before the fit that was best
  double validation_acc = 0;  ///< per cent
};

/// The metrics of one fold. Accuracies are per cent; of regression 100 R², as `RegressionScores::mean_r_squared` has
/// it. The other measures are means over rows whose Jacobian is not zero, absent where there is none.
struct TabularFold {
  TabularSelection selection = {};
  double train_acc = 0;
  double test_acc = 0;
  std::optional<double> test_rmse = {};         ///< of regression, in the units of the targets, as `joint_rmse` has it
  std::vector<double> robust_acc = {};          ///< for each radius, under the config's attack, over all test rows
  std::optional<double> effective_rank = {};    ///< (sum s)² / sum s² of the singular values of J
  std::optional<double> normalised_rank = {};   ///< that over min(outputs, features)
  std::optional<double> normal_alignment = {};  ///< |cos(v_1(J), x)|
};

/// What took how long, in seconds of wall time, and what the solutions took.
struct TabularCost {
  double selection = 0, refit = 0, attack = 0, geometry = 0;
  Index fits = 0;
  Index in_double = 0;     ///< float factorisations that had to be done again in double
  Index by_iteration = 0;  ///< fits by conjugate gradients, where they are faster or memory is short
  Index unconverged = 0;   ///< of these, those that ended above the tolerance
  double residual = 0;     ///< the largest that a solution ended with, as RidgeReport has it
};

/// One run.
struct TabularResult {
  std::vector<TabularFold> folds = {};
  TabularCost cost = {};
};

/// Told before and after each fit and each attack: how many of how many are done, and what is being done, as in "fold 2
/// of 4: choosing with regularisation 0.1".
using TabularProgress = std::function<void(Index done, Index all, const std::string& what)>;

/// Runs the protocol on `ridge.threads` threads, with the same numbers at any number; of `ridge`, which says how
/// systems are solved, the regularisation is not looked at. For each bandwidth and each regularisation in turn a
/// machine is fitted with the initial metric of the training rows and after each of `updates` updates; the best
/// accuracy on the validation rows wins, of equal ones the first; its metric, bandwidth and regularisation are kept,
/// the coefficients of each fold are solved for anew. Classes are fitted as one-hot rows, targets with mean 0 and
/// deviation 1 over the training rows. The attack pgd goes up the gradient of the mean squared error to them, from a
/// random start, and its last iterates count; apgd is that of `class_attacks`. Throws InputError on a config that
/// `check` refuses, splits that do not fit the samples, an empty fold, or attacks on a table without classes; RunError
/// as `ridge` does.
TabularResult tabular_run(const TabularConfig& config, const TabularData& data, const RidgeOptions& ridge = {},
                          const TabularProgress& progress = {});

/// The machine of all rows, made as the protocol `nested` makes that of a fold from its training rows, as a file that
/// `normalign predict` takes: what `tensor_file` makes of it, with how the table was read as metadata `table` and, for
/// a table of more columns than rows, the `directions` of its coordinates (see SpanCoordinates). Arguments and
/// exceptions are those of `tabular_run`.
TensorFile tabular_model(const TabularConfig& config, const TabularData& data, const RidgeOptions& ridge = {},
                         const TabularProgress& progress = {});

/// The number of fits and attacks of a run, what its `TabularProgress` counts to.
Index tabular_steps(const TabularConfig& config, const TabularData& data);

}  // namespace normalign
