#include "experiments/job_queue.hpp"

#include <algorithm>

#include "experiments/run_files.hpp"
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
                  .is_finished = [&](const std::string& name) { return exists(log_file(folder.path(), name)); },
                  .command =
                      [&](const std::string& name) {
                        started.push_back(name);
                        return std::vector<std::string>{"/bin/sh", "-c", script, name, folder.path().string()};
                      },
                  .mark_failed = [&](const std::string& name,
                                     const std::string& reason) { failures.push_back(name + ": " + reason); }},
                 stream);
    out = stream.str();
    return result;
  }
  TemporaryFolder folder;
  std::vector<std::string> started = {}, failures = {};
  std::string out = {};
};

TEST_CASE("job queue: the costliest jobs start first, equal ones in their order; finished ones do not") {
  ShellJobs jobs;
  write_file(log_file(jobs.folder.path(), "there"), "{}");
  write_file(checkpoint_file(jobs.folder.path(), "there"), "");
  CHECK(jobs.run({{.name = "a", .cost = 1}, {.name = "there", .cost = 9}, {.name = "b", .cost = 3}, {.name = "c"}},
                 "echo {} > \"$1/$0.json\"")
            .failed == 0);
  CHECK(jobs.started == std::vector<std::string>{"b", "a", "c"});
  CHECK(contains(jobs.out, "test: 1 runs are there already, 3 to do\n"));
  CHECK(contains(jobs.out, "test: 4 done, 0 running, 0 left, 0 failed\n"));
  CHECK_FALSE(exists(checkpoint_file(jobs.folder.path(), "there")));
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
  REQUIRE(!reports.empty());
  CHECK(contains(reports.front(), "1 done, "));
  if (contains(reports.front(), "1 running")) CHECK(hours(reports.front()));
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

TEST_CASE("job queue: what a job throws carries its name and its kind of error") {
  CHECK(as_job("a", [] { return 3; }) == 3);
  CHECK(message_of([] { as_job("a", []() -> int { throw InputError("x"); }); }) == "a: x");
  CHECK(message_of<RunError>([] { as_job("a", []() -> int { throw RunError("x"); }); }) == "a: x");
  CHECK(message_of<RunError>([] { as_job("a", []() -> int { throw std::bad_alloc(); }); }) == "a: std::bad_alloc");
}

}  // namespace
}  // namespace normalign::tests
