#include <unistd.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

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
  if (!table.labels.empty()) result.push_back("--labels=" + table.labels.string());
  if (table.features.missing != MissingValues::refuse)
    result.push_back(text("--missing=", name(table.features.missing)));
  if (source.standardise) result.push_back("--standardise");
  const nlohmann::ordered_json settings = to_json(run.config);  // which outlives its items
  for (const auto& [name, value] : settings.items())
    if (name != "dataset" && name != "alpha" && name != "protocol" && name != "seed")
      result.push_back(text("--set=", name, '=', value.dump()));
  return result;
}

int run_one(const TabularArguments& a, const TabularRequest& request, const std::vector<TabularRun>& runs,
            const RidgeOptions& ridge) {
  const TabularRun& run = run_named(a.runs.run, runs, name_of, "asked for");
  StatusLine status(std::cerr, a.runs.parent == 0 && isatty(STDERR_FILENO));
  const auto progress = [&](Index done, Index all) {
    status.show(text(a.runs.run, "  ", done, " of ", all));
    if (done == all) status.clear();
  };
  return as_job(a.runs.run, [&] {
    tabular_sweep_run(run, request.source, a.runs.out, ridge, progress);
    return 0;
  });
}

int run_all(const TabularArguments& a, const std::vector<TabularRun>& all, double memory) {
  const std::vector<TabularRun> runs = shard_of(all, a.runs.shard);
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
  if (!result.is_complete()) return result.status();
  std::vector<TabularLog> logs;
  for (const TabularRun& run : runs)
    if (auto log = if_readable([&] { return log_of(run.config, run.table, a.runs.out); }))
      logs.push_back(std::move(*log));
  if (logs.empty()) return result.status();
  const auto table = summarise(logs);
  if (!a.runs.json.empty()) write_json_file(a.runs.json, kind::tabular_summary, as_json(table));
  print(tables(table), a.runs.wide);
  return result.status();
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
  if (a.runs.run.empty()) memory /= jobs_at_a_time(a.runs);
  return a.runs.run.empty() ? run_all(a, runs, memory)
                            : run_one(a, request, runs, {.memory = memory, .threads = a.runs.threads});
}

}  // namespace

Command add_tabular(CLI::App& app) {
  const auto arguments = std::make_shared<TabularArguments>();
  TabularArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "tabular", "Recursive Feature Machines on tables: RFM (alpha 1) against RFAM (alpha 0), attacked and measured");
  command->footer(
      "DATA is a folder of data sets in the layout of Fernandez-Delgado et al. (folders NAME with NAME.txt, the data,\n"
      "conxuntos.dat and conxuntos_kfold.dat) or, with --label, one CSV file, which is divided at random: stratified\n"
      "halves to choose hyperparameters by, four stratified folds for the figures. Without DATA a small synthetic\n"
      "table is made. Features are taken as they are, and attack radii are in their units: --standardise scales them.\n"
      "How the CSV file was understood is told in one line on standard error.\n"
      "\n"
      "Each run writes DIR/DATASET_METHOD_PROTOCOL_seedN.json in a process of its own. A run whose log is finished is\n"
      "skipped, so that the same command goes on after a crash, Ctrl-C or a full disk. At the end the table of\n"
      "`normalign summary`.");
  TabularSource& source = a.request.source;
  command->add_option("data", source.path, "Folder of data sets, or a CSV file")->type_name("DATA");
  add(*command, "--label", source.table.label,
      "Label column of the CSV file: its name or, where none has that name, its place from 1 (from the "
      "end: -1)",
      "COLUMN");
  add_table_options(*command, source.table, command->get_option("--label")->get_group());
  command->add_flag("--classes", source.table.insist_on_classes,
                    "Each number in the label column is a class, even where they look like a regression target");
  command->add_flag("--standardise", source.standardise, "Give each feature mean 0 and deviation 1 over all rows");
  const auto add_list = [&](const char* name, auto& list, const char* help, const char* type) {
    command->add_option(name, list, help)->type_name(type)->allow_extra_args(false);
  };
  add_list("--dataset", a.request.datasets, "This data set alone; may be given again", "NAME");
  add_list("--alpha", a.request.alphas, "Share of the identity in the first metric; again for more (default 1 and 0)",
           "A");
  add_list("--protocol", a.request.protocols,
           "published (default): hyperparameters are chosen once, on rows that are tested later; nested: within each "
           "fold's training rows; again for both",
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
