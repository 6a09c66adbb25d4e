#include "experiments/commands/job_arguments.hpp"

#include <unistd.h>

#include <algorithm>

#include "base/cores.hpp"
#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/runs/child_process.hpp"

namespace normalign::commands {
void add_job_options(CLI::App& command, JobArguments& a, const std::vector<std::string>& others) {
  const std::string preset = a.out.empty() ? "" : text(" (default ", a.out, ')');
  command.add_option("--out", a.out, "Folder of the logs" + preset)->required(a.out.empty())->type_name("DIR");
  auto* jobs = command.add_option("--jobs", a.jobs, "Runs at a time (default: all cores it may use / threads)");
  command.add_option("--threads", a.threads, "Threads of each run; results do not depend on it (default 1)");
  auto* shard = add(command, "--shard", a.shard, "Of all runs the i-th, from 1, and every n-th after it", "i/n");
  auto* run = add(command, "--run", a.run, "This run alone, in this process", "NAME");
  auto* json = add(command, "--json", a.json, "Write the table at the end as JSON too, with every digit", "FILE");
  add_wide_option(command, a.wide);
  run->excludes(jobs, shard, json);
  for (const std::string& other : others) run->excludes(command.get_option(other));
  command.add_option("--parent", a.parent, "The process that started this run")->group("");
}

void begin(const JobArguments& a) {
  if (a.parent > 0) end_with_parent(a.parent);
  check_whole("--threads", a.threads, 1, 1024);
  check_whole("--jobs", a.jobs.value_or(1), 1, 1024);
}

int thread_count(const std::optional<int>& given) {
  if (!given) return usable_cores();
  check_whole("--threads", *given, 1, 1024);
  return *given;
}

int jobs_at_a_time(const JobArguments& a) { return a.jobs ? *a.jobs : std::max(1, usable_cores() / a.threads); }

void refuse_run(const std::string& wanted, const std::vector<std::string>& known, const std::string& whose) {
  throw InputError(text("--run: found '", wanted, "', expected one of the ", known.size(), " runs ", whose,
                        known.empty() ? "" : ", such as " + nearest_name(wanted, known).value_or(known.front())));
}

std::vector<std::string> run_command(const std::vector<std::string>& command, const JobArguments& a) {
  std::vector<std::string> result = {"/proc/self/exe"};
  result.insert(result.end(), command.begin(), command.end());
  for (const std::string& option : {"--out=" + a.out, text("--threads=", a.threads), text("--parent=", getpid())})
    result.push_back(option);
  return result;
}

}  // namespace normalign::commands
