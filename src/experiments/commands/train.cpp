#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "base/file_content.hpp"
#include "base/json_text.hpp"
#include "data/modular.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/runs/interrupt.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/runs/run_lock.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/condition.hpp"
#include "experiments/training/progress.hpp"
#include "experiments/training/run_identity.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

// A setting as the user gave it.
struct GivenSetting {
  std::string option;  // such as --lambda
  std::string name;    // its field
  nlohmann::ordered_json value;
};

struct TrainArguments {
  std::string file, config, out = "runs", name;
  std::optional<std::string> task, condition;
  std::optional<std::int64_t> seed;
  std::optional<int> threads;
  bool quiet = false, overwrite = false, save_model = false;
  std::int64_t save_every = 0;
  std::vector<GivenSetting> given;    // what was not given stays with the task's protocol
  std::vector<std::string> settings;  // NAME=VALUE
};

using Json = nlohmann::ordered_json;

// The settings that a file has, those of a log's `config` or all that is in it.
Json settings_in(const std::string& content) {
  Json json = parsed_json<Json>(content);
  const std::string kind = kind_of(json);
  if (!json.is_object() || (!kind.empty() && kind != kind::run_log))
    throw InputError(text("found ", kind.empty() ? "no object" : "a file of the kind " + kind,
                          ", expected a training run's log, or an object of settings"));
  if (kind.empty()) return json;
  if (!json.contains("config") || !json["config"].is_object())
    throw InputError("config: found none, expected that of a log");
  return json["config"];
}

// What the file of --config says.
struct GivenFile {
  std::string place;  // what its messages begin with
  Json settings = Json::object();
  std::string text_of(const char* name, const std::string& otherwise) const {
    if (!settings.contains(name)) return otherwise;
    if (!settings[name].is_string())
      throw InputError(text(place, name, ": found ", settings::written(settings[name]), ", expected a text"));
    return settings[name].get<std::string>();
  }
};

// The run of the file by itself.
RunConfig config_in(const GivenFile& file, const Task& task, const std::string& condition) {
  RunConfig config = defaults_for(task, condition);
  within(file.place, [&] {
    for (const auto& [name, value] : file.settings.items())
      if (name != "task" && name != "condition") settings::set(config, name, value);
  });
  return config;
}

const Task& task_of(const TrainArguments& a, const GivenFile& file) {
  const std::string in_file = file.text_of("task", "");
  if (!file.settings.contains("task")) {
    if (a.task) return task(*a.task);
    throw InputError(a.config.empty() ? "task is required (see normalign train --help)"
                                      : file.place + "task: found none, expected one here or as TASK");
  }
  if (a.task && *a.task != in_file)
    throw InputError(
        text(file.place, "task: found '", one_line(in_file), "', expected ", one_line(*a.task), ", as TASK says"));
  return *within(file.place, [&] { return &task(in_file); });
}

// The settings that were given by options, by their names.
std::vector<GivenSetting> given_by_options(const TrainArguments& a) {
  std::vector<GivenSetting> result = a.given;
  if (!a.file.empty()) result.push_back({"FILE", "data", a.file});
  for (const std::string& setting : a.settings) {
    const auto [name, value] = settings::assignment(setting);
    if (name == "task" || name == "condition" || name == "seed")
      throw InputError(text("--set ", name, ": unexpected here, expected ", name == "task" ? "TASK" : "--" + name));
    result.push_back({"--set " + name, name, value});
  }
  settings::GivenOnce once;
  for (const GivenSetting& setting : result) once.add(setting.option, setting.name);
  return result;
}

RunConfig config_of(const TrainArguments& a) {
  GivenFile file{a.config + ": "};
  if (!a.config.empty()) {
    const std::string content = file_content(a.config);
    within(file.place, [&] { file.settings = settings_in(content); });
  }
  const Task& task = task_of(a, file);
  if (!a.file.empty() && task.name != "table")
    throw InputError("train: " + no_further_argument(a.file, true) + " (see normalign train --help)");
  const std::string of_file = file.text_of("condition", "baseline");
  within(file.settings.contains("condition") ? file.place : "", [&] { conditions_of(of_file); });
  const RunConfig run_of_file = config_in(file, task, of_file);
  RunConfig config = run_of_file;
  if (a.condition && *a.condition != of_file) {
    config = config_in(file, task, *a.condition);
    config.label = config.condition_grid = "";  // they are names of the other condition
  }
  if (a.seed) config.seed = *a.seed;
  const std::vector<GivenSetting> given = given_by_options(a);
  for (const GivenSetting& setting : given) settings::set(config, setting.name, setting.value);
  set_dependent_defaults(config, [&](const std::string& name) {
    return file.settings.contains(name) || std::ranges::count(given, name, &GivenSetting::name) > 0;
  });
  try {
    check(config);
  } catch (const InputError& error) {
    const std::string message = error.what(), field = message.substr(0, message.find(':'));
    const bool is_of_file = file.settings.contains(field) && std::ranges::count(given, field, &GivenSetting::name) == 0;
    throw InputError((is_of_file ? file.place : "") + message);
  }
  for (const GivenSetting& setting : given) require_read(setting.option, setting.name, {&config, 1});
  // An option may leave a setting of the file without a reader: no mistake where the file's own run reads it.
  for (const auto& [name, value] : file.settings.items())
    if (!reads(run_of_file, name)) require_read(file.place + name, name, {&config, 1});
  return config;
}

// Whether what is there is of a run that is not finished: this one goes on from its checkpoint, which is refused where
// it is another run's, or begins anew where there is none.
bool is_unfinished(const fs::path& log_file, const fs::path& checkpoint, const RunConfig& config) {
  if (!fs::exists(log_file)) return fs::exists(checkpoint);
  constexpr const char* remedy = "; another --name or --out, or --overwrite to replace it";
  const RunLog log = within(
      "", [&] { return read_log(log_file); }, remedy);
  if (log.status == RunStatus::finished) return false;
  const auto difference = run_difference(log, new_log(config, 1));
  if (difference && log.status == RunStatus::running)
    throw InputError(text(log_file.string(), ": another run of that name is there: ", *difference, remedy));
  return true;
}

int train(const TrainArguments& a) {
  const RunConfig config = config_of(a);
  const int threads = thread_count(a.threads);
  check_whole("--save-every", a.save_every, 0, 1'000'000'000);
  const std::string name = a.name.empty() ? run_name(config) : a.name;
  if (name.find('/') != std::string::npos) throw InputError(text("name: found '", name, "', expected no slash"));
  const RunPlace place{a.out, name};
  const fs::path log_file = place.log(), checkpoint = place.checkpoint();
  check_writable_log(log_file, true);
  const RunLock lock(place.lock(), std::chrono::milliseconds(0));
  if (!lock.held()) throw InputError(text(name, ": another process is at this run, expected none"));
  const bool goes_on = !a.overwrite && is_unfinished(log_file, checkpoint, config);
  check_writable_log(log_file, a.overwrite || goes_on);
  // Before anything goes: the table may be refused.
  const auto dataset = new_log(config, threads).dataset;
  remove_temporary_files(place);
  const fs::path model = fs::path(a.out) / (name + ".safetensors");
  if (!goes_on) {
    fs::remove(checkpoint);
    if (a.overwrite) remove_models(model);  // they are those of the log which goes
  }

  if (!a.quiet && dataset.is_object()) std::cerr << dataset.at("reading").get<std::string>() << '\n';
  Progress progress(std::cerr, isatty(STDERR_FILENO), config.epochs);
  const Interrupt interrupt;
  RunObserver observer{
      .stop = [&] { return interrupt.signal() != 0; }, .log_file = log_file, .checkpoint_file = checkpoint};
  if (a.save_model || a.save_every > 0) observer.model_file = model;
  observer.save_every = a.save_every;
  if (!a.quiet) observer.progress = [&](const RunLog& log, Index epoch) { progress(log, epoch); };
  const RunLog log = task(config.task).run(config, threads, observer);
  progress.finish();
  if (log.status == RunStatus::running) return stopped(name, interrupt.signal());
  if (log.status == RunStatus::failed) {
    std::cerr << "normalign: " << name << " failed: " << log.failure << " (log: " << log_file.string() << ")\n";
    return 1;
  }
  if (!a.quiet) {
    const MetricRow& last = log.metrics.back();
    std::cout << std::fixed << std::setprecision(1) << name << ": "
              << (log.grokked ? "grokked at epoch " : "not grokked by epoch ")
              << log.grokking_epoch.value_or(last.epoch) << ", " << std::setprecision(2) << last.opt_time
              << " s of optimisation, " << (is_regression(log) ? "R² " : "") << "train " << last.train_acc
              << " %, test " << last.test_acc << " %; log " << log_file.string() << '\n';
  }
  return 0;
}

// An option of one setting, whose type and name are the setting's where none are given.
struct SettingOption {
  const char* setting;
  std::string help;
  const char* type = nullptr;
  const char* option = nullptr;
  std::optional<bool> regression = {};  // what giving it says about that setting
};

std::string option_of(const SettingOption& row) {
  if (row.option) return row.option;
  std::string option = text("--", row.setting);
  std::ranges::replace(option, '_', '-');
  return option;
}

void add_option(CLI::App& command, const SettingOption& row, const char* group, std::vector<GivenSetting>& given) {
  std::visit(
      [&](auto member) {
        using T = std::remove_cvref_t<decltype(std::declval<RunConfig&>().*member)>;
        const std::string option = option_of(row);
        CLI::Option* added = command.add_option_function<T>(
            option,
            [&given, option, setting = row.setting, regression = row.regression](const T& value) {
              given.push_back({option, setting, value});
              if (regression) given.push_back({option, "regression", *regression});
            },
            row.help);
        if (row.type) added->type_name(row.type);
        if constexpr (std::is_same_v<T, std::vector<Index>>) added->delimiter(',');
        if constexpr (std::is_same_v<T, std::vector<std::string>>) added->allow_extra_args(false);
        added->group(group);
      },
      settings::row_of(RunConfig{}, row.setting)->member);
}

constexpr const char* table_group = "Table (train table FILE)";

std::vector<SettingOption> table_options() {
  return {
      {"label_column", "The label column: its name or, where none has that name, its place from 1 (from the end: -1)",
       "COLUMN", "--label", false},
      {"labels", "The labels are in this file, which has no other column", "FILE", "--labels", false},
      {"targets", "Predict the numbers in this column instead, by mse: its name or place; again for more", "COLUMN",
       "--target", true},
      {"labels", "The targets are the columns of this file", "FILE", "--targets", true},
      {"test_data",
       "A second file, whose rows are for testing; or the same, whose arrays X_train and X_test are both called X",
       "FILE", "--test-file"},
      {"test_labels", "And the file of their labels or targets", "FILE"},
      {"test_share", "Without it: a random share of the rows is for testing, between 0 and 1, and of each class", "S",
       "--validation-share"},
      {"folds", "Or one of so many stratified folds is for testing (default 4)", "N"},
      {"fold", "Which one, from 0 (default 0)", "N"},
      {"columns", "Features: these columns alone, by name or place; again for more", "COLUMN"},
      {"drop", "Leave this column out; again for more", "COLUMN"},
      {"categories", "This column is categories even if it holds numbers or many texts; again for more", "COLUMN"},
      {"missing", "Rows with missing values: refuse (default), drop, or impute (the mean, or the most frequent)",
       "WORD"},
      {"standardise", "Features and targets get mean 0 and deviation 1 over the training rows: true (default) or false",
       "WORD"},
      {"header", "Whether the first line names the columns: yes or no (default: guessed from what it holds)", "WORD"},
      {"index_column", "drop or keep a first column that numbers the rows (default: it is refused)", "WORD"}};
}

void add_setting_options(CLI::App& command, std::vector<GivenSetting>& given) {
  const std::pair<const char*, std::vector<SettingOption>> groups[] = {
      {"Options",
       {{"epochs", "Passes over the training set at most (default: the task's)"},
        {"eval_every", "Evaluate every N-th epoch and the last (default: see below)", "N"},
        {"stop", "Where the run ends: grokked (default), or never before its last epoch (default of table)", "NAME"},
        {"initial_model", "Start from the network in this safetensors file", "FILE", "--init-model"},
        {"coordinates",
         "Train in the inputs (default), or in coordinates of the span of samples and start: the same by SGD, faster "
         "for "
         "few samples of many inputs",
         "NAME"}}},
      {"Training (default: the task's protocol)",
       {{"hidden", "Widths of the hidden layers, with commas between them, such as 512,512", "N,...", "--widths"},
        {"activation", "Between the layers: relu, gelu, tanh and others", "NAME"},
        {"optimizer", "adamw or sgd", "NAME"},
        {"loss", "cross_entropy, mse (squared error, of classes to one-hot rows) or bce", "NAME"},
        {"learning_rate", "Step size of the optimizer"},
        {"weight_decay", "Decay per step, times the learning rate"},
        {"batch_size", "Samples per step; 0 is the whole training set"},
        {"init_scale", "Factor on every initial parameter"},
        {"output_scale", "lazy_regime: s in the loss of s f (default 1)"},
        {"operation",
         "mod_add: " +
             joined(modular_operations(), ", ", [](const auto& o) { return text(o.name, " (", o.formula, ")"); }),
         "NAME"},
        {"modulus", "mod_add: p, from 2 to 1024 (default 61)"},
        {"data", "mnist_ce, mnist_se, lazy_regime: folder of the four IDX files (default data/mnist)", "DIR"}}},
      {table_group, table_options()},
      {"GrokAlign",
       {{"lambda", "Weight of mean |J|_F + mean |b|^2 (default: the task's)"},
        {"projections", "Random directions per sample (default 1)"},
        {"penalty_share", "Share of the samples that a step penalises, above 0 (default 1)", "S"},
        {"level", "hold_jacobian: penalise |level - mean |J|_F| (default 5)"}}},
      {"GrokFast",
       {{"grokfast_alpha", "Share of the average kept per step (default 0.8)"},
        {"grokfast_lambda", "Factor on the average that is added (default 0.1)"}}}};
  for (const auto& [group, options] : groups)
    for (const SettingOption& option : options) add_option(command, option, group, given);
  const auto add_flag = [&](const char* option, const char* setting, const nlohmann::ordered_json& value,
                            const char* help, const char* group = "GrokAlign") {
    command
        .add_flag_callback(
            option,
            [&given, option, setting, value] {
              given.push_back({option, setting, value});
            },
            help)
        ->group(group);
  };
  add_flag("--classes", "insist_on_classes", true,
           "Each number in the label column is a class, even where they look like a regression target", table_group);
  add_flag("--exact", "jacobian_norm", "exact", "The exact Jacobian norm in place of random directions");
  add_flag("--no-jacobian", "penalise_jacobian", false, "Leave out mean |J|_F");
  add_flag("--no-offset", "penalise_offset", false, "Leave out mean |b|^2");
}

}  // namespace

int stopped(const std::string& run_name, int signal) {
  std::cerr << "normalign: " << run_name << ": stopped by signal " << signal
            << "; the same command goes on from there\n";
  return 128 + signal;
}

Command add_train(CLI::App& app) {
  const auto arguments = std::make_shared<TrainArguments>();
  TrainArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("train", "Train one network and log the run as JSON");
  command->footer(
      "TASK is one of\n" +
      joined(all_tasks(), "", [](const Task& t) { return text("  ", t.name, ": ", t.summary, "\n"); }) +
      "\nA run evaluates, and writes to its log, every epoch below 100, every 10th below 1000, every 100th below "
      "10000,\n"
      "every 1000th after that, and its last; or every N-th with --eval-every N. It ends at the first of these epochs\n"
      "with both accuracies above the task's criteria (grokked), or at its last epoch with --stop never, and then "
      "still\n"
      "logs at which epoch it grokked. (lazy_regime has no criteria: 64 log-spaced epochs, or every N-th.)\n"
      "\nCtrl-C ends a run and leaves its state in DIR, at the end of an epoch that is soon over or from before one "
      "that\n"
      "takes long; the same command goes on from there, as it does after a crash. With --overwrite it begins anew.\n"
      "\nA log's own settings, train --config RUN.json --out DIR, make the same run again.");
  add(*command, "task", a.task, "What to train; may be left out where the file of --config says it", "TASK")
      ->required(false);
  command->add_option("file", a.file, "Of the task table: a CSV, .npy, .npz or safetensors file")->type_name("FILE");
  add(*command, "--config", a.config,
      "Take the settings from this file: a run's log, or an object such as its `config`. Options go before them",
      "FILE.json");
  add(*command, "--condition", a.condition,
      "baseline, or " + joined(all_conditions(), ", ", &Condition::name) + " joined by +\n(default baseline)", "NAME");
  command->add_option("--seed", a.seed, "Seed of data, start, shuffles and projections (default 0)");
  add(*command, "--out", a.out, "Folder of the log (default runs)", "DIR");
  add(*command, "--name", a.name, "Name of the log without .json (default TASK_CONDITION_seedN)", "NAME");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  command->add_flag("--quiet", a.quiet, "No progress and no result line");
  command->add_flag("--overwrite", a.overwrite, "Replace a log that is there, and its model");
  command->add_flag("--save-model", a.save_model, "Write the final network beside the log, as safetensors");
  add(*command, "--save-every", a.save_every,
      "Write it every N-th epoch too, from epoch 0 on, as DIR/RUN_epochN.safetensors", "N");
  add(*command, "--set", a.settings,
      "Any setting of the log's `config` by its name, such as beta2=0.999; again for more. One that the run "
      "does not read is an error",
      "NAME=VALUE")
      ->allow_extra_args(false);
  add_setting_options(*command, a.given);
  return [arguments] { return train(*arguments); };
}

}  // namespace normalign::commands
