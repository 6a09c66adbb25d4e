// The subcommands of the command line, one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>

namespace normalign {
struct CsvOptions;
struct SampleOptions;
struct TableSet;
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
Command add_inspect(CLI::App& app);
Command add_robustness(CLI::App& app);
Command add_slice(CLI::App& app);
Command add_regions(CLI::App& app);
Command add_study(CLI::App& app);
Command add_datasets(CLI::App& app);
Command add_gradcheck(CLI::App& app);
Command add_machine(CLI::App& app);

/// Says that a run was stopped by a signal and how it goes on, and returns the exit status, 128 + signal.
int stopped(const std::string& run_name, int signal);

/// Adds an option, or an argument that must be given where the name has no dashes; `type`: what --help calls its value.
template <class T>
CLI::Option* add(CLI::App& command, const std::string& name, T& value, const std::string& help,
                 const std::string& type) {
  return command.add_option(name, value, help)->type_name(type)->required(!name.starts_with('-'));
}

/// Adds --wide.
void add_wide_option(CLI::App& command, bool& wide);

/// Prints the tables on standard output, parted so that they fit its columns, or as `wide` as they are.
void print(const TableSet& tables, bool wide);

/// The number of --threads, or all cores that this process may use where it was not given. Throws InputError unless it
/// is from 1 to 1024.
int thread_count(const std::optional<int>& given);

/// Adds --header and --index-column; `group` is where --help lists them. Parsing throws InputError on other words than
/// theirs.
void add_csv_options(CLI::App& command, CsvOptions& options, const std::string& group);

/// Adds --data, --task, --seed, --test, --header and --index-column.
void add_sample_options(CLI::App& command, SampleOptions& options);

}  // namespace normalign::commands
