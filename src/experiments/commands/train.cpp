#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "data/modular.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/interrupt.hpp"
#include "experiments/progress.hpp"
#include "experiments/run_files.hpp"
#include "experiments/run_lock.hpp"
#include "experiments/task.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

// What the user gave on the command line; what was not given stays with the task's protocol.
struct TrainArguments {
  std::string task, condition = "baseline", out = "runs", name;
  std::int64_t seed = 0;
  int threads = 0;
  bool quiet = false, overwrite = false, save_model = false, no_jacobian = false, no_offset = false, exact = false;
  std::optional<std::int64_t> epochs, batch_size, projections, modulus;
  std::optional<double> lambda, level, learning_rate, weight_decay, init_scale, output_scale, grokfast_alpha,
      grokfast_lambda;
  std::optional<std::string> operation, data, initial_model;
  std::vector<std::string> settings;  // NAME=VALUE
};

template <class T, class U>
void override_with(T& setting, const std::optional<U>& given) {
  if (given) setting = *given;
}

RunConfig config_of(const TrainArguments& a) {
  RunConfig config = defaults_for(task(a.task), a.condition);
  config.seed = a.seed;
  override_with(config.epochs, a.epochs);
  override_with(config.batch_size, a.batch_size);
  override_with(config.projections, a.projections);
  override_with(config.modulus, a.modulus);
  override_with(config.operation, a.operation);
  override_with(config.data, a.data);
  override_with(config.initial_model, a.initial_model);
  override_with(config.lambda, a.lambda);
  override_with(config.level, a.level);
  override_with(config.learning_rate, a.learning_rate);
  override_with(config.weight_decay, a.weight_decay);
  override_with(config.init_scale, a.init_scale);
  override_with(config.output_scale, a.output_scale);
  override_with(config.grokfast_alpha, a.grokfast_alpha);
  override_with(config.grokfast_lambda, a.grokfast_lambda);
  if (a.exact) config.jacobian_norm = "exact";
  if (a.no_jacobian) config.penalise_jacobian = false;
  if (a.no_offset) config.penalise_offset = false;
  for (const std::string& setting : a.settings) {
    const auto [name, value] = assignment(setting);
    set_field(config, name, value);
  }
  check(config);
  return config;
}

int train(const TrainArguments& a) {
  const RunConfig config = config_of(a);
  if ((a.operation || a.modulus) && a.task != "mod_add")
    throw InputError(text("--operation, --modulus: these belong to mod_add; the task is ", a.task));
  const int threads = a.threads ? a.threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  if (threads < 1 || threads > 1024)
    throw InputError(text("threads: found ", threads, ", expected a whole number from 1 to 1024"));
  const std::string name = a.name.empty() ? run_name(config) : a.name;
  if (name.find('/') != std::string::npos) throw InputError(text("name: found '", name, "', expected no slash"));
  const fs::path log_file = normalign::log_file(a.out, name);
  const fs::path checkpoint = checkpoint_file(a.out, name);
  const bool goes_on = !a.overwrite && fs::exists(log_file) && fs::exists(checkpoint);
  check_writable_log(log_file, a.overwrite || goes_on);
  const RunLock lock(lock_file(a.out, name), std::chrono::milliseconds(0));
  if (!lock.held()) throw InputError(text(name, ": another process is at this run, expected none"));
  const fs::path model = fs::path(a.out) / (name + ".safetensors");
  if (!goes_on) {
    fs::remove(checkpoint);
    if (a.overwrite) fs::remove(model);  // it is that of the log which goes
  }

  Progress progress(std::cerr, isatty(STDERR_FILENO), config.epochs);
  const Interrupt interrupt;
  RunObserver observer{
      .stop = [&] { return interrupt.signal() != 0; }, .log_file = log_file, .checkpoint_file = checkpoint};
  if (a.save_model) observer.model_file = model;
  if (!a.quiet) observer.progress = [&](const RunLog& log, Index epoch) { progress(log, epoch); };
  const RunLog log = task(a.task).run(config, threads, observer);
  progress.finish();
  if (log.status == RunStatus::running) return stopped(name, interrupt.signal());
  if (log.status == RunStatus::failed) {
    std::cerr << "normalign: " << name << " failed: " << log.failure << " (log: " << log_file.string() << ")\n";
    return 1;
  }
  if (!a.quiet) {
    const MetricRow& last = log.metrics.back();
    std::cout << std::fixed << std::setprecision(1) << name << ": "
              << (log.grokked ? "grokked at epoch " : "not grokked by epoch ") << last.epoch << ", "
              << std::setprecision(2) << last.opt_time << " s of optimisation, train " << last.train_acc << " %, test "
              << last.test_acc << " %; log " << log_file.string() << '\n';
  }
  return 0;
}

std::string task_list() {
  std::string list = "TASK is one of\n";
  for (const Task& task : all_tasks()) list += text("  ", task.name, ": ", task.summary, "\n");
  return list;
}

std::string operation_list() {
  std::string list;
  for (const auto& operation : modular_operations())
    list += text(list.empty() ? "" : ", ", operation.name, " (", operation.formula, ")");
  return list;
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
      task_list() +
      "\nCtrl-C ends a run at the end of an epoch and leaves its state in DIR; the same command goes on from\n"
      "there, as it does after a crash. With --overwrite it begins anew.");
  command->add_option("task", a.task, "What to train")->required()->type_name("TASK");
  command
      ->add_option("--condition", a.condition,
                   "baseline, or grokfast, orthograd, grokalign, adversarial_noise, hold_jacobian joined by +\n"
                   "(default baseline)")
      ->type_name("NAME");
  command->add_option("--seed", a.seed, "Seed of data, start, shuffles and projections (default 0)");
  command->add_option("--out", a.out, "Folder of the log (default runs)")->type_name("DIR");
  command->add_option("--name", a.name, "Name of the log without .json (default TASK_CONDITION_seedN)")
      ->type_name("NAME");
  command->add_option("--epochs", a.epochs, "Passes over the training set at most (default: the task's)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores)");
  command->add_flag("--quiet", a.quiet, "No progress and no result line");
  command->add_flag("--overwrite", a.overwrite, "Replace a log that is there, and its model");
  command->add_flag("--save-model", a.save_model, "Write the final network beside the log, as safetensors");
  command->add_option("--set", a.settings, "Any setting of the log's `config` by its name, such as beta2=0.999")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  const char* training = "Training (default: the task's protocol)";
  command->add_option("--learning-rate", a.learning_rate, "Step size of the optimizer")->group(training);
  command->add_option("--weight-decay", a.weight_decay, "Decay per step, times the learning rate")->group(training);
  command->add_option("--batch-size", a.batch_size, "Samples per step; 0 is the whole training set")->group(training);
  command->add_option("--init-scale", a.init_scale, "Factor on every initial parameter")->group(training);
  command->add_option("--output-scale", a.output_scale, "lazy_regime: s in the loss of s f (default 1)")
      ->group(training);
  command->add_option("--operation", a.operation, "mod_add: " + operation_list())->type_name("NAME")->group(training);
  command->add_option("--modulus", a.modulus, "mod_add: p, from 2 to 1024 (default 61)")->group(training);
  command->add_option("--init-model", a.initial_model, "Start from the network in this safetensors file")
      ->type_name("FILE");
  command
      ->add_option("--data", a.data,
                   "mnist_ce, mnist_se, lazy_regime: folder of the four IDX files (default data/mnist)")
      ->type_name("DIR")
      ->group(training);
  const char* penalty = "GrokAlign";
  command->add_option("--lambda", a.lambda, "Weight of mean |J|_F + mean |b|^2 (default: the task's)")->group(penalty);
  command->add_option("--projections", a.projections, "Random directions per sample (default 1)")->group(penalty);
  command->add_flag("--exact", a.exact, "The exact Jacobian norm in place of random directions")->group(penalty);
  command->add_flag("--no-jacobian", a.no_jacobian, "Leave out mean |J|_F")->group(penalty);
  command->add_flag("--no-offset", a.no_offset, "Leave out mean |b|^2")->group(penalty);
  command->add_option("--level", a.level, "hold_jacobian: penalise |level - mean |J|_F| (default 5)")->group(penalty);
  const char* filter = "GrokFast";
  command->add_option("--grokfast-alpha", a.grokfast_alpha, "Share of the average kept per step (default 0.8)")
      ->group(filter);
  command->add_option("--grokfast-lambda", a.grokfast_lambda, "Factor on the average that is added (default 0.1)")
      ->group(filter);
  return [arguments] { return train(*arguments); };
}

}  // namespace normalign::commands
