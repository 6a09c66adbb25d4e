#include "experiments/runs/job_queue.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "base/atomic_file.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/run_files.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// Jobs whose processes are a shell script, $0 being the job's name and $1 the folder; one is finished when its log is
// there.
struct ShellJobs {
  JobQueueResult run(const std::vector<Job>& jobs, const std::string& script, int at_a_time = 1) {
    std::ostringstream stream;
    const JobQueueResult result =
        run_jobs(jobs,
                 {.title = "test",
                  .folder = folder.path(),
                  .jobs = at_a_time,
                  .is_finished =
                      [&](const std::string& name) {
                        if (name == damaged) throw UnreadableLog(name + ".json: not JSON");
                        return exists(RunPlace{folder.path(), name}.log());
                      },
                  .command =
                      [&](const std::string& name) {
                        started.push_back(name);
                        return std::vector<std::string>{"/bin/sh", "-c", script, name, folder.path().string()};
                      },
                  .mark_failed =
                      [&](const std::string& name, const std::string& reason) {
                        failures.push_back(name + ": " + reason);
                        refusal();
                      }},
                 stream);
    out = stream.str();
    return result;
  }
  TemporaryFolder folder;
  std::vector<std::string> started = {}, failures = {};
  std::string out = {};
  std::string damaged = {};               // the job whose log cannot be read
  std::function<void()> refusal = [] {};  // what noting down a failure throws
};

TEST_CASE("job queue: the costliest jobs start first, equal ones in their order; finished ones do not") {
  ShellJobs jobs;
  write_file(RunPlace{jobs.folder.path(), "there"}.log(), "{}");
  write_file(RunPlace{jobs.folder.path(), "there"}.checkpoint(), "");
  CHECK(jobs.run({{.name = "a", .cost = 1}, {.name = "there", .cost = 9}, {.name = "b", .cost = 3}, {.name = "c"}},
                 "echo {} > \"$1/$0.json\"")
            .failed == 0);
  CHECK(jobs.started == std::vector<std::string>{"b", "a", "c"});
  CHECK(contains(jobs.out, "test: 1 runs are there already, 3 to do\n"));
  CHECK(contains(jobs.out, "test: 4 done, 0 running, 0 left, 0 failed\n"));
  CHECK_FALSE(exists(RunPlace{jobs.folder.path(), "there"}.checkpoint()));
  jobs.started.clear();
  jobs.run({{.name = "a"}, {.name = "b"}}, "true");
  CHECK(jobs.started.empty());
}

TEST_CASE("job queue: the time left weighs jobs by their costs") {
  // Once the small job has ended, one of a million times its cost has hours to go, on any machine.
  ShellJobs jobs;
  jobs.run({{.name = "large", .kind = "a", .cost = 1e6}, {.name = "small", .kind = "a", .cost = 1}},
           "case $0 in small) sleep 0.05;; *) while [ ! -e \"$1/end\" ]; do sleep 0.05; done;; esac; touch \"$1/end\"",
           2);
  const auto hours = [&](const std::string& line) { return std::ranges::count(line, ':') == 3; };  // test: ... h:mm:ss
  const std::vector<std::string> reports = lines(jobs.out);
  REQUIRE(reports.size() > 1);
  CHECK(reports[0] == "test: 2 runs to do");
  CHECK(contains(reports[1], "1 done, "));
  if (contains(reports[1], "1 running")) CHECK(hours(reports[1]));
}

TEST_CASE("job queue: a failed job is told with its reason, and the others go on") {
  ShellJobs jobs;
  const JobQueueResult result =
      jobs.run({{.name = "a"}, {.name = "b"}, {.name = "c"}},
               "case $0 in a) echo \"normalign: a: no disk\" >&2; exit 2;; b) kill -9 $$;; esac", 2);
  CHECK(result.failed == 2);
  std::ranges::sort(jobs.failures);
  CHECK(jobs.failures == std::vector<std::string>{"a: no disk", "b: the process ended by signal 9"});
  CHECK(jobs.started.size() == 3);
}

TEST_CASE("job queue: a job that cannot write for want of space stops the queue with one message") {
  ShellJobs jobs;
  const JobQueueResult result =
      jobs.run({{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}, {.name = "e"}},
               "echo \"normalign: $0: x.json: cannot be written: No space left on device\" >&2; exit 1", 2);
  CHECK(result.storage_failed);
  CHECK_FALSE(result.is_complete());
  CHECK(result.status() == 1);
  CHECK(jobs.started == std::vector<std::string>{"a", "b"});
  REQUIRE(!jobs.failures.empty());
  for (const std::string& failure : jobs.failures)
    CHECK(contains(failure, ": x.json: cannot be written: No space left on device"));
  CHECK(std::ranges::count(lines(jobs.out), true, [](const std::string& line) { return contains(line, "No space"); }) ==
        1);
  CHECK(contains(jobs.out,
                 "test: stopped with 5 runs left, 0 of which saved their state; the same command goes on when"));
}

TEST_CASE("job queue: where a failure cannot be noted down for want of space, the queue stops too") {
  ShellJobs jobs;
  jobs.refusal = [] { throw StorageError("a.json: the log cannot be written: No space left on device"); };
  const JobQueueResult result = jobs.run({{.name = "a"}, {.name = "b"}}, "echo other >&2; exit 1");
  CHECK(result.storage_failed);
  CHECK(jobs.started.size() == 1);
  // Another reason is told, and the others go on.
  jobs.started.clear();
  jobs.refusal = [] { throw RunError("a.lock: cannot be made"); };
  CHECK(jobs.run({{.name = "a"}, {.name = "b"}}, "exit 1").failed == 2);
  CHECK(jobs.started.size() == 2);
  CHECK(contains(jobs.out, "normalign: a: a.lock: cannot be made\n"));
}

TEST_CASE("job queue: a log that cannot be read fails its job alone, before anything is started") {
  ShellJobs jobs;
  jobs.damaged = "b";
  const JobQueueResult result = jobs.run({{.name = "a"}, {.name = "b"}, {.name = "c"}}, "echo {} > \"$1/$0.json\"");
  CHECK(result.failed == 1);
  CHECK(result.status() == 1);
  CHECK(result.is_complete());
  CHECK(jobs.started == std::vector<std::string>{"a", "c"});
  CHECK(contains(jobs.out, "normalign: b: b.json: not JSON; without this file the same command does the run\n"));
}

// Runs jobs in a process of its own, which gets the signal when every job has made its file "started"; a second one
// follows where one job makes "asked" and `twice`. Its output is in the file "out".
int status_when_stopped(ShellJobs& jobs, int signal, const std::vector<Job>& all, const std::string& script,
                        bool twice = false) {
  const auto comes = [&](const std::string& file) {
    for (int i = 0; i < 6000 && !exists(jobs.folder / file); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  };
  const pid_t process = ::fork();
  if (process == 0) {
    std::signal(signal, SIG_DFL);
    const JobQueueResult result = jobs.run(all, script, 2);
    write_file(jobs.folder / "out", jobs.out);
    ::_exit(result.status());
  }
  for (const char* name : {"a", "b"}) comes(name + std::string(".started"));
  ::kill(process, signal);
  if (twice) {
    comes("a.asked");
    ::kill(process, signal);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_CASE("job queue: a signal lets what runs save its state, and says how much is left") {
  for (const int signal : {SIGINT, SIGTERM}) {
    ShellJobs jobs;
    CHECK(status_when_stopped(jobs, signal, {{.name = "a"}, {.name = "b"}, {.name = "c"}},
                              "trap 'touch \"$1/$0.saved\"; exit 143' TERM; touch \"$1/$0.started\"; "
                              "while :; do sleep 0.02; done") == 128 + signal);
    CHECK(exists(jobs.folder / "a.saved"));
    CHECK(exists(jobs.folder / "b.saved"));
    CHECK_FALSE(exists(jobs.folder / "c.started"));
    const std::string out = read_file(jobs.folder / "out");
    CHECK(contains(out, "test: stopped by signal " + std::to_string(signal) +
                            " with 3 runs left, 2 of which saved their state; the same command goes on\n"));
  }
}

TEST_CASE("job queue: what does not end when asked is killed at a second signal") {
  ShellJobs jobs;
  const auto start = std::chrono::steady_clock::now();
  CHECK(status_when_stopped(jobs, SIGTERM, {{.name = "a"}, {.name = "b"}},
                            "trap 'touch \"$1/$0.asked\"' TERM; echo $$ > \"$1/$0.started\"; "
                            "while :; do sleep 0.02; done",
                            true) == 128 + SIGTERM);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(9));  // the queue would wait for ten
  CHECK(contains(read_file(jobs.folder / "out"), "with 2 runs left, 0 of which saved their state"));
  for (const char* name : {"a.started", "b.started"}) CHECK(::kill(std::stoi(read_file(jobs.folder / name)), 0) != 0);
}

TEST_CASE("job queue: what a job throws carries its name and its kind of error") {
  CHECK(as_job("a", [] { return 3; }) == 3);
  CHECK(message_of([] { as_job("a", []() -> int { throw InputError("x"); }); }) == "a: x");
  CHECK(message_of<RunError>([] { as_job("a", []() -> int { throw RunError("x"); }); }) == "a: x");
  CHECK(message_of<RunError>([] { as_job("a", []() -> int { throw std::bad_alloc(); }); }) == "a: std::bad_alloc");
}

}  // namespace
}  // namespace normalign::tests
