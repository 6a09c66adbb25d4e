#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "experiments/commands/commands.hpp"
#include "experiments/geometry_summary.hpp"
#include "experiments/metric_summary.hpp"
#include "experiments/run_set.hpp"
#include "experiments/summary.hpp"
#include "experiments/text_file.hpp"

namespace normalign::commands {
namespace {

struct SummaryArguments {
  std::string folder, json, csv, latex;
  bool geometry = false;
  std::vector<std::string> metrics;
};

template <class Table>
void print_and_write(const Table& table, const SummaryArguments& a) {
  std::cout << as_text(table);
  if (!a.json.empty()) write_text_file(a.json, as_json(table).dump(2) + "\n");
  if (!a.csv.empty()) write_text_file(a.csv, as_csv(table));
  if (!a.latex.empty()) write_text_file(a.latex, as_latex(table));
}

int summary(const SummaryArguments& a) {
  const std::vector<RunLog> logs = read_logs(a.folder);
  if (a.geometry && !a.metrics.empty()) throw InputError("--geometry, --metric: found both, expected one of them");
  if (!a.metrics.empty())
    print_and_write(summarise_metrics(logs, a.metrics), a);
  else if (a.geometry)
    print_and_write(summarise_geometry(logs), a);
  else
    print_and_write(summarise(logs), a);
  return 0;
}

}  // namespace

Command add_summary(CLI::App& app) {
  const auto arguments = std::make_shared<SummaryArguments>();
  SummaryArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "summary", "Compare the conditions of the runs in a folder: epochs and seconds of optimisation to grok");
  command->add_option("folder", a.folder, "Folder with logs, searched with what is below it")
      ->required()
      ->type_name("DIR");
  command->add_flag("--geometry", a.geometry,
                    "In place of it the table of the local geometry: alignment, rank and norms of the Jacobian at "
                    "memorisation, at grokking and at equal epochs");
  command
      ->add_option("--metric", a.metrics,
                   "In place of it a table of these logged metrics at the start and the end of the runs")
      ->type_name("NAME");
  command->add_option("--json", a.json, "Write the table as JSON too, with every digit")->type_name("FILE");
  command->add_option("--csv", a.csv, "Write the table as CSV too, with every digit")->type_name("FILE");
  command->add_option("--latex", a.latex, "Write the table as LaTeX (booktabs) too")->type_name("FILE");
  return [arguments] { return summary(*arguments); };
}

}  // namespace normalign::commands
