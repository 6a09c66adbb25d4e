// The loop over epochs that every training run goes through: take up, evaluate, log, keep, one pass of steps.
#pragma once

#include "base/stop.hpp"
#include "data/regression_scores.hpp"
#include "experiments/training/parts.hpp"
#include "experiments/training/run_observer.hpp"
#include "nn/evaluate.hpp"

namespace normalign {

/// What one kind of run does in the loop. A stop that is handed over may be asked as often as one likes; what it throws
/// ends the run.
struct EpochProtocol {
  Index epochs = 0;                            ///< the last one is evaluated and not trained on
  std::function<bool(Index epoch)> is_logged;  ///< whether the epoch is evaluated
  /// Fills the row of the network as it is; its epoch is set.
  std::function<void(MetricRow& row, const StopPoll& stop)> measure;
  std::function<bool(MetricRow& row)> meets_criterion = {};  ///< whether it has grokked; it may measure more. Empty: no
  bool ends_when_grokked = false;                            ///< at the first logged epoch that meets the criterion
  /// One pass over the training set, by steps of the numbers `step`, step + 1, ..., of which it leaves the next one.
  std::function<void(Index epoch, std::uint32_t& step, const StopPoll& stop)> pass;
};

/// Sets the row's accuracies and losses to those that `evaluate` finds. Of targets it appends train_rmse and test_rmse,
/// as `joint_rmse` has them with the `units`.
template <class T>
void measure_accuracies(MetricRow& row, Evaluator<T>& evaluate, const Batch<T>& train, const Batch<T>& test,
                        const std::vector<double>& units = {}) {
  const Evaluation on_train = evaluate(train), on_test = evaluate(test);
  row.train_acc = on_train.accuracy;
  row.test_acc = on_test.accuracy;
  row.train_loss = on_train.loss;
  row.test_loss = on_test.loss;
  if (on_train.rmse.empty()) return;
  row.extras.emplace_back("train_rmse", joint_rmse(on_train.rmse, units));
  row.extras.emplace_back("test_rmse", joint_rmse(on_test.rmse, units));
}

/// Throws RunError, naming the epoch, where the loss of a step is not finite.
void require_finite_step(Index epoch, double loss);

/// Trains `parts` by the protocol and returns the log, which begins as `log`: epoch 0 is the untrained network, and
/// `opt_time` counts the passes alone. A run that `observer` has a checkpoint of goes on from there. A loss that is
/// not finite ends the run, `failed` in its log; so does any RunError but one for want of space, which is let through.
/// `observer.stop` ends it `running`: between two epochs, and where they take long inside of them. Throws InputError
/// when the checkpoint is another run's or the model cannot be written, RunError when the log cannot.
template <class T>
RunLog epoch_loop(RunLog log, TrainingParts<T>& parts, const EpochProtocol& protocol, const RunObserver& observer);

}  // namespace normalign
