#include "experiments/results/curves.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/results/run_set.hpp"
#include "experiments/results/setting_charts.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/tabular/plot.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct PlotArguments {
  std::string folder, out, against;
  std::vector<std::string> metrics;
};

// Of runs on tables, too, where nothing is asked for that only networks have.
Plot pictures_of(const PlotArguments& a, Unreadable& unreadable) {
  if (!a.against.empty()) return plot_against(read_logs(a.folder, unreadable), a.against, a.metrics);
  const std::vector<TabularLog> logs =
      a.metrics.empty() ? read_tabular_logs(a.folder, unreadable) : std::vector<TabularLog>{};
  if (logs.empty()) return plot(read_logs(a.folder, unreadable), a.metrics);
  Plot result = tabular_plot(summarise(logs));
  const std::vector<RunLog> networks = read_logs_if_any(a.folder, unreadable);
  if (networks.empty()) return result;
  Plot curves = plot(networks, a.metrics);
  std::ranges::move(curves.figures, std::back_inserter(result.figures));
  std::ranges::move(curves.remarks, std::back_inserter(result.remarks));
  return result;
}

int plot_runs(const PlotArguments& a) {
  Unreadable unreadable;
  const Plot pictures = pictures_of(a, unreadable);
  const fs::path out = a.out.empty() ? a.folder : a.out;
  make_folder(out);
  bool is_drawn = true;
  for (const Figure& figure : pictures.figures) {
    is_drawn = write_figure(out, figure);
    std::cout << (out / figure.name).string() << (is_drawn ? ": .svg .png .dat .gp\n" : ": .dat .gp\n");
  }
  for (const std::string& remark : pictures.remarks) std::cout << remark << '\n';
  tell(unreadable, std::cout, std::cerr);
  if (!is_drawn)
    std::cout << "no gnuplot in PATH: data and scripts alone were written; with it, gnuplot FILE.gp draws them\n";
  return 0;
}

}  // namespace

Command add_plot(CLI::App& app) {
  const auto arguments = std::make_shared<PlotArguments>();
  PlotArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "plot",
      "Draw accuracy and alignment against the epoch for the runs in a folder, by gnuplot; of runs on tables, RFAM "
      "against RFM");
  command->footer(
      "gnuplot draws with its own defaults: neither ~/.gnuplot nor the environment changes a picture. Logs that\n"
      "cannot be read are named and left out.");
  add(*command, "folder", a.folder, "Folder with logs, searched with what is below it", "DIR");
  add(*command, "--out", a.out, "Folder for TASK.svg, .png, .dat and .gp (default: that of the logs)", "DIR");
  add(*command, "--metric", a.metrics,
      "What the panels below the accuracy show: metrics of the logs, with or without test_ (default: "
      "centroid_alignment)",
      "NAME");
  add(*command, "--against", a.against,
      "In place of the curves: the epochs and seconds at which runs grokked, and any --metric there, over this setting "
      "of theirs, such as penalty_share; mean and range over the runs with one value",
      "SETTING");
  return [arguments] { return plot_runs(*arguments); };
}

}  // namespace normalign::commands
