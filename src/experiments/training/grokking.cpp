#include "experiments/training/grokking.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "base/atomic_file.hpp"
#include "experiments/training/checkpoint_keeper.hpp"
#include "experiments/training/components.hpp"
#include "experiments/training/measurements.hpp"
#include "experiments/training/run_identity.hpp"
#include "nn/batches.hpp"
#include "nn/evaluate.hpp"
#include "nn/train_step.hpp"

namespace normalign {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Keeps the log file current while the run goes on.
class LogKeeper {
 public:
  explicit LogKeeper(const std::filesystem::path& file) : file_(file) {}
  void keep(const RunLog& log, bool now) {
    if (file_.empty() || (!now && seconds_since(last_) < 2)) return;
    write_log(file_, log);
    last_ = Clock::now();
  }

 private:
  const std::filesystem::path& file_;
  Clock::time_point last_ = Clock::now();
};

// Sums of the penalties' terms over the steps of one epoch.
struct PassMeans {
  std::vector<double> terms;
  int steps = 0;
};

}  // namespace

bool is_logged(Index epoch, Index last_epoch, Index every) {
  const Index of_grid = epoch < 100 ? 1 : epoch < 1000 ? 10 : epoch < 10000 ? 100 : 1000;
  return epoch % (every > 0 ? every : of_grid) == 0 || epoch == last_epoch;
}

std::string run_name(const RunConfig& config) {
  return text(config.task, "_", condition_label(config), "_seed", config.seed);
}

template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer) {
  check(config);
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Loss loss = loss_of(config);
  const Conditions on = conditions(config.condition);
  Mlp<T> mlp = network_of<T>(config, data.train.inputs.cols(), data.train.classes);
  const auto update = optimizer_of<T>(config);
  const auto owned_filters = filters_of<T>(config);
  std::vector<GradientFilter<T>*> borrowed_filters;
  for (const auto& filter : owned_filters) borrowed_filters.push_back(filter.get());
  const GrokAlign<T> penalty(penalty_of(config));
  TrainStep<T> step(mlp, *update,
                    {.loss = loss,
                     .cross_entropy_gradient = cross_entropy_gradient_of(config),
                     .penalties = {&penalty},
                     .gradient_clip = config.gradient_clip,
                     .filters = borrowed_filters,
                     .seed = seed,
                     .threads = threads});
  Evaluator<T> evaluate(mlp, loss, threads);
  Batches<T> train(data.train, targets_of(config, data.train), config.batch_size, seed);
  const Batches<T> test(data.test, targets_of(config, data.test), 0, seed);
  Measurements<T> measure(config, mlp, loss, train.all(), test.all(), threads);

  Checkpoint at{.log = new_log(config, threads)};
  RunLog& log = at.log;
  std::vector<MatrixView<T>> state = mlp.parameters();
  for (const MatrixView<T>& view : update->state()) state.push_back(view);
  for (GradientFilter<T>* filter : borrowed_filters)
    for (const MatrixView<T>& view : filter->state()) state.push_back(view);
  CheckpointKeeper<T> checkpoints(observer, state);
  const bool resumed = checkpoints.take_up(at);
  if (resumed) {
    update->resume(static_cast<int>(at.steps));
    for (GradientFilter<T>* filter : borrowed_filters) filter->resume(static_cast<int>(at.steps));
  }
  LogKeeper keeper(observer.log_file);
  keeper.keep(log, true);

  // What the row of `epoch` says, for the untrained network and after each pass.
  const auto measured = [&](const PassMeans& pass) {
    const Evaluation on_train = evaluate(train.all()), on_test = evaluate(test.all());
    if (!std::isfinite(on_train.loss) || !std::isfinite(on_test.loss))
      throw RunError(text("epoch ", at.epoch, ": the loss is ", on_train.loss, " on the training and ", on_test.loss,
                          " on the test samples; it must be finite"));
    MetricRow row{.epoch = at.epoch,
                  .train_acc = on_train.accuracy,
                  .test_acc = on_test.accuracy,
                  .train_loss = on_train.loss,
                  .test_loss = on_test.loss,
                  .opt_time = at.opt_time};
    // Estimates of the epoch before, as the steps met them; epoch 0 has none.
    if (pass.steps > 0)
      for (std::size_t i = 0; i < pass.terms.size(); ++i)
        row.extras.emplace_back("step_" + step.term_names()[i], pass.terms[i] / pass.steps);
    measure.append_to(row);
    return row;
  };
  // Whether the row meets the criterion; noise that decides it is measured, and said in the row, only then.
  const auto is_grokked = [&](MetricRow& row) {
    if (!(row.train_acc > config.train_criterion && row.test_acc > config.test_criterion)) return false;
    if (config.noise_criterion == 0) return true;
    const std::string name = noise_metric(config.noise_criterion_level);
    if (!metric(row, name))
      row.extras.emplace_back(name, measure.noise_accuracy(row.epoch, config.noise_criterion_level));
    return *metric(row, name) > config.noise_criterion;
  };
  const auto pass_over_training_set = [&] {
    PassMeans pass;
    const auto start = Clock::now();
    if (on.adversarial_noise) {
      const double wrong = 1 - evaluate(train.all()).accuracy / 100;
      train.draw_noise(at.epoch, std::max(config.training_noise * wrong, config.least_training_noise));
    }
    train.pass(at.epoch, [&](const Batch<T>& batch) {
      const StepResult found = step(batch, at.steps++);
      if (!std::isfinite(found.total))
        throw RunError(text("epoch ", at.epoch, ": the training loss is ", found.total, "; it must be finite"));
      pass.terms.resize(found.terms.size());
      std::ranges::transform(pass.terms, found.terms, pass.terms.begin(), std::plus());
      ++pass.steps;
    });
    at.opt_time += seconds_since(start);
    return pass;
  };

  try {
    PassMeans pass;
    for (bool already_measured = resumed;; already_measured = false, ++at.epoch) {
      if (!already_measured) {
        if (is_logged(at.epoch, config.epochs, config.eval_every)) {
          log.metrics.push_back(measured(pass));
          if (!log.grokked && is_grokked(log.metrics.back())) {
            log.grokked = true;
            log.grokking_epoch = at.epoch;
          }
        }
        keeper.keep(log, false);
        observer.progress(log, at.epoch);
        if ((log.grokked && config.stop == "grokked") || at.epoch == config.epochs) break;
        if (observer.stop()) {
          keeper.keep(log, true);
          checkpoints.keep(at, true);
          return log;
        }
        checkpoints.keep(at, false);
      }
      pass = pass_over_training_set();
    }
    log.status = RunStatus::finished;
  } catch (const StorageError&) {
    throw;  // its state is left to go on from when there is space again
  } catch (const RunError& error) {
    log.status = RunStatus::failed;
    log.failure = error.what();
  }
  keeper.keep(log, true);
  // A run that failed has no network that anybody would want.
  if (!observer.model_file.empty() && log.status == RunStatus::finished)
    write_safetensors(observer.model_file, tensor_file(mlp));
  checkpoints.remove();
  return log;
}

template RunLog grokking_run(const RunConfig&, const Split<float>&, int, const RunObserver&);
template RunLog grokking_run(const RunConfig&, const Split<double>&, int, const RunObserver&);

}  // namespace normalign
