#include <unistd.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file_content.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/commands/job_arguments.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/results/run_states.hpp"
#include "experiments/results/summary.hpp"
#include "experiments/runs/interrupt.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/progress.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/sweep.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct SweepArguments {
  std::string file;
  JobArguments runs;
  double checkpoint_seconds = 30;
  std::vector<std::string> settings;  // NAME=VALUE
  std::vector<std::string> only;      // tasks
  std::string data;
  bool is_list = false;
};

// What is said for all runs; a folder may look like a number to JSON, so it is put in quotes.
std::vector<std::string> assignments(const SweepArguments& a) {
  std::vector<std::string> result = a.settings;
  if (!a.data.empty()) result.push_back("data=" + nlohmann::json(a.data).dump());
  return result;
}

// One run, here.
int run_one(const SweepArguments& a, const std::vector<RunConfig>& runs) {
  const RunConfig& run = run_named(
      a.runs.run, runs, [](const RunConfig& r) { return run_name(r); }, "of " + a.file);
  Progress progress(std::cerr, isatty(STDERR_FILENO), run.epochs);
  RunObserver observer{.checkpoint_seconds = a.checkpoint_seconds};
  if (a.runs.parent == 0) observer.progress = [&](const RunLog& log, Index epoch) { progress(log, epoch); };
  // A parent forwards signals that may come to this process too, and itself ends it where it takes too long.
  const Interrupt interrupt(a.runs.parent == 0 ? SecondSignal::ends : SecondSignal::is_noted);
  observer.stop = [&] { return interrupt.signal() != 0; };
  return as_job(a.runs.run, [&] {
    const RunLog log = sweep_run(run, a.runs.out, a.runs.threads, observer);
    progress.finish();
    if (log.status == RunStatus::running) return stopped(a.runs.run, interrupt.signal());
    if (log.status == RunStatus::failed) throw RunError(log.failure);
    return 0;
  });
}

int run_all(const SweepArguments& a, const std::vector<RunConfig>& all, const std::string& content) {
  // The processes get the file as it is now: it may be edited before the last of them starts.
  std::vector<std::string> command = run_command({"sweep", "/dev/stdin"}, a.runs);
  command.push_back(text("--checkpoint-seconds=", a.checkpoint_seconds));
  for (const std::string& setting : assignments(a)) command.push_back("--set=" + setting);
  const std::vector<RunConfig> runs = shard_of(all, a.runs.shard);
  const JobQueueResult result = run_sweep(runs,
                                          {.folder = a.runs.out,
                                           .jobs = jobs_at_a_time(a.runs),
                                           .terminal = isatty(STDERR_FILENO) == 1,
                                           .command =
                                               [&](const std::string& name) {
                                                 std::vector<std::string> of_run = command;
                                                 of_run.push_back("--run=" + name);
                                                 return of_run;
                                               },
                                           .input = content},
                                          std::cerr);
  if (!result.is_complete()) return result.status();
  std::vector<RunLog> logs;
  for (const RunConfig& run : runs)
    if (auto log = if_readable([&] { return log_of(run, a.runs.out); })) logs.push_back(std::move(*log));
  if (logs.empty()) return result.status();
  const TableSet table = grokking_tables(by_task(logs));
  if (!a.runs.json.empty()) write_json_file(a.runs.json, kind::summary, as_json(table));
  print(table, a.runs.wide);
  return result.status();
}

// What is in the folder of the run: a state, or why its log is of no use to it.
std::string state_in(const fs::path& folder, const RunConfig& run) {
  try {
    log_of(run, folder);
    return name_of(progress_of(RunPlace{folder, run_name(run)}).state);
  } catch (const UnreadableLog&) {
    return "unreadable";
  } catch (const InputError&) {
    return "another run's log";
  }
}

// The settings that have different values in runs of the task, joined by +.
std::string differing_settings(const std::vector<RunConfig>& runs, const std::string& of_task) {
  std::map<std::string, std::set<std::string>> values;
  for (const RunConfig& run : runs) {
    if (run.task != of_task) continue;
    const nlohmann::ordered_json read = settings_read(run);
    for (const auto& [name, value] : read.items()) values[name].insert(settings::written(value));
  }
  std::vector<std::string> names;
  for (const Setting<RunConfig>& row : table_of(RunConfig{}))
    if (!is_identity(row.name) && values[row.name].size() > 1) names.emplace_back(row.name);
  return joined(names, "+");
}

int list(const SweepArguments& a, const std::vector<RunConfig>& all) {
  std::map<std::string, std::string> differing;
  for (const RunConfig& run : all)
    if (!differing.contains(run.task)) differing[run.task] = differing_settings(all, run.task);
  Table table{.columns = {{.heading = "run"}, {.heading = "state"}, {.heading = "settings"}}, .left = 3};
  if (a.runs.out.empty()) table.columns[1].heading.clear();
  const std::vector<RunConfig> runs = shard_of(all, a.runs.shard);
  for (const RunConfig& run : runs)
    table.rows.push_back({run_name(run), a.runs.out.empty() ? Cell() : Cell(state_in(a.runs.out, run)),
                          grid_words(settings_read(run), differing.at(run.task))});
  std::cout << as_text(table) << runs.size() << (runs.size() == 1 ? " run" : " runs") << '\n';
  return 0;
}

int sweep(const SweepArguments& a) {
  if (a.runs.out.empty() && !a.is_list) throw InputError("--out is required (see normalign sweep --help)");
  begin(a.runs);
  if (!(a.checkpoint_seconds >= 0))
    throw InputError(text("checkpoint-seconds: found ", a.checkpoint_seconds, ", expected a number from 0"));
  const std::string content = file_content(a.file);
  const std::vector<RunConfig> runs = sweep_runs(content, a.file, assignments(a), a.only);
  if (a.is_list) return list(a, runs);
  return a.runs.run.empty() ? run_all(a, runs, content) : run_one(a, runs);
}

}  // namespace

Command add_sweep(CLI::App& app) {
  const auto arguments = std::make_shared<SweepArguments>();
  SweepArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("sweep", "Train every network that a file asks for, several at a time");
  command->footer(
      "CONFIG.json:\n"
      "  {\"settings\": {\"sparse_parity\": {\"hidden\": [[200, 200], [512]]}, \"mod_add\": {\"seeds\": [0, 1]}},\n"
      "   \"conditions\": {\"baseline\": {}, \"J only\": {\"condition\": \"grokalign\", \"penalise_offset\": false},\n"
      "                  \"grokalign\": {\"lambda\": [0.01, 0.1]}},\n"
      "   \"seeds\": {\"first\": 0, \"count\": 10},\n"
      "   \"overrides\": {\"geometry_samples\": 32}}\n"
      "asks for one run per setting (a task), condition (a label) and seed. Other keys are settings of the log's\n"
      "`config`; of several the last in this order counts: the task's, overrides, settings, conditions, --set.\n"
      "A list of values is a grid (of a setting that is a list, such as hidden, a list of lists): there is a run for\n"
      "each combination. A grid of a task's settings makes a table for each of its points, with the baseline of the\n"
      "same point. One over what only conditions read, such as lambda, and one in \"conditions\" name the condition:\n"
      "grokalign lambda 0.01.\n"
      "\n"
      "Each run writes DIR/TASK_LABEL_seedN.json, with a grid's values before the seed, in a process of its own. A\n"
      "run whose log is finished is skipped, so that the same command goes on after a crash, and after a full disk,\n"
      "which stops a sweep. Ctrl-C and SIGTERM let runs save their state first, for up to ten seconds. Over many\n"
      "machines: --shard $SLURM_ARRAY_TASK_ID/100, or one --run for each; they may share DIR. normalign status DIR\n"
      "says how far the runs are.");
  add(*command, "config", a.file, "What to run", "CONFIG.json");
  add(*command, "--setting", a.only, "The runs of this setting alone; may be given again", "NAME")
      ->allow_extra_args(false);
  CLI::Option* is_list = command->add_flag(
      "--list", a.is_list,
      "Train nothing: list the runs, the settings in which those of a task differ, and with --out how "
      "far each is");
  add_job_options(*command, a.runs, {"--setting", "--list"});
  // A list needs no folder.
  command->get_option("--out")->required(false)->description("Folder of the logs; must be given but for --list");
  is_list->excludes(command->get_option("--json"));
  add(*command, "--data", a.data, "Folder of the data set's files, for every run", "DIR");
  add(*command, "--set", a.settings, "Any setting of every run, such as beta2=0.999; again for more", "NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("--checkpoint-seconds", a.checkpoint_seconds,
                      "Seconds between two writings of a run's state; 0: every epoch (default 30)");
  return [arguments] { return sweep(*arguments); };
}

}  // namespace normalign::commands
