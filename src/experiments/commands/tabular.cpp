#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.hpp"
#include "base/memory.hpp"
#include "base/number_text.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/commands/job_arguments.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/tabular/summary.hpp"
#include "experiments/tabular/sweep.hpp"

namespace normalign::commands {
namespace {

constexpr double gibibyte = 1024.0 * 1024 * 1024;

// Of a table of one's own; more of them go to processes of their own.
constexpr std::size_t most_runs_here = 4;

struct TabularArguments {
  JobArguments runs = {.out = "runs/tabular"};
  TabularRequest request;
  std::optional<std::int64_t> seed_count;
  double memory = 0;                  // GiB; 0: a share of what is free
  std::vector<std::string> settings;  // NAME=VALUE, of --set
  std::vector<std::string> named;     // the same, of options that are called as their setting is
};

TabularRequest request_of(const TabularArguments& a) {
  TabularRequest request = a.request;
  TableOptions& table = request.source.table;
  if (!table.label.empty() && (table.regression || !table.labels.empty()))
    throw InputError(text("--label: found '", one_line(table.label), "' beside ",
                          table.regression ? "a target" : "a file of labels", ", expected one of them"));
  if (table.regression) request.config.attack_radii.clear();  // attacks change classes
  if (a.seed_count) {
    check_whole("--seeds", *a.seed_count, 1, 100'000);
    request.seeds.clear();
    for (std::int64_t seed = 0; seed < *a.seed_count; ++seed) request.seeds.push_back(seed);
  }
  std::vector<std::pair<std::string, std::string>> given;  // as the user called them, and their names
  for (const auto* settings : {&a.settings, &a.named})
    for (const std::string& setting : *settings) {
      const auto [name, value] = settings::assignment(setting);
      for (const char* key : {"dataset", "alpha", "protocol", "seed"})
        if (name == key) throw InputError(text("--set ", key, ": unexpected here, expected --", key));
      settings::set(request.config, name, value);
      given.emplace_back((settings == &a.settings ? "--set " : "--") + name, name);
    }
  settings::GivenOnce once;
  for (const auto& [place, name] : given) once.add(place, name);
  for (const auto& [place, name] : given) require_read(place, name, request.config);
  request.source.precision = request.config.precision;
  return request;
}

std::string name_of(const TabularRun& run) { return run_name(run.config); }

// The arguments that ask for this run alone.
std::vector<std::string> arguments_of(const TabularRun& run, const TabularArguments& a) {
  std::vector<std::string> result = {"--dataset=" + run.config.dataset, "--alpha=" + number_text(run.config.alpha),
                                     "--protocol=" + run.config.protocol, text("--seed=", run.config.seed),
                                     "--run=" + name_of(run)};
  const TabularSource& source = a.request.source;
  const TableOptions& table = source.table;
  if (!table.label.empty()) result.push_back("--label=" + table.label);
  if (table.header) result.push_back(*table.header ? "--header=yes" : "--header=no");
  if (table.index_column != IndexColumn::refuse)
    result.push_back(table.index_column == IndexColumn::drop ? "--index-column=drop" : "--index-column=keep");
  if (table.insist_on_classes) result.push_back("--classes");
  const auto add_columns = [&](const char* option, const std::vector<std::string>& columns) {
    for (const std::string& column : columns) result.push_back(text(option, '=', column));
  };
  add_columns("--columns", table.features.columns);
  add_columns("--drop", table.features.drop);
  add_columns("--categories", table.features.categories);
  add_columns("--target", table.targets);
  if (!table.labels.empty()) result.push_back((table.regression ? "--targets=" : "--labels=") + table.labels.string());
  if (table.features.missing != MissingValues::refuse)
    result.push_back(text("--missing=", name(table.features.missing)));
  if (source.standardise) result.push_back(*source.standardise ? "--standardise" : "--no-standardise");
  if (run.saves_model) result.push_back("--save-model");
  const nlohmann::ordered_json settings = to_json(run.config);  // which outlives its items
  for (const auto& [name, value] : settings.items())
    if (name != "dataset" && name != "alpha" && name != "protocol" && name != "seed")
      result.push_back(text("--set=", name, '=', value.dump()));
  return result;
}

// Shows what the run is doing.
TabularProgress progress_on(StatusLine& status, const std::string& run) {
  return [&status, run](Index done, Index all, const std::string& what) {
    status.show(text(run, "  ", 100 * done / all, " %  ", what));
  };
}

int run_one(const TabularArguments& a, const TabularRequest& request, const std::vector<TabularRun>& runs,
            const RidgeOptions& ridge) {
  const TabularRun& run = run_named(a.runs.run, runs, name_of, "asked for");
  StatusLine status(std::cerr, a.runs.parent == 0 && isatty(STDERR_FILENO));
  return as_job(a.runs.run, [&] {
    tabular_sweep_run(run, request.source, a.runs.out, ridge, progress_on(status, a.runs.run));
    return 0;
  });
}

// What the runs found that have a log; `status` as far as all are done.
int report(const TabularArguments& a, const std::vector<TabularRun>& runs, int status) {
  std::vector<TabularLog> logs;
  for (const TabularRun& run : runs)
    if (auto log = if_readable([&] { return log_of(run.config, run.table, a.runs.out); }))
      logs.push_back(std::move(*log));
  if (logs.empty()) return status;
  const auto table = summarise(logs);
  if (!a.runs.json.empty()) write_json_file(a.runs.json, kind::tabular_summary, as_json(table));
  print(tables(table), a.runs.wide);
  return status;
}

// The runs of one table, one after the other in this process, on all cores.
int run_here(const TabularArguments& a, const TabularRequest& request, const std::vector<TabularRun>& runs,
             const RidgeOptions& ridge) {
  const auto is_left = [&](const TabularRun& run) { return !is_done(run, a.runs.out); };
  const auto left = std::ranges::count_if(runs, is_left);
  const auto all = static_cast<std::ptrdiff_t>(runs.size());
  const std::ptrdiff_t there = all - left;
  std::cerr << "tabular: " << (there > 0 ? text(there, there == 1 ? " run is" : " runs are", " there already, ") : "")
            << left << (left == 1 ? " run" : " runs") << " to do" << std::endl;
  int result = 0;
  for (const TabularRun& run : runs) {
    if (!is_left(run)) continue;
    const std::string name = run_name(run.config);
    StatusLine status(std::cerr, isatty(STDERR_FILENO));
    try {
      const auto start = Clock::now();
      tabular_sweep_run(run, request.source, a.runs.out, ridge, progress_on(status, name));
      status.clear();
      std::cerr << name << ": done in " << duration(seconds_since(start)) << std::endl;
    } catch (const RunError& error) {
      status.clear();
      std::cerr << "normalign: " << name << ": " << error.what() << std::endl;
      result = 1;
    }
  }
  return report(a, runs, result);
}

int run_all(const TabularArguments& a, const std::vector<TabularRun>& runs, double memory) {
  std::vector<std::string> command = run_command({"tabular"}, a.runs);
  if (!a.request.source.path.empty()) command.insert(command.begin() + 2, a.request.source.path.string());
  command.push_back("--memory=" + number_text(memory / gibibyte));
  const JobQueueResult result = run_tabular_sweep(
      runs,
      {.folder = a.runs.out,
       .jobs = jobs_at_a_time(a.runs),
       .terminal = isatty(STDERR_FILENO) == 1,
       .command =
           [&](const std::string& name) {
             std::vector<std::string> of_run = command;
             for (std::string& argument : arguments_of(run_named(name, runs, name_of, "asked for"), a))
               of_run.push_back(std::move(argument));
             return of_run;
           }},
      std::cerr);
  return result.is_complete() ? report(a, runs, result.status()) : result.status();
}

int tabular(const TabularArguments& a) {
  begin(a.runs);
  if (!(a.memory >= 0)) throw InputError(text("--memory: found ", a.memory, ", expected GiB, a number from 0"));
  const TabularRequest request = request_of(a);
  // A process of one run says nothing again that the one of all has said.
  std::ostream notes(a.runs.parent == 0 ? std::cerr.rdbuf() : nullptr);
  const std::vector<TabularRun> runs = tabular_runs(request, notes);
  // Of each process.
  double memory = a.memory > 0 ? a.memory * gibibyte : 0.8 * available_memory();
  const RidgeOptions one{.memory = memory, .threads = a.runs.threads};
  if (!a.runs.run.empty()) return run_one(a, request, runs, one);
  const int jobs = jobs_at_a_time(a.runs);
  const std::vector<TabularRun> of_shard = shard_of(runs, a.runs.shard);
  if (is_file(request.source) && !a.runs.jobs && of_shard.size() <= most_runs_here)
    return run_here(a, request, of_shard, {.memory = memory, .threads = jobs * a.runs.threads});
  return run_all(a, of_shard, memory / jobs);
}

// Adds DATA and the options that say how a file is understood and what is kept of it.
void add_source_options(CLI::App& command, TabularRequest& request) {
  TabularSource& source = request.source;
  command.add_option("data", source.path, "Folder of data sets, or a CSV, .npy, .npz or .safetensors file")
      ->type_name("DATA");
  add(command, "--label", source.table.label,
      "Label column of the CSV file: its name or, where none has that name, its place from 1 (from the "
      "end: -1)",
      "COLUMN");
  add_table_options(command, source.table, command.get_option("--label")->get_group());
  command.add_flag("--classes", source.table.insist_on_classes,
                   "Each number in the label column is a class, even where they look like a regression target");
  CLI::Option* scaled = command.add_flag_callback(
      "--standardise", [&source] { source.standardise = true; },
      "Give each feature mean 0 and deviation 1 over all rows (default of a file)");
  command
      .add_flag_callback(
          "--no-standardise", [&source] { source.standardise = false; },
          "Take features as they are (default of a folder)")
      ->excludes(scaled);
  command.add_flag("--save-model", request.saves_models,
                   "Write DIR/RUN.safetensors, the machine of all rows; of a file alone");
}

}  // namespace

Command add_tabular(CLI::App& app) {
  const auto arguments = std::make_shared<TabularArguments>();
  TabularArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "tabular", "Recursive Feature Machines on tables: RFM (alpha 1) against RFAM (alpha 0), attacked and measured");
  command->footer(
      "DATA is a folder of data sets in the layout of Fernandez-Delgado et al. (folders NAME with NAME.txt, the data,\n"
      "conxuntos.dat and conxuntos_kfold.dat) or a file of one's own (CSV, .npy, .npz, .safetensors) with --label, a "
      "column of\n"
      "classes, or --target, a column of numbers to predict. Without DATA a small synthetic table is made.\n"
      "\n"
      "A file is divided at random into four stratified folds for the figures, and hyperparameters are chosen\n"
      "within each fold's training rows (nested). Its features get mean 0 and deviation 1; those of a folder\n"
      "are as they are. Attack radii are in the units of the features as they are then. How the file was\n"
      "understood is told in one line on standard error. --save-model writes the machine of all rows, for\n"
      "`normalign predict` and `normalign importances`.\n"
      "\n"
      "Each run writes DIR/DATASET_METHOD_PROTOCOL_seedN.json, in a process of its own unless there are few\n"
      "runs of a file. A run whose log is finished is skipped, so that the same command goes on after a crash,\n"
      "Ctrl-C or a full disk. At the end the table of `normalign summary`.");
  add_source_options(*command, a.request);
  const auto add_list = [&](const char* name, auto& list, const char* help, const char* type) {
    command->add_option(name, list, help)->type_name(type)->allow_extra_args(false);
  };
  add_list("--dataset", a.request.datasets, "This data set alone; may be given again", "NAME");
  add_list("--alpha", a.request.alphas, "Share of the identity in the first metric; again for more (default 1 and 0)",
           "A");
  add_list("--protocol", a.request.protocols,
           "published (default of a folder): hyperparameters are chosen once, on rows that are tested later; nested "
           "(default of a file): within each fold's training rows; again for both",
           "NAME");
  auto* seed = command->add_option("--seed", a.request.seeds, "Seed; again for more (default 0)");
  seed->type_name("N")->allow_extra_args(false);
  add(*command, "--seeds", a.seed_count, "Seeds 0, ..., COUNT - 1", "COUNT")->excludes(seed);
  const auto add_setting = [&](const char* option, const char* name, const char* help, const char* type) {
    command
        ->add_option_function<std::string>(
            option, [&a, name](const std::string& value) { a.named.push_back(text(name, '=', value)); }, help)
        ->type_name(type);
  };
  add_setting("--precision", "precision", "float64 (default) or float32", "NAME");
  add_setting("--kernel", "kernel", "laplace (default), gaussian or generalised_laplace", "NAME");
  add_setting("--bandwidth", "bandwidth", "L of the kernel (default 10)", "L");
  add_setting("--bandwidths", "bandwidths", "Several, of which the best is chosen, as in [3,10,30]", "LIST");
  add_setting("--exponent", "exponent", "p of generalised_laplace (default 1)", "P");
  add_setting("--attack", "attack",
              "pgd (default), the published attack, or apgd, a stronger one; --set attack_steps=100 suits it", "NAME");
  add_list("--set", a.settings, "Any setting of the log's `config`, such as updates=2; again for more", "NAME=VALUE");
  add_job_options(*command, a.runs);
  add(*command, "--memory", a.memory,
      "Kernel matrices of all runs at a time; where one does not fit, systems are solved by iteration "
      "(default: 80 % of what is free)",
      "GiB");
  return [arguments] { return tabular(*arguments); };
}

}  // namespace normalign::commands
