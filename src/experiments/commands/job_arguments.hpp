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

}  // namespace normalign::commands
