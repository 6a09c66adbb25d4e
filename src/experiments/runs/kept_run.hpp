// One run in a folder, of whatever kind: how its log is found, how the run is done under its lock, and how it is marked
// as failed. A kind of run has a log type with `status` and `failure`, and write_log(path, log).
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "experiments/runs/job_queue.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/runs/run_lock.hpp"

namespace normalign {

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
  const RunLock lock(place.lock(), patience);
  if (!lock.held()) throw RunError("another process is at this run");
  remove_temporary_files(place);
  if (auto log = find(); is_finished(log)) return *log;
  return train();
}

/// Writes a log that says the run failed and why, for a process that had no time to: the one that `find` finds, or
/// where that is none the one that `fresh` makes, unless it says already how the run ended or neither gives one.
/// Another process may be at the run by then: it is left to that one. Throws as `find` does and RunError when the log
/// cannot be written.
template <class Find, class Fresh>
void mark_failed(const RunPlace& place, const std::string& reason, const Find& find, const Fresh& fresh) {
  const RunLock lock(place.lock(), std::chrono::milliseconds(0));
  if (!lock.held()) return;
  remove_temporary_files(place);
  auto log = find();
  if (!log) log = fresh();
  if (!log || log->status != RunStatus::running) return;
  log->status = RunStatus::failed;
  log->failure = reason;
  write_log(place.log(), *log);
}

/// Does those of the runs that have no finished log, as `run_jobs` does with `options`, of which what is finished and
/// what marks a run failed are set here. `job_of(run)` is its job, `find(run)` its log if there is one, and
/// `fresh(run)` the log of a failed run that has none, if it is to have one.
template <class Run, class JobOf, class Find, class Fresh>
JobQueueResult run_kept(const std::vector<Run>& runs, JobQueueOptions options, std::ostream& out, const JobOf& job_of,
                        const Find& find, const Fresh& fresh) {
  std::vector<Job> jobs;
  std::map<std::string, const Run*> by_name;
  for (const Run& run : runs) {
    jobs.push_back(job_of(run));
    by_name[jobs.back().name] = &run;
  }
  options.is_finished = [&](const std::string& name) { return is_finished(find(*by_name.at(name))); };
  options.mark_failed = [&](const std::string& name, const std::string& reason) {
    const Run& run = *by_name.at(name);
    mark_failed(
        {options.folder, name}, reason, [&] { return find(run); }, [&] { return fresh(run); });
  };
  return run_jobs(jobs, options, out);
}

}  // namespace normalign
