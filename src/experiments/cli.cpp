#include "experiments/cli.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "autodiff/op_table.hpp"
#include "data/modular.hpp"
#include "experiments/progress.hpp"
#include "experiments/summary.hpp"
#include "experiments/task.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

// ---- normalign train ------------------------------------------------------------------------------------------------

// What the user gave on the command line; what was not given stays with the task's protocol.
struct TrainArguments {
  std::string task, condition = "baseline", out = "runs", name;
  std::int64_t seed = 0;
  int threads = 0;
  bool quiet = false, overwrite = false, save_model = false, no_jacobian = false, no_offset = false, exact = false;
  std::optional<std::int64_t> epochs, batch_size, projections, modulus;
  std::optional<double> lambda, level, learning_rate, weight_decay, init_scale, grokfast_alpha, grokfast_lambda;
  std::optional<std::string> operation;
};

template <class T, class U>
void override_with(T& setting, const std::optional<U>& given) {
  if (given) setting = *given;
}

RunConfig config_of(const TrainArguments& a) {
  RunConfig config = task(a.task).defaults;
  config.task = a.task;
  config.condition = a.condition;
  config.seed = a.seed;
  override_with(config.epochs, a.epochs);
  override_with(config.batch_size, a.batch_size);
  override_with(config.projections, a.projections);
  override_with(config.modulus, a.modulus);
  override_with(config.operation, a.operation);
  override_with(config.lambda, a.lambda);
  override_with(config.level, a.level);
  override_with(config.learning_rate, a.learning_rate);
  override_with(config.weight_decay, a.weight_decay);
  override_with(config.init_scale, a.init_scale);
  override_with(config.grokfast_alpha, a.grokfast_alpha);
  override_with(config.grokfast_lambda, a.grokfast_lambda);
  if (a.exact) config.jacobian_norm = "exact";
  config.penalise_jacobian = !a.no_jacobian;
  config.penalise_offset = !a.no_offset;
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
  const fs::path log_file = fs::path(a.out) / (name + ".json");
  check_writable_log(log_file, a.overwrite);

  Progress progress(std::cerr, isatty(STDERR_FILENO), config.epochs);
  RunObserver observer{.log_file = log_file};
  if (a.save_model) observer.model_file = fs::path(a.out) / (name + ".safetensors");
  if (!a.quiet) observer.progress = [&](const RunLog& log, Index epoch) { progress(log, epoch); };
  const RunLog log = task(a.task).run(config, threads, observer);
  progress.finish();
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

void add_train(CLI::App& app, TrainArguments& a) {
  CLI::App* command = app.add_subcommand("train", "Train one network and log the run as JSON");
  command->footer(task_list());
  command->add_option("task", a.task, "What to train")->required()->type_name("TASK");
  command->add_option("--condition", a.condition,
                      "baseline, or grokfast, orthograd, grokalign joined by + (default baseline)");
  command->add_option("--seed", a.seed, "Seed of data, start, shuffles and projections (default 0)");
  command->add_option("--out", a.out, "Folder of the log (default runs)")->type_name("DIR");
  command->add_option("--name", a.name, "Name of the log without .json (default TASK_CONDITION_seedN)");
  command->add_option("--epochs", a.epochs, "Passes over the training set at most (default: the task's)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores)");
  command->add_flag("--quiet", a.quiet, "No progress and no result line");
  command->add_flag("--overwrite", a.overwrite, "Replace a log that is there");
  command->add_flag("--save-model", a.save_model, "Write the final network beside the log, as safetensors");
  const char* training = "Training (default: the task's protocol)";
  command->add_option("--learning-rate", a.learning_rate, "Step size of the optimizer")->group(training);
  command->add_option("--weight-decay", a.weight_decay, "Decay per step, times the learning rate")->group(training);
  command->add_option("--batch-size", a.batch_size, "Samples per step; 0 is the whole training set")->group(training);
  command->add_option("--init-scale", a.init_scale, "Factor on every initial parameter")->group(training);
  command->add_option("--operation", a.operation, "mod_add: " + operation_list())->group(training);
  command->add_option("--modulus", a.modulus, "mod_add: p, from 2 to 1024 (default 61)")->group(training);
  const char* penalty = "GrokAlign";
  command->add_option("--lambda", a.lambda, "Weight of mean |J|_F + mean |b|^2 (default: the task's)")->group(penalty);
  command->add_option("--projections", a.projections, "Random directions per sample (default 1)")->group(penalty);
  command->add_flag("--exact", a.exact, "The exact Jacobian norm in place of random directions")->group(penalty);
  command->add_flag("--no-jacobian", a.no_jacobian, "Leave out mean |J|_F")->group(penalty);
  command->add_flag("--no-offset", a.no_offset, "Leave out mean |b|^2")->group(penalty);
  command->add_option("--level", a.level, "Hold mean |J|_F at this level: penalise |level - mean |J|_F|")
      ->group(penalty);
  const char* filter = "GrokFast";
  command->add_option("--grokfast-alpha", a.grokfast_alpha, "Share of the average kept per step (default 0.8)")
      ->group(filter);
  command->add_option("--grokfast-lambda", a.grokfast_lambda, "Factor on the average that is added (default 0.1)")
      ->group(filter);
}

// ---- normalign summary ----------------------------------------------------------------------------------------------

struct SummaryArguments {
  std::string folder, json, csv, latex;
};

void write_text(const std::string& path, const std::string& content) {
  if (path.empty()) return;
  std::ofstream out(path);
  out << content;
  if (!out.flush()) throw InputError(text(path, ": cannot be written"));
}

int summary(const SummaryArguments& a) {
  const auto table = summarise(read_logs(a.folder));
  std::cout << as_text(table);
  write_text(a.json, a.json.empty() ? "" : as_json(table).dump(2) + "\n");
  write_text(a.csv, as_csv(table));
  write_text(a.latex, as_latex(table));
  return 0;
}

void add_summary(CLI::App& app, SummaryArguments& a) {
  CLI::App* command = app.add_subcommand(
      "summary", "Compare the conditions of the runs in a folder: epochs and seconds of optimisation to grok");
  command->add_option("folder", a.folder, "Folder with logs, searched with what is below it")
      ->required()
      ->type_name("DIR");
  command->add_option("--json", a.json, "Write the table as JSON too, with every digit")->type_name("FILE");
  command->add_option("--csv", a.csv, "Write the table as CSV too, with every digit")->type_name("FILE");
  command->add_option("--latex", a.latex, "Write the table as LaTeX (booktabs) too")->type_name("FILE");
}

// ---- normalign gradcheck --------------------------------------------------------------------------------------------

struct GradcheckArguments {
  std::int64_t seed = 0;
  double tolerance = 1e-6;
};

int gradcheck_table(const GradcheckArguments& a) {
  if (!(a.tolerance > 0 && a.tolerance < 1))
    throw InputError(text("tolerance: found ", a.tolerance, ", expected a number between 0 and 1"));
  if (a.seed < 0) throw InputError(text("seed: found ", a.seed, ", expected a whole number from 0"));
  const auto seed = static_cast<std::uint64_t>(a.seed);
  std::cout << "largest relative error against central differences, and of forward against reverse mode\n"
            << std::left << std::setw(28) << "operation" << std::right << std::setw(10) << "order 1" << std::setw(10)
            << "order 2" << std::setw(10) << "order 3" << std::setw(12) << "forward" << '\n';
  int failed = 0;
  for (const OpRow& row : op_table()) {
    GradcheckReport worst;
    for (const auto& shapes : row.shapes) {
      GradcheckOptions options{.name = row.name, .order = 3, .seed = seed};
      options.tolerance.fill(a.tolerance);
      const GradcheckReport report = gradcheck(row.function, row.inputs(shapes, seed), options);
      for (std::size_t i = 0; i < 3; ++i) {
        worst.error[i] = std::max(worst.error[i], report.error[i]);
        worst.forward_error[0] = std::max(worst.forward_error[0], report.forward_error[i]);
      }
      if (!report.passed && worst.passed) worst = {false, worst.error, worst.forward_error, report.failure};
    }
    // setw counts bytes, and names may hold letters of two.
    const auto extra = std::ranges::count_if(row.name, [](char c) { return (c & 0xC0) == 0x80; });
    std::cout << std::left << std::setw(28 + static_cast<int>(extra)) << row.name << std::right << std::scientific
              << std::setprecision(1);
    for (double error : worst.error) std::cout << std::setw(10) << error;
    std::cout << std::setw(12) << worst.forward_error[0] << (worst.passed ? "" : "  FAILED") << '\n';
    if (!worst.passed) std::cout << "  " << worst.failure << '\n';
    failed += !worst.passed;
  }
  std::cout << op_table().size() << " rows, " << failed << " failed; the bound is " << a.tolerance << ", the seed "
            << seed << '\n';
  return failed ? 1 : 0;
}

void add_gradcheck(CLI::App& app, GradcheckArguments& a) {
  CLI::App* command =
      app.add_subcommand("gradcheck", "Check first to third derivatives of every operation; status 1 if one is wrong");
  command->add_option("--seed", a.seed, "Seed of inputs and directions (default 0)");
  command->add_option("--tolerance", a.tolerance, "Largest relative error that passes (default 1e-6)");
}

}  // namespace

int command_line(int argc, const char* const* argv) {
  CLI::App app("normalign: the local geometry of trained models", "normalign");
  app.set_version_flag("--version", text("normalign ", NORMALIGN_VERSION));
  app.require_subcommand(0, 1);  // that there is one is checked below: here an unknown name would not be named
  app.get_formatter()->column_width(34);
  TrainArguments train_arguments;
  SummaryArguments summary_arguments;
  GradcheckArguments gradcheck_arguments;
  add_train(app, train_arguments);
  add_summary(app, summary_arguments);
  add_gradcheck(app, gradcheck_arguments);
  try {
    app.parse(argc, argv);
    if (app.get_subcommands().empty())
      throw InputError("command: found none, expected train, summary or gradcheck (see normalign --help)");
    if (app.got_subcommand("train")) return train(train_arguments);
    if (app.got_subcommand("summary")) return summary(summary_arguments);
    return gradcheck_table(gradcheck_arguments);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    std::cerr << "normalign: " << error.what() << " (see normalign --help)\n";
    return 2;
  } catch (const InputError& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "normalign: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace normalign
