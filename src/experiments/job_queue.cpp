#include "experiments/job_queue.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <list>
#include <map>

#include "experiments/child_process.hpp"
#include "experiments/progress.hpp"
#include "experiments/run_files.hpp"
#include "experiments/run_log.hpp"
#include "experiments/status_line.hpp"

namespace normalign {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct Running {
  Job job;
  ChildProcess process;
  Clock::time_point start = Clock::now();
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

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
      : options_(options), out_(out), status_(out, options.terminal) {
    for (const Job& job : jobs)
      if (options.is_finished(job.name))
        ++done_;
      else
        left_.push_back(job);
    for (const Job& job : left_) check_writable_log(log_file(options.folder, job.name), true);
    left_.sort([](const Job& a, const Job& b) { return a.cost > b.cost; });  // stable
  }

  JobQueueResult run() {
    if (done_ > 0 || left_.empty())
      report(text(options_.title, ": ", done_, " runs are there already, ", left_.size(), " to do"));
    SignalWait signals;
    for (bool news = false;;) {
      while (static_cast<int>(running_.size()) < options_.jobs && !left_.empty()) start_next();
      status_.show(state());
      if (!options_.terminal && news) report(state());
      if (running_.empty()) break;
      if (const int signal = signals.wait(1000ms)) {
        const std::size_t stopped = running_.size() + left_.size();
        running_.clear();
        report(text(options_.title, ": stopped by signal ", signal, " with ", stopped,
                    " runs left; the same command goes on"));
        return {failed_, signal};
      }
      news = std::erase_if(running_, [&](Running& running) {
        const auto end = running.process.end();
        if (end) take_note(running, *end);
        return end.has_value();
      });
    }
    status_.clear();
    return {failed_, 0};
  }

 private:
  void start_next() {
    Job job = std::move(left_.front());
    left_.pop_front();
    ChildProcess process(options_.command(job.name), options_.input);
    running_.push_back({std::move(job), std::move(process)});
  }

  void take_note(const Running& ended, const ProcessEnd& end) {
    const std::string& name = ended.job.name;
    status_.clear();
    out_ << end.error << std::flush;
    if (end.status == 0 && end.signal == 0) {
      ++done_;
      durations_.add(ended.job, seconds_since(ended.start));
    } else {
      ++failed_;
      std::string reason = said_by(end, name);
      if (reason.empty()) {
        reason = end.signal ? text("the process ended by signal ", end.signal)
                            : text("the process ended with status ", end.status);
        report(text("normalign: ", name, ": ", reason));
      }
      options_.mark_failed(name, reason);
    }
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
  std::list<Job> left_;
  std::list<Running> running_;
  Durations durations_;
  Index done_ = 0, failed_ = 0;
};

}  // namespace

JobQueueResult run_jobs(const std::vector<Job>& jobs, const JobQueueOptions& options, std::ostream& out) {
  const JobQueueResult result = Queue(jobs, options, out).run();
  if (result.signal) return result;
  // What processes left that were killed, at an earlier end perhaps, after their log was finished.
  for (const Job& job : jobs)
    if (options.is_finished(job.name)) remove_all_but_log(options.folder, job.name);
  return result;
}

Shard shard(std::string_view words) {
  std::istringstream in{std::string(words)};
  in >> std::noskipws;
  std::size_t i = 0, n = 0;
  char slash = 0;
  if (!std::isdigit(static_cast<unsigned char>(words.empty() ? ' ' : words.front())) || !(in >> i >> slash) ||
      slash != '/' || !std::isdigit(in.peek()) || !(in >> n) || in.peek() != EOF || i < 1 || i > n)
    throw InputError(text("shard: found '", words, "', expected i/n with 1 <= i <= n"));
  return {i - 1, n};
}

}  // namespace normalign
