#include "experiments/training/epoch_loop.hpp"

#include <array>
#include <cmath>
#include <optional>

#include "base/atomic_file.hpp"
#include "base/clock.hpp"
#include "base/number_text.hpp"
#include "experiments/training/checkpoint.hpp"

namespace normalign {
namespace {

double seconds_in(const RunLog& log) {
  const auto found = log.environment.find("seconds");
  return found != log.environment.end() && found->is_number() ? found->get<double>() : 0;
}

// Keeps the log and the state of a run current on disk, where its observer asks for them.
template <class T>
class Keeper {
 public:
  Keeper(const RunObserver& observer, std::vector<MatrixView<T>> state)
      : observer_(observer), state_(std::move(state)) {}

  // Sets `at` and the state to what a former process left, and says whether it left anything.
  bool take_up(Checkpoint& at) {
    if (observer_.checkpoint_file.empty()) return false;
    auto found = read_checkpoint<T>(observer_.checkpoint_file, at.log, state_);
    if (!found) return false;
    seconds_before_ = seconds_in(found->log);
    found->log.environment = at.log.environment;
    found->log.config = at.log.config;
    at = std::move(*found);
    return true;
  }
  void keep_log(Checkpoint& at, bool now) {
    if (!is_due(observer_.log_file, 2, log_written_, now)) return;
    at.log.epoch = at.log.status == RunStatus::finished ? 0 : at.epoch;
    at.log.environment["seconds"] = std::round(1000 * (seconds_before_ + seconds_since(start_))) / 1000;
    write_log(observer_.log_file, at.log);
  }
  void keep_state(const Checkpoint& at, bool now) {
    if (is_due(observer_.checkpoint_file, observer_.checkpoint_seconds, state_written_, now))
      write_checkpoint<T>(observer_.checkpoint_file, at, state_);
  }
  // Copies `at` and the state, for `keep_remembered` to write where the pass that follows is not gone through.
  void remember(const Checkpoint& at) {
    if (observer_.checkpoint_file.empty()) return;
    remembered_ = at;
    copies_.clear();
    for (const MatrixView<T>& values : state_) copies_.emplace_back(values);
  }
  void keep_remembered() {
    if (!remembered_) return;
    const std::vector<MatrixView<T>> views(copies_.begin(), copies_.end());
    write_checkpoint<T>(observer_.checkpoint_file, *remembered_, views);
  }

 private:
  // Whether the file is asked for and was written at least `seconds` ago, or must be written now.
  static bool is_due(const std::filesystem::path& file, double seconds, Clock::time_point& written, bool now) {
    if (file.empty() || (!now && seconds_since(written) < seconds)) return false;
    written = Clock::now();
    return true;
  }

  const RunObserver& observer_;
  std::vector<MatrixView<T>> state_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point log_written_ = start_, state_written_ = start_;
  std::optional<Checkpoint> remembered_;
  std::vector<Matrix<T>> copies_;
  double seconds_before_ = 0;  // of the run, in processes before this one
};

// Appends the epoch's row to the log, and says there where the run grokked.
void log_epoch(Checkpoint& at, const EpochProtocol& protocol, const StopPoll& stop) {
  MetricRow row{.epoch = at.epoch, .opt_time = at.opt_time};
  protocol.measure(row, stop);
  if (!std::isfinite(row.train_loss) || !std::isfinite(row.test_loss))
    throw RunError(text("epoch ", at.epoch, ": the loss is ", row.train_loss, " on the training and ", row.test_loss,
                        " on the test samples; it must be finite"));
  if (!at.log.grokked && protocol.meets_criterion && protocol.meets_criterion(row)) {
    at.log.grokked = true;
    at.log.grokking_epoch = at.epoch;
  }
  at.log.metrics.push_back(std::move(row));
}

// What a stop within a round, a pass and what is measured after it, would lose is worth a copy of the state where such
// rounds take long: rounds that end in a logged epoch, and the others.
class SlowRounds {
 public:
  bool includes(bool is_logged) const { return is_slow_[is_logged ? 1 : 0]; }
  void see(bool is_logged, double seconds) { is_slow_[is_logged ? 1 : 0] = seconds > 0.2; }

 private:
  std::array<bool, 2> is_slow_ = {true, true};  // until one is seen
};

// The network as it is now, as a file, with how its table was read.
template <class T>
TensorFile model_of(const TrainingParts<T>& parts, const RunLog& log) {
  TensorFile model = parts.model();
  if (!log.dataset.is_null()) model.metadata["table"] = log_json::dump(log.dataset);
  return model;
}

}  // namespace

std::filesystem::path model_file_at(const std::filesystem::path& model_file, Index epoch) {
  return model_file.parent_path() / text(model_file.stem().string(), "_epoch", epoch, model_file.extension().string());
}

void remove_models(const std::filesystem::path& model_file) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> files = {model_file};
  const std::string start = model_file.stem().string() + "_epoch", end = model_file.extension().string();
  for (const auto& entry : fs::directory_iterator(model_file.parent_path(), error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(start) || !name.ends_with(end) || name.size() <= start.size() + end.size()) continue;
    const auto epoch = exact_whole_number(name.substr(start.size(), name.size() - start.size() - end.size()));
    if (epoch && *epoch >= 0) files.push_back(entry.path());
  }
  for (const fs::path& file : files)
    if (!fs::remove(file, error) && error)
      throw InputError(text(file.string(), ": cannot be removed: ", error.message()));
}

void require_finite_step(Index epoch, double loss) {
  if (!std::isfinite(loss))
    throw RunError(text("epoch ", epoch, ": the training loss is ", loss, "; it must be finite"));
}

template <class T>
RunLog epoch_loop(RunLog begun, TrainingParts<T>& parts, const EpochProtocol& protocol, const RunObserver& observer) {
  Checkpoint at{.log = std::move(begun)};
  RunLog& log = at.log;
  Keeper<T> keeper(observer, parts.state());
  const bool resumed = keeper.take_up(at);
  if (resumed) parts.resume(at.steps);
  keeper.keep_log(at, true);
  // A round that is not remembered is gone through. Before the first pass nothing is lost.
  bool may_stop_inside = true;
  const StopPoll stop("training", [&] { return may_stop_inside && observer.stop(); });
  SlowRounds slow;
  std::optional<Clock::time_point> round;  // when it began
  try {
    for (bool is_measured = resumed;; is_measured = false, ++at.epoch) {
      if (!is_measured) {
        if (protocol.is_logged(at.epoch)) log_epoch(at, protocol, stop);
        keeper.keep_log(at, false);
        if (observer.save_every > 0 && at.epoch % observer.save_every == 0)
          write_safetensors(model_file_at(observer.model_file, at.epoch), model_of(parts, log));
        observer.progress(log, at.epoch);
        if ((log.grokked && protocol.ends_when_grokked) || at.epoch == protocol.epochs) break;
        const bool stops = observer.stop();
        if (stops) keeper.keep_log(at, true);
        keeper.keep_state(at, stops);
        if (stops) return log;
        if (round) slow.see(protocol.is_logged(at.epoch), seconds_since(*round));
      }
      round = Clock::now();
      may_stop_inside = slow.includes(protocol.is_logged(at.epoch + 1));
      if (may_stop_inside) keeper.remember(at);
      const auto start = Clock::now();
      protocol.pass(at.epoch, at.steps, stop);
      at.opt_time += seconds_since(start);
    }
    log.status = RunStatus::finished;
  } catch (const StorageError&) {
    throw;  // its state is left to go on from when there is space again
  } catch (const Stopped&) {
    keeper.keep_log(at, true);
    keeper.keep_remembered();
    return log;
  } catch (const RunError& error) {
    log.status = RunStatus::failed;
    log.failure = error.what();
  }
  keeper.keep_log(at, true);
  // A run that failed has no network that anybody would want.
  if (!observer.model_file.empty() && log.status == RunStatus::finished)
    write_safetensors(observer.model_file, model_of(parts, log));
  if (!observer.checkpoint_file.empty()) std::filesystem::remove(observer.checkpoint_file);
  return log;
}

template RunLog epoch_loop(RunLog, TrainingParts<float>&, const EpochProtocol&, const RunObserver&);
template RunLog epoch_loop(RunLog, TrainingParts<double>&, const EpochProtocol&, const RunObserver&);

}  // namespace normalign
