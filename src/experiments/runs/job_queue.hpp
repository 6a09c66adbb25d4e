// Many runs, each in a process of its own, several at a time.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// One run.
struct Job {
  std::string name;  ///< of the run, after which its files are named
  /// Jobs of one kind are presumed to take times in proportion to their costs; one of a kind that none has ended of, to
  /// take as long for its cost as all jobs together.
  std::string kind = {};
  double cost = 1;  ///< in any unit, the same for all jobs
};

/// How the jobs are done.
struct JobQueueOptions {
  std::string title = {};                                         ///< what lines of progress begin with
  std::filesystem::path folder;                                   ///< of the runs' files
  int jobs = 1;                                                   ///< processes at a time
  bool terminal = false;                                          ///< progress is one line that is written over
  std::function<bool(const std::string& name)> is_finished = {};  ///< whether there is a log of the run, and finished
  /// Program and arguments of the job's process, which ends with status 0 when the job is done and else says why in a
  /// line as `as_job` makes it.
  std::function<std::vector<std::string>(const std::string& name)> command;
  std::string input = {};  ///< what each process finds on its standard input
  /// Told that the job has failed and why; its process may have had no time to say so in the log.
  std::function<void(const std::string& name, const std::string& reason)> mark_failed = {};
};

/// How it ended.
struct JobQueueResult {
  Index failed = 0;
  int signal = 0;               ///< SIGINT or SIGTERM, which ended it early, or 0
  bool storage_failed = false;  ///< files could not be written any more, which ended it early

  /// Whether it came to its end.
  bool is_complete() const { return !signal && !storage_failed; }
  /// The exit status that says so.
  int status() const { return signal ? 128 + signal : failed > 0 || storage_failed ? 1 : 0; }
};

/// Does those of the jobs that are not finished, the costliest first, so that at the end no processor waits for one
/// long job; of equal ones in their order. Progress and failures go to `out`. A failed job does not stop the others,
/// nor does one whose log `is_finished` cannot read (UnreadableLog), which counts as failed. At the end the folder
/// holds logs alone, and checkpoints of failed runs. SIGINT, SIGTERM, and a job that says it cannot write for want of
/// space, end the queue early: processes are sent SIGTERM, on which those that can save their state and end with status
/// 143, and are killed after ten seconds or at a second signal. Lets through what else `is_finished` throws and throws
/// InputError where a log cannot be written, both before anything is started.
JobQueueResult run_jobs(const std::vector<Job>& jobs, const JobQueueOptions& options, std::ostream& out);

/// Does `action` in the process of a job: whatever it throws has the job's name in front, so that each message says
/// which of many jobs it is about.
template <class Action>
auto as_job(const std::string& name, const Action& action) {
  try {
    return action();
  } catch (const InputError& error) {
    throw InputError(text(name, ": ", error.what()));
  } catch (const std::exception& error) {
    throw RunError(text(name, ": ", error.what()));
  }
}

/// Which part of a list one machine of many takes: the elements first, first + step, ..., counted from 0.
struct Shard {
  std::size_t first = 0, step = 1;
};

/// The i-th of n shards, counted from 1, where `words` are "i/n". Throws InputError unless 1 <= i <= n.
Shard shard(std::string_view words);

/// The part of `runs` that the shard "i/n" takes. Throws as `shard` does.
template <class Run>
std::vector<Run> shard_of(const std::vector<Run>& runs, std::string_view words) {
  const Shard part = shard(words);
  std::vector<Run> result;
  for (std::size_t k = part.first; k < runs.size(); k += part.step) result.push_back(runs[k]);
  return result;
}

}  // namespace normalign
