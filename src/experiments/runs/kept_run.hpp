// One run in a folder, of whatever kind: how its log is found, how the run is done under its lock, and how it is marked
// as failed. A kind of run has a log type with `status` and `failure`, and write_log(path, log).
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/runs/run_lock.hpp"

namespace normalign {

/// A run's place: its folder and its name, after which its files are called.
struct RunPlace {
  std::filesystem::path folder;
  std::string name;

  /// Where its log is.
  std::filesystem::path log() const { return log_file(folder, name); }
};

/// Whether there is a log, of a run that came to its end.
template <class Log>
bool is_finished(const std::optional<Log>& log) {
  return log && log->status == RunStatus::finished;
}

/// The log at `file` as `read` returns it; none where there is no such file, or where it is that of another run which
/// failed, as it holds no result. `difference(log)`: in what its run is another than the one that is looked for, if it
/// is. Throws InputError, naming log and difference, when it is the log of another run; and as `read` does.
template <class Read, class Difference>
auto log_at(const std::filesystem::path& file, const Read& read, const Difference& difference)
    -> std::optional<decltype(read(file))> {
  if (!std::filesystem::exists(file)) return std::nullopt;
  auto log = read(file);
  const std::optional<std::string> other = difference(log);
  if (!other) return log;
  if (log.status == RunStatus::failed) return std::nullopt;
  throw InputError(text(file.string(), ": another run of that name is there: ", *other,
                        "; another folder, or this log out of the way"));
}

/// The log of a run that `find` finds finished, or that `train` does and returns the log of, while no other process
/// does the same run: a lock file says so. Throws InputError where a log cannot be written, RunError when another
/// process is at this run for longer than `patience`; and as `find` and `train` do.
template <class Find, class Train>
auto log_of_done_run(const RunPlace& place, std::chrono::milliseconds patience, const Find& find, const Train& train) {
  check_writable_log(place.log(), true);
  const RunLock lock(lock_file(place.folder, place.name), patience);
  if (!lock.held()) throw RunError("another process is at this run");
  remove_temporary_files(place.folder, place.name);
  if (auto log = find(); is_finished(log)) return *log;
  return train();
}

/// Writes a log that says the run failed and why, for a process that had no time to: the one that `find` finds, or
/// where that is none the one that `fresh` makes, unless it says already how the run ended or neither gives one.
/// Another process may be at the run by then: it is left to that one. Throws as `find` does and RunError when the log
/// cannot be written.
template <class Find, class Fresh>
void mark_failed(const RunPlace& place, const std::string& reason, const Find& find, const Fresh& fresh) {
  const RunLock lock(lock_file(place.folder, place.name), std::chrono::milliseconds(0));
  if (!lock.held()) return;
  remove_temporary_files(place.folder, place.name);
  auto log = find();
  if (!log) log = fresh();
  if (!log || log->status != RunStatus::running) return;
  log->status = RunStatus::failed;
  log->failure = reason;
  write_log(place.log(), *log);
}

}  // namespace normalign
