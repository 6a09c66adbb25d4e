// The arguments of commands that do many runs in processes of their own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace normalign::commands {

/// Which of the runs are done, where, and how many at a time.
struct JobArguments {
  std::string out = {};          ///< folder of the logs
  std::string shard = "1/1";     ///< i/n
  std::string run = {};          ///< this run alone, in this process; empty: all, each in its own
  std::string json = {};         ///< the table at the end goes to this file too; empty: to none
  std::optional<int> jobs = {};  ///< at a time; absent: all cores it may use / threads
  int threads = 1;               ///< of each run
  pid_t parent = 0;              ///< the process that started this one for its run; 0: a user did
  bool wide = false;             ///< whether the table at the end is as wide as it is
};

/// Adds --out (which must be given unless `arguments` has one), --jobs, --threads, --shard, --json, --wide and --run,
/// and the hidden --parent. `others`: names of options that do not go with --run.
void add_job_options(CLI::App& command, JobArguments& arguments, const std::vector<std::string>& others = {});

/// To be called first: throws InputError on numbers out of range, and ends this process with its parent where it has
/// one to end with.
void begin(const JobArguments& arguments);

/// How many runs are done at a time.
int jobs_at_a_time(const JobArguments& arguments);

/// Program and first arguments of the process of one run: `command` and its operands, then --out, --threads and
/// --parent. What is missing is --run and what the command has besides.
std::vector<std::string> run_command(const std::vector<std::string>& command, const JobArguments& arguments);

/// Throws InputError: --run names none of `known`, which are the runs "asked for" or "of FILE", as `whose` says.
[[noreturn]] void refuse_run(const std::string& wanted, const std::vector<std::string>& known,
                             const std::string& whose);

/// The run that --run names, `name_of(run)` being a run's name. Throws as `refuse_run` does.
template <class Run, class NameOf>
const Run& run_named(const std::string& wanted, const std::vector<Run>& runs, const NameOf& name_of,
                     const std::string& whose) {
  std::vector<std::string> names;
  for (const Run& run : runs) {
    names.push_back(name_of(run));
    if (names.back() == wanted) return run;
  }
  refuse_run(wanted, names, whose);
}

}  // namespace normalign::commands
