#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/nearest_name.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/results/geometry_summary.hpp"
#include "experiments/results/metric_summary.hpp"
#include "experiments/results/summary.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/tabular/published.hpp"

namespace normalign::commands {
namespace {

struct SummaryArguments {
  std::string folder, json, csv, latex, tsv, against, protocol;
  bool geometry = false, wide = false;
  std::vector<std::string> metrics;
};

using Json = nlohmann::ordered_json;

// Files before the table is printed: who reads that through a pipe may close it early.
void write_files(const char* kind, const Json& json, const std::string& csv, const std::string& latex,
                 const SummaryArguments& a) {
  if (!a.json.empty()) write_json_file(a.json, kind, json);
  if (!a.csv.empty()) write_text_file(a.csv, csv);
  if (!a.latex.empty()) write_text_file(a.latex, latex);
}

// The rows of the protocol that is asked for; without such the first.
const TableRows& rows_of(const TabularSummary& table, const std::string& protocol) {
  std::vector<std::string> known;
  for (const ProtocolSummary& of_protocol : table.protocols) {
    if (protocol.empty() || of_protocol.protocol == protocol) return of_protocol.rows;
    known.push_back(of_protocol.protocol);
  }
  throw InputError(
      text("--tsv: found no finished run of protocol '", protocol, "', ", expected_one_of(protocol, known)));
}

int tabular_summary(const std::vector<TabularLog>& logs, const SummaryArguments& a) {
  const TabularSummary summary = summarise(logs);
  if (!a.tsv.empty()) write_text_file(a.tsv, as_tsv(rows_of(summary, a.protocol)));
  Json json = as_json(summary);
  TableSet compared;
  if (!a.against.empty()) {
    compared = against(summary, read_tsv(a.against));
    json["against"] = as_json(compared);
  }
  write_files(kind::tabular_summary, json, as_csv(summary), as_latex(summary), a);
  print(tables(summary), a.wide);
  if (a.against.empty()) return 0;
  std::cout << '\n';
  print(compared, a.wide);
  return 0;
}

TableSet network_tables(const std::vector<RunLog>& logs, const SummaryArguments& a) {
  if (a.geometry && !a.metrics.empty()) throw InputError("--geometry, --metric: found both, expected one of them");
  if (!a.metrics.empty()) return metric_tables(logs, a.metrics);
  const std::vector<TaskRuns> tasks = by_task(logs);
  return a.geometry ? geometry_tables(tasks) : grokking_tables(tasks);
}

int summary(const SummaryArguments& a, Unreadable& unreadable) {
  const std::vector<TabularLog> tabular = read_tabular_logs(a.folder, unreadable);
  const bool of_networks = a.geometry || !a.metrics.empty(), of_tables = !(a.tsv + a.against).empty();
  if (!tabular.empty() && !of_networks) {
    const int status = tabular_summary(tabular, a);
    const std::vector<RunLog> networks = read_logs_if_any(a.folder, unreadable);
    if (networks.empty()) return status;
    std::cout << '\n';
    print(network_tables(networks, a), a.wide);
    if (!(a.json + a.csv + a.latex).empty())
      std::cerr << "normalign: files have the runs on tables alone; " << networks.size()
                << " training runs of the folder are in none\n";
    return status;
  }
  if (of_tables)
    throw InputError(text(a.folder, ": found ",
                          tabular.empty() ? "no log of a run on a table" : "--geometry or --metric", ", expected ",
                          tabular.empty() ? "some" : "neither", " with --tsv or --against"));
  const TableSet found = network_tables(read_logs(a.folder, unreadable), a);
  const char* const kind = a.geometry           ? kind::geometry_summary
                           : !a.metrics.empty() ? kind::metric_summary
                                                : kind::summary;
  write_files(kind, as_json(found), as_csv(found), as_latex(found), a);
  print(found, a.wide);
  return 0;
}

}  // namespace

Command add_summary(CLI::App& app) {
  const auto arguments = std::make_shared<SummaryArguments>();
  SummaryArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "summary",
      "Compare the conditions of the runs in a folder: epochs and seconds of optimisation to grok; of runs on tables, "
      "RFM and RFAM");
  command->footer("Logs that cannot be read are named and left out.");
  add(*command, "folder", a.folder, "Folder with logs, searched with what is below it", "DIR");
  command->add_flag("--geometry", a.geometry,
                    "In place of it the table of the local geometry: alignment, rank and norms of the Jacobian at "
                    "memorisation, at grokking and at equal epochs, of runs with --set geometry_samples=N");
  add(*command, "--metric", a.metrics,
      "In place of it a table of these logged metrics at the start and the end of the runs", "NAME");
  add(*command, "--json", a.json, "Write the table as JSON too, with every digit", "FILE");
  add(*command, "--csv", a.csv, "Write the table as CSV too, with every digit", "FILE");
  add(*command, "--tsv", a.tsv, "Of runs on tables: write one line for each data set, tab-separated", "FILE");
  add(*command, "--protocol", a.protocol, "Of which protocol --tsv is (default: published where it is there)", "NAME");
  add(*command, "--against", a.against, "Of runs on tables: compare with such a file", "FILE");
  add(*command, "--latex", a.latex, "Write the table as LaTeX (booktabs) too", "FILE");
  add_wide_option(*command, a.wide);
  return [arguments] {
    Unreadable unreadable;
    const int status = summary(*arguments, unreadable);
    tell(unreadable, std::cout, std::cerr);
    return status;
  };
}

}  // namespace normalign::commands
