#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file_content.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/results/run_states.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/training/sweep.hpp"

namespace normalign::commands {
namespace {

struct StatusArguments {
  std::string folder, sweep, json;
  bool wide = false;
};

int status(const StatusArguments& a) {
  std::vector<std::string> asked_for;
  if (!a.sweep.empty())
    for (const RunConfig& run : sweep_runs(file_content(a.sweep), a.sweep)) asked_for.push_back(run_name(run));
  Unreadable unreadable;
  const std::vector<RunProgress> runs = progress_in(a.folder, asked_for, unreadable);
  const TableSet table = progress_table(runs);
  if (!a.json.empty()) write_json_file(a.json, kind::status, as_json(table));
  if (!runs.empty()) print(table, a.wide);
  tell(unreadable, std::cout, std::cerr);
  std::cout << counts_of(runs) << '\n';
  return 0;
}

}  // namespace

Command add_status(CLI::App& app) {
  const auto arguments = std::make_shared<StatusArguments>();
  StatusArguments& a = *arguments;
  CLI::App* command = app.add_subcommand("status", "How far the runs in a folder have come, those of a live sweep too");
  command->footer(
      "States:\n"
      "  finished  the run came to its end; \"grokked at\" is the epoch at which it grokked, if it did\n"
      "  running   a process is at it\n"
      "  stopped   it was stopped or killed: the command that began it goes on with it\n"
      "  failed    it ended early, and the reason stands beneath the table\n"
      "  waiting   --sweep FILE asks for it, and it has not begun\n"
      "Accuracies are those of the last epoch that is logged (of numbers 100 R²); of a run on a table, means over\n"
      "its folds. Elapsed is time by the clock. No run is disturbed. A folder without runs has none, and the exit "
      "status is 0.");
  add(*command, "folder", a.folder, "Folder with logs, searched with what is below it", "DIR");
  add(*command, "--sweep", a.sweep, "List those runs too that this file asks for and that have not begun",
      "CONFIG.json");
  add(*command, "--json", a.json, "Write the table as JSON too, with every digit", "FILE");
  add_wide_option(*command, a.wide);
  return [arguments] { return status(*arguments); };
}

}  // namespace normalign::commands
