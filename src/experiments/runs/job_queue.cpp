#include "experiments/runs/job_queue.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <list>
#include <map>

#include "base/atomic_file.hpp"
#include "base/clock.hpp"
#include "base/number_text.hpp"
#include "experiments/runs/child_process.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/runs/status_line.hpp"

namespace normalign {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds patience{10};  // with processes that are asked to end

struct Running {
  Job job;
  ChildProcess process;
  Clock::time_point start = Clock::now();
};

// How long jobs took for their cost, to tell how long others will.
class Durations {
 public:
  void add(const Job& job, double seconds) {
    for (Sum* sum : {&all_, &of_[job.kind]}) {
      sum->seconds += seconds;
      sum->cost += job.cost;
    }
  }
  // Seconds; NaN when no job has ended yet.
  double expected(const Job& job) const {
    const auto found = of_.find(job.kind);
    const Sum& sum = found == of_.end() ? all_ : found->second;
    return job.cost * (sum.seconds / sum.cost);
  }

 private:
  struct Sum {
    double seconds = 0, cost = 0;
  };
  Sum all_;
  std::map<std::string, Sum> of_;
};

// The jobs on their way.
class Queue {
 public:
  Queue(const std::vector<Job>& jobs, const JobQueueOptions& options, std::ostream& out)
      : options_(options), out_(out), status_(out, options.terminal), all_(static_cast<Index>(jobs.size())) {
    for (const Job& job : jobs) {
      try {
        if (options.is_finished(job.name))
          ++done_;
        else
          left_.push_back(job);
      } catch (const UnreadableLog& error) {
        ++failed_;
        report(text("normalign: ", job.name, ": ", error.what(), "; without this file the same command does the run"));
      }
    }
    for (const Job& job : left_) check_writable_log(RunPlace{options.folder, job.name}.log(), true);
    left_.sort([](const Job& a, const Job& b) { return a.cost > b.cost; });  // stable
  }

  JobQueueResult run() {
    report(text(options_.title, ": ",
                done_ > 0 || left_.empty() ? text(done_, " runs are there already, ", left_.size(), " to do")
                                           : text(left_.size(), " runs to do")));
    SignalWait signals;
    for (bool news = false;;) {
      while (static_cast<int>(running_.size()) < options_.jobs && !left_.empty()) start_next();
      status_.show(state());
      if (!options_.terminal && news) report(state());
      if (running_.empty()) break;
      const int signal = signals.wait(1000ms);
      is_stopping_ = signal != 0;
      news = take_notes() > 0;
      if (signal || !full_.empty()) return stop(signals, signal);
    }
    status_.clear();
    return {.failed = failed_};
  }

 private:
  void start_next() {
    Job job = std::move(left_.front());
    left_.pop_front();
    ChildProcess process(options_.command(job.name), options_.input);
    running_.push_back({std::move(job), std::move(process)});
  }

  // Of the processes that have ended, whose number it returns.
  std::size_t take_notes() {
    return std::erase_if(running_, [&](Running& running) {
      const auto end = running.process.end();
      if (end) take_note(running, *end);
      return end.has_value();
    });
  }

  void take_note(const Running& ended, const ProcessEnd& end) {
    const std::string& name = ended.job.name;
    if (end.status == 0 && end.signal == 0) {
      ++done_;
      durations_.add(ended.job, seconds_since(ended.start));
      pass_on(end);
    } else if (is_stopping_ && (end.status == 128 + SIGTERM || end.signal == SIGTERM)) {
      saved_ += end.signal == 0;
    } else {
      take_note_of_failure(name, end);
    }
  }

  void pass_on(const ProcessEnd& end) {
    status_.clear();
    out_ << end.error << std::flush;
  }

  void take_note_of_failure(const std::string& name, const ProcessEnd& end) {
    ++failed_;
    std::string reason = said_by(end, name);
    if (tells_storage_error(reason)) {
      full_.emplace_back(name, reason);
      return;
    }
    pass_on(end);
    if (reason.empty()) {
      reason = end.signal ? text("the process ended by signal ", end.signal)
                          : text("the process ended with status ", end.status);
      report(text("normalign: ", name, ": ", reason));
    }
    mark_failed(name, reason);
  }

  // What cannot be noted down does not keep the other jobs from their ends.
  void mark_failed(const std::string& name, const std::string& reason) {
    try {
      options_.mark_failed(name, reason);
    } catch (const UnreadableLog&) {  // of which the process has told
    } catch (const std::exception& error) {
      if (tells_storage_error(error.what()))
        full_.emplace_back(name, error.what());
      else
        report(text("normalign: ", name, ": ", error.what()));
    }
  }

  // Lets what runs save its state and end, and says what is left to do.
  JobQueueResult stop(SignalWait& signals, int signal) {
    is_stopping_ = true;
    if (!running_.empty())
      report(text(options_.title, ": ", running_.size(), " runs may take up to ", patience.count(),
                  " s to end; a second signal ends them at once"));
    for (Running& running : running_) running.process.ask_to_end();
    for (const auto limit = Clock::now() + patience; !running_.empty() && Clock::now() < limit; take_notes())
      if (const int second = signals.wait(100ms)) {
        signal = second;
        break;
      }
    running_.clear();
    const auto full = std::exchange(full_, {});
    // There may be space again for these few bytes, as what the runs had in hand is removed.
    for (const auto& [name, reason] : full) mark_failed(name, reason);
    const Index left = all_ - done_ - failed_ + static_cast<Index>(full.size());
    report(text(options_.title, ": stopped", signal ? text(" by signal ", signal) : "", " with ", left, " runs left, ",
                saved_, " of which saved their state; the same command goes on",
                full.empty() ? "" : text(" when there is space: ", full.front().first, ": ", full.front().second)));
    return {.failed = failed_, .signal = signal, .storage_failed = !full.empty()};
  }

  // The process's own last word on why it failed, in the form of all messages; empty when it had none.
  static std::string said_by(const ProcessEnd& end, const std::string& name) {
    const std::string start = text("normalign: ", name, ": ");
    const auto at = end.error.rfind(start);
    if (end.signal || at == std::string::npos) return "";
    const auto from = at + start.size();
    return end.error.substr(from, end.error.find('\n', from) - from);
  }

  // No job is split: the longest one is the least that is left.
  double seconds_left() const {
    double all = 0, longest = 0;
    const auto add = [&](double seconds) {
      all += seconds;
      longest = std::max(longest, seconds);
    };
    for (const Job& job : left_) add(durations_.expected(job));
    for (const Running& running : running_)
      add(std::max(durations_.expected(running.job) - seconds_since(running.start), 0.0));
    const std::size_t at_a_time = std::min(static_cast<std::size_t>(options_.jobs), running_.size() + left_.size());
    return std::max(all / static_cast<double>(at_a_time), longest);
  }

  std::string state() const {
    return text(options_.title, ": ", done_, " done, ", running_.size(), " running, ", left_.size(), " left, ", failed_,
                " failed",
                running_.empty() && left_.empty() ? "" : text("; about ", duration(seconds_left()), " left"));
  }

  void report(const std::string& line) {
    status_.clear();
    out_ << line << std::endl;
  }

  const JobQueueOptions& options_;
  std::ostream& out_;
  StatusLine status_;
  const Index all_;  // jobs
  std::list<Job> left_;
  std::list<Running> running_;
  Durations durations_;
  Index done_ = 0, failed_ = 0, saved_ = 0;
  bool is_stopping_ = false;
  std::vector<std::pair<std::string, std::string>> full_;  // jobs that could not write, and what they said
};

}  // namespace

JobQueueResult run_jobs(const std::vector<Job>& jobs, const JobQueueOptions& options, std::ostream& out) {
  const JobQueueResult result = Queue(jobs, options, out).run();
  if (!result.is_complete()) return result;
  // What processes left that were killed, at an earlier end perhaps, after their log was finished.
  for (const Job& job : jobs)
    if (if_readable([&] { return std::optional(options.is_finished(job.name)); }).value_or(false))
      remove_all_but_log({options.folder, job.name});
  return result;
}

Shard shard(std::string_view words) {
  const auto slash = std::min(words.find('/'), words.size());
  const auto i = whole_number(words.substr(0, slash)),
             n = whole_number(words.substr(std::min(slash + 1, words.size())));
  if (!i || !n || *i < 1 || *i > *n)
    throw InputError(text("shard: found '", words, "', expected i/n with 1 <= i <= n"));
  return {static_cast<std::size_t>(*i) - 1, static_cast<std::size_t>(*n)};
}

}  // namespace normalign
