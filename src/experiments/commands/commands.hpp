// The subcommands of the command line, one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

namespace normalign {
struct MlpFileOptions;
struct SampleOptions;
struct TableOptions;
struct TableSet;
template <class T>
class Mlp;
}  // namespace normalign

namespace normalign::commands {

/// Runs a subcommand whose arguments have been parsed, and returns the exit status.
using Command = std::function<int()>;

/// Each adds its subcommand, named as the function is without `add_`, to the application.
Command add_train(CLI::App& app);
Command add_sweep(CLI::App& app);
Command add_tabular(CLI::App& app);
Command add_status(CLI::App& app);
Command add_summary(CLI::App& app);
Command add_plot(CLI::App& app);
Command add_report(CLI::App& app);
Command add_export(CLI::App& app);
Command add_inspect(CLI::App& app);
Command add_robustness(CLI::App& app);
Command add_slice(CLI::App& app);
Command add_regions(CLI::App& app);
Command add_study(CLI::App& app);
Command add_datasets(CLI::App& app);
Command add_gradcheck(CLI::App& app);
Command add_machine(CLI::App& app);
Command add_predict(CLI::App& app);
Command add_importances(CLI::App& app);

/// Says that a run was stopped by a signal and how it goes on, and returns the exit status, 128 + signal.
int stopped(const std::string& run_name, int signal);

/// Adds an option, or an argument that must be given where the name has no dashes; `type`: what --help calls its value.
template <class T>
CLI::Option* add(CLI::App& command, const std::string& name, T& value, const std::string& help,
                 const std::string& type) {
  return command.add_option(name, value, help)->type_name(type)->required(!name.starts_with('-'));
}

/// A network in a file, and what --activation and --slope say of it.
struct ModelArguments {
  std::string file;
  std::optional<std::string> activation{};
  std::optional<double> slope{};
};

/// Adds the argument `model` with this help, --activation and --slope.
void add_model_options(CLI::App& command, ModelArguments& model, const std::string& help);

/// What --activation and --slope say of a network. Throws InputError, naming the option, on a value that is none.
MlpFileOptions known_of(const ModelArguments& model);

/// The network that they name. Throws InputError as `model_in` does, and, naming the option, on a value that is none.
Mlp<double> model_of(const ModelArguments& model);

/// What is said of an argument too many: "found 'x', expected no further argument", and where settings are taken how
/// one is given.
std::string no_further_argument(const std::string& word, bool takes_settings);

/// Adds --wide.
void add_wide_option(CLI::App& command, bool& wide);

/// Prints the tables on standard output, parted so that they fit its columns, or as `wide` as they are.
void print(const TableSet& tables, bool wide);

/// The number of --threads, or all cores that this process may use where it was not given. Throws InputError unless it
/// is from 1 to 1024.
int thread_count(const std::optional<int>& given);

/// Adds --header and --index-column, which say how a CSV file is understood; `group` is where --help lists them.
/// Parsing throws InputError on other words than theirs.
void add_csv_options(CLI::App& command, TableOptions& options, const std::string& group);

/// Adds --missing, whose help begins with `help`; the rest is as above.
void add_missing_option(CLI::App& command, TableOptions& options, const std::string& help, const std::string& group);

/// Adds --header, --index-column, --columns, --drop, --categories, --labels, --target, --targets and --missing, which
/// say how a table is read; `group` is where --help lists them. Parsing throws InputError on other words than theirs.
void add_table_options(CLI::App& command, TableOptions& options, const std::string& group);

/// Adds --data, --task, --seed, --test and what `add_table_options` adds.
void add_sample_options(CLI::App& command, SampleOptions& options);

}  // namespace normalign::commands
