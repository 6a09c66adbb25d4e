#include "experiments/results/plot.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/results/curves.hpp"

namespace normalign {
namespace {

// A name for files that is no option, hidden file or other folder; `taken` holds those in use, in lower case as some
// file systems know no other.
std::string file_name(const std::string& task, std::set<std::string>& taken) {
  const auto is_alphanumeric = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; };
  std::string stem = task.substr(0, 100);
  for (char& letter : stem)
    if (!is_alphanumeric(letter) && std::string_view("._+-").find(letter) == std::string_view::npos) letter = '_';
  if (stem.empty() || !is_alphanumeric(stem.front())) stem.insert(0, "_");
  std::string result = stem;
  const auto is_new = [&] {
    std::string lower = result;
    for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return taken.insert(lower).second;
  };
  for (int i = 2; !is_new(); ++i) result = text(stem, '_', i);
  return result;
}

std::string list(const std::set<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ", ") + name;
  return result;
}

}  // namespace

Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options) {
  const std::vector<TaskRuns> tasks = by_task(logs);
  std::vector<CurveChart> drawings =
      curve_charts(tasks, options.metrics.empty() ? std::vector<std::string>{"centroid_alignment"} : options.metrics);
  std::set<std::string> file_names, drawn, known;
  Plot result;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    CurveChart& drawing = drawings[i];
    const auto remember = [&](const std::string& words) { result.remarks.push_back(text(tasks[i].task, ": ", words)); };
    for (const std::string& words : remarks(tasks[i].unfinished, tasks[i].failed)) remember(words);
    if (drawing.chart.panels.empty()) {
      remember("no picture without a finished run");
      continue;
    }
    for (const std::string& name : options.metrics)
      if (std::ranges::find(drawing.missing, name) == drawing.missing.end()) drawn.insert(name);
    for (const std::string& name : drawing.missing) remember("no finished run logged " + name);
    known.insert(drawing.logged.begin(), drawing.logged.end());
    drawing.chart.name = file_name(tasks[i].task, file_names);
    result.figures.push_back(figure_of(drawing.chart));
  }
  if (result.figures.empty()) throw InputError(text("found none of ", logs.size(), " runs finished, expected some"));
  for (const std::string& name : options.metrics)
    if (!drawn.contains(name))
      throw InputError(text("metric: found '", name, "', expected one that a finished run logged: ", list(known),
                            did_you_mean(name, {known.begin(), known.end()})));
  return result;
}

}  // namespace normalign
