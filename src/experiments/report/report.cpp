#include "experiments/report/report.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "base/error.hpp"
#include "experiments/report/charts.hpp"
#include "experiments/report/parts.hpp"
#include "experiments/report/pictures.hpp"
#include "experiments/report/run_details.hpp"
#include "experiments/report/style.hpp"
#include "experiments/results/curves.hpp"
#include "experiments/results/geometry_summary.hpp"
#include "experiments/results/summary.hpp"
#include "experiments/tabular/plot.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

// Charts stand between what comes before them and the rest.
struct Section {
  std::string title;
  Markup before = {};
  std::vector<Chart> charts = {};
  Markup content = {};
};

Markup heading(const std::string& words) { return element("h3", {}, words); }
Markup runs_heading() { return element("h3", {{"class", "on-screen"}}, "Runs"); }
Markup note(const std::string& words) { return element("p", {{"class", "note"}}, words); }

// A path as an address: what is no letter, digit or one of "/._-~" stands as its bytes in hexadecimal.
std::string address(const fs::path& path) {
  std::string result;
  for (const char letter : path.generic_string()) {
    const auto byte = static_cast<unsigned char>(letter);
    char code[4];
    std::snprintf(code, sizeof code, "%%%02X", byte);
    const bool is_plain =
        byte < 0x80 && (std::isalnum(byte) || std::string_view("/._-~").find(letter) != std::string_view::npos);
    result += is_plain ? std::string(1, letter) : code;
  }
  return result;
}

// "3 runs of networks: 2 finished, 1 running"; empty of none.
template <class Log>
std::string census(const std::vector<Found<Log>>& runs, const char* what) {
  if (runs.empty()) return "";
  std::string result = text(runs.size(), runs.size() == 1 ? " run" : " runs", what);
  const char* separator = ": ";
  for (const RunStatus status : {RunStatus::finished, RunStatus::running, RunStatus::failed}) {
    const auto count = std::ranges::count_if(runs, [&](const Found<Log>& run) { return run.content.status == status; });
    if (count == 0) continue;
    result += text(separator, count, ' ', name_of(status));
    separator = ", ";
  }
  return result;
}

std::string census(std::size_t count, const char* one, const char* many) {
  return count == 0 ? "" : text(count, ' ', count == 1 ? one : many);
}

template <class Content>
std::vector<Content> contents(const std::vector<Found<Content>>& found) {
  std::vector<Content> result;
  for (const Found<Content>& file : found) result.push_back(file.content);
  return result;
}

// Whether a row of a geometry table, which ends with the metrics, has any of them.
bool has_geometry(const Cells& row) {
  return std::any_of(row.end() - geometry_metrics.size(), row.end(), [](const Cell& cell) { return cell != Cell(); });
}

// One for each task, and the legends of their tables once.
std::vector<Section> network_sections(const RunFolder& folder, const std::vector<std::string>& metrics,
                                      const AddressOf& address_of) {
  const std::vector<RunLog> logs = contents(folder.runs);
  const std::vector<TaskRuns> tasks = by_task(logs);
  const std::vector<CurveChart> drawn = curve_charts(tasks, metrics);
  std::vector<Section> result;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    TableSet comparison = grokking_tables({&tasks[i], 1});
    comparison.tables.front().caption.clear();  // the section's title
    Section& section = result.emplace_back(Section{.title = tasks[i].task, .before = table_part(comparison)});
    Markup& content = section.content;
    if (!drawn[i].chart.panels.empty()) {
      section.charts = {drawn[i].chart};
      content += note(
          "Medians over the finished runs of a condition, shaded their range; runs that have ended keep their "
          "last value.");
      if (!tasks[i].unfinished.empty())
        content +=
            note("Thin lines are unfinished runs, each by itself as far as it came. They do not count in the medians.");
      for (const std::string& name : drawn[i].missing) content += note(text("No run logged ", name, "."));
    }
    const TableSet geometry = geometry_tables({&tasks[i], 1});
    if (std::ranges::any_of(geometry.tables.front().rows, has_geometry))
      content += heading("Local geometry") += table_part(geometry);
    // `logs` has the runs in the order of the files.
    std::vector<const Found<RunLog>*> runs;
    for (std::size_t k = 0; k < logs.size(); ++k)
      if (task_of(logs[k]) == tasks[i].task) runs.push_back(&folder.runs[k]);
    content += runs_heading();
    content += run_details(runs, address_of);
  }
  return result;
}

// The figures of each data set, RFM's beside RFAM's.
Table table_of_data_sets(const TabularSummary& summary, const ProtocolSummary& protocol) {
  Table table{.caption = "Data sets, " + protocol.protocol};
  for (const TableRow& row : protocol.rows.rows) {
    Record record = {
        {{"data set"}, row.dataset}, {{"n"}, row.samples}, {{"d"}, row.features}, {{"classes"}, row.classes}};
    for (const TabularMetric& metric : summary.metrics)
      for (const MethodSummary& method : protocol.methods)
        record.push_back({{metric.name + " " + method.method}, value_of(metric, method.method, row, protocol.rows)});
    table.add(record);
  }
  return table;
}

Section tabular_section(const RunFolder& folder, const AddressOf& address_of) {
  Section result{"Runs on tables"};
  try {
    const TabularSummary summary = summarise(contents(folder.tabular));
    result.before += table_part(tables(summary));
    result.charts = tabular_charts(summary);
    if (!result.charts.empty()) result.before += heading("RFAM against RFM, a dot for each data set");
    for (const ProtocolSummary& protocol : summary.protocols) {
      const Table sets = table_of_data_sets(summary, protocol);
      result.content += group(sets.caption, table_part(sets));
    }
  } catch (const InputError& error) {
    result.content += note(text("No table: ", error.what()));
  }
  result.content += runs_heading();
  result.content += run_details(folder.tabular, address_of);
  return result;
}

Section inspection_section(const RunFolder& folder) {
  Section result{"Inspected networks"};
  for (const auto& [path, json] : folder.inspections) {
    const std::string name = path.generic_string();
    result.content += heading(name);
    result.content += table_part(table_of(json["classes"], 1));
    result.content +=
        note("Means over samples; accuracy is per cent. Random directions have an alignment of " +
             (json["chance_alignment"].is_number() ? four_digits(json["chance_alignment"].get<double>()) : "-") + ".");
    if (json.contains("certificates") && json["certificates"].is_object()) {
      result.content += note("Certificates of the distance to the decision boundary:");
      result.content += list_part(json["certificates"]);
    }
  }
  for (const auto& [path, json] : folder.robustness) {
    result.content += heading(path.generic_string());
    result.content += table_part(table_of(json, 2));
  }
  return result;
}

Section study_section(const RunFolder& folder, Pictures& pictures, const AddressOf& address_of) {
  Section result{"Study of sparsity"};
  for (const auto& [path, json] : folder.studies) {
    result.content += heading(path.generic_string());
    result.content += table_part(table_of(json["means"], 3));
    result.content += pictures.figure(path, address_of);
  }
  return result;
}

Section slice_section(const RunFolder& folder, Pictures& pictures, const AddressOf& address_of) {
  Section result{"Slices"};
  for (const auto& [path, json] : folder.slices) {
    result.content += heading(path.generic_string());
    result.content += pictures.figure(path, address_of);
    if (json["statistics"].is_object()) result.content += table_part(table_of(Json::array({json["statistics"]}), 0));
  }
  return result;
}

Section picture_section(Pictures& pictures, const AddressOf& address_of) {
  Section result{"Pictures"};
  for (const fs::path& path : pictures.left()) result.content += pictures.figure(path, address_of);
  return result;
}

// What did not end well or cannot be read.
Section problem_section(const RunFolder& folder) {
  Section result{"Unfinished, failed and unreadable"};
  Markup list;
  const auto add = [&](const fs::path& path, const std::string& what) {
    list += element("li", {}, element("b", {}, path.generic_string()), ": ", what, "\n");
  };
  const auto add_runs = [&](const auto& runs) {
    for (const auto& [path, log] : runs) {
      if (log.status == RunStatus::running)
        add(path, "running, or ended early: the command that began it goes on with it");
      if (log.status == RunStatus::failed) add(path, "failed: " + log.failure);
    }
  };
  add_runs(folder.runs);
  add_runs(folder.tabular);
  for (const auto& [path, reason] : folder.unreadable) add(path, reason);
  if (!list.text.empty()) result.content += element("ul", {{"class", "problems"}}, list);
  return result;
}

Markup page_of(const std::string& title, const Markup& head, const std::vector<Section>& sections) {
  Markup contents, body;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::string id = text("section-", i + 1);
    contents += element("li", {}, element("a", {{"href", "#" + id}}, sections[i].title));
    body += element("section", {{"id", id}}, element("h2", {}, sections[i].title), sections[i].before,
                    sections[i].content, "\n");
  }
  // The policy holds a page to what it says: nothing is loaded, and no script runs.
  const Markup top = element(
      "head", {}, html::empty_element("meta", {{"charset", "utf-8"}}),
      html::empty_element("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}}),
      html::empty_element("meta", {{"http-equiv", "Content-Security-Policy"},
                                   {"content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"}}),
      element("title", {}, title), element("style", {}, Markup{report_style}), "\n");
  return {"<!DOCTYPE html>\n" +
          element("html", {{"lang", "en"}}, top,
                  element("body", {}, element("header", {}, element("h1", {}, title), head),
                          element("nav", {}, element("ul", {}, contents)), element("main", {}, body),
                          element("footer", {{"class", "soft"}}, "normalign ", NORMALIGN_VERSION)))
              .text +
          "\n"};
}

}  // namespace

std::string report(const fs::path& folder, const ReportOptions& options) {
  const RunFolder found = run_folder(folder);
  std::string counts;
  for (const std::string& part :
       {census(found.runs, " of networks"), census(found.tabular, " on tables"),
        census(found.inspections.size(), "inspected network", "inspected networks"),
        census(found.slices.size(), "slice", "slices"), census(found.pictures.size(), "picture", "pictures"),
        census(found.unreadable.size(), "file that cannot be read", "files that cannot be read")})
    if (!part.empty()) counts += (counts.empty() ? "" : "; ") + part;
  if (counts.empty() && found.studies.empty() && found.robustness.empty())
    throw InputError(text(folder.string(), ": found no log, inspection, slice or picture, expected some"));

  const AddressOf address_of = [&](const fs::path& path) {
    if (options.page.empty()) return std::string();
    const fs::path page = fs::weakly_canonical(options.page).parent_path();
    const std::string relative = address((fs::weakly_canonical(folder) / path).lexically_relative(page));
    return relative.empty() ? address(path) : relative;
  };
  constexpr double mebibyte = 1024 * 1024;
  Pictures pictures(folder, found.pictures, options.largest_picture * mebibyte, options.all_pictures * mebibyte);
  std::vector<Section> sections = network_sections(found, options.metrics, address_of);
  if (!found.tabular.empty()) sections.push_back(tabular_section(found, address_of));
  sections.push_back(inspection_section(found));
  sections.push_back(study_section(found, pictures, address_of));
  sections.push_back(slice_section(found, pictures, address_of));
  sections.push_back(picture_section(pictures, address_of));
  sections.push_back(problem_section(found));
  std::erase_if(sections, [](const Section& s) { return s.before.text.empty() && s.content.text.empty(); });
  std::vector<std::vector<Chart>> charts;
  for (Section& section : sections) charts.push_back(std::move(section.charts));
  const std::vector<Markup> drawn = chart_parts(charts);
  for (std::size_t i = 0; i < sections.size(); ++i) sections[i].before += drawn[i];
  const std::string title =
      options.title.empty() ? "Runs in " + fs::weakly_canonical(folder).filename().string() : options.title;
  return page_of(title, element("p", {}, counts, "."), sections).text;
}

}  // namespace normalign
