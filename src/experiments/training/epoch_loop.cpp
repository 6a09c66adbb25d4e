#include "experiments/training/epoch_loop.hpp"

#include <chrono>
#include <cmath>

#include "base/atomic_file.hpp"
#include "experiments/training/checkpoint_keeper.hpp"

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

// Appends the epoch's row to the log, and says there where the run grokked.
void log_epoch(Checkpoint& at, const EpochProtocol& protocol) {
  MetricRow row{.epoch = at.epoch, .opt_time = at.opt_time};
  protocol.measure(row);
  if (!std::isfinite(row.train_loss) || !std::isfinite(row.test_loss))
    throw RunError(text("epoch ", at.epoch, ": the loss is ", row.train_loss, " on the training and ", row.test_loss,
                        " on the test samples; it must be finite"));
  if (!at.log.grokked && protocol.meets_criterion && protocol.meets_criterion(row)) {
    at.log.grokked = true;
    at.log.grokking_epoch = at.epoch;
  }
  at.log.metrics.push_back(std::move(row));
}

}  // namespace

void require_finite_step(Index epoch, double loss) {
  if (!std::isfinite(loss))
    throw RunError(text("epoch ", epoch, ": the training loss is ", loss, "; it must be finite"));
}

template <class T>
RunLog epoch_loop(RunLog begun, TrainingParts<T>& parts, const EpochProtocol& protocol, const RunObserver& observer) {
  Checkpoint at{.log = std::move(begun)};
  RunLog& log = at.log;
  CheckpointKeeper<T> checkpoints(observer, parts.state());
  const bool resumed = checkpoints.take_up(at);
  if (resumed) parts.resume(at.steps);
  LogKeeper keeper(observer.log_file);
  keeper.keep(log, true);
  try {
    for (bool is_measured = resumed;; is_measured = false, ++at.epoch) {
      if (!is_measured) {
        if (protocol.is_logged(at.epoch)) log_epoch(at, protocol);
        keeper.keep(log, false);
        observer.progress(log, at.epoch);
        if ((log.grokked && protocol.ends_when_grokked) || at.epoch == protocol.epochs) break;
        const bool stops = observer.stop();
        if (stops) keeper.keep(log, true);
        checkpoints.keep(at, stops);
        if (stops) return log;
      }
      const auto start = Clock::now();
      protocol.pass(at.epoch, at.steps);
      at.opt_time += seconds_since(start);
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
    write_safetensors(observer.model_file, tensor_file(parts.network));
  checkpoints.remove();
  return log;
}

template RunLog epoch_loop(RunLog, TrainingParts<float>&, const EpochProtocol&, const RunObserver&);
template RunLog epoch_loop(RunLog, TrainingParts<double>&, const EpochProtocol&, const RunObserver&);

}  // namespace normalign
