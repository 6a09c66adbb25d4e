#include "experiments/summary.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char* baseline_name = "baseline";

// --- from logs to rows
// ---------------------------------------------------------------------------------------

bool is_alphanumeric(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; }

// Where `word` begins in `name`, as a word of its own after the first; the end where it does not.
std::size_t position_of_word(std::string_view name, std::string_view word) {
  if (word.empty()) return name.size();
  for (std::size_t at = name.find(word, 1); at != name.npos; at = name.find(word, at + 1))
    if (!is_alphanumeric(name[at - 1])) return at;
  return name.size();
}

std::string setting_of(const RunLog& log) {
  if (const auto task = log.config.find("task"); task != log.config.end() && task->is_string())
    return task->get<std::string>();
  const std::string& name = log.run_name;
  std::size_t end = std::min(position_of_word(name, log.condition), position_of_word(name, "seed"));
  while (end > 0 && !is_alphanumeric(name[end - 1])) --end;
  return end > 0 ? name.substr(0, end) : name;
}

std::optional<double> seconds_at_grokking(const RunLog& log) {
  for (const MetricRow& row : log.metrics)
    if (row.epoch == log.grokking_epoch) return row.opt_time;
  return std::nullopt;
}

Spread spread(std::span<const double> values) {
  return {.mean = mean(values), .standard_deviation = standard_deviation(values), .median = median(values)};
}

std::optional<double> ratio(std::optional<double> numerator, std::optional<double> denominator) {
  if (!numerator || !denominator || *denominator == 0) return std::nullopt;
  return *numerator / *denominator;
}

// What one condition's runs leave behind; grokked runs only in the two samples.
struct Sample {
  Index runs = 0;
  std::vector<double> epochs = {};
  std::vector<double> seconds = {};
};

// The baseline goes first, and before all names there is the empty one.
std::string sorting_key(const std::string& condition) { return condition == baseline_name ? "" : condition; }

SettingSummary setting_summary(const std::string& setting, const std::vector<const RunLog*>& logs) {
  SettingSummary result{.setting = setting, .conditions = {}};
  std::map<std::pair<std::string, std::string>, Sample> samples;
  for (const RunLog* log : logs) {
    Sample& sample = samples[{sorting_key(log->condition), log->condition}];
    ++sample.runs;
    if (log->status == RunStatus::running) result.unfinished.push_back(log->run_name);
    if (log->status == RunStatus::failed) result.failed.push_back(log->run_name);
    if (log->status != RunStatus::finished || !log->grokked || !log->grokking_epoch) continue;
    sample.epochs.push_back(static_cast<double>(*log->grokking_epoch));
    if (const auto seconds = seconds_at_grokking(*log))
      sample.seconds.push_back(*seconds);
    else
      result.untimed.push_back(log->run_name);
  }
  const Sample baseline = samples.contains({"", baseline_name}) ? samples.at({"", baseline_name}) : Sample{};
  for (const auto& [key, sample] : samples) {
    ConditionSummary row{.condition = key.second,
                         .runs = sample.runs,
                         .grokked = static_cast<Index>(sample.epochs.size()),
                         .epochs = spread(sample.epochs),
                         .seconds = spread(sample.seconds)};
    row.epochs_ratio = ratio(mean(baseline.epochs), row.epochs.mean);
    row.seconds_ratio = ratio(mean(baseline.seconds), row.seconds.mean);
    if (row.condition != baseline_name) row.epochs_test = welch_t_test(baseline.epochs, sample.epochs);
    result.conditions.push_back(std::move(row));
  }
  return result;
}

// --- from rows to numbers and words
// --------------------------------------------------------------------------

// All numbers of a row besides its counts, under the names that JSON and CSV share.
std::vector<std::pair<const char*, std::optional<double>>> numbers(const ConditionSummary& row) {
  const auto of_test = [&](double WelchTest::*member) {
    return row.epochs_test ? std::optional(*row.epochs_test.*member) : std::nullopt;
  };
  return {{"epochs_mean", row.epochs.mean},
          {"epochs_std", row.epochs.standard_deviation},
          {"epochs_median", row.epochs.median},
          {"seconds_mean", row.seconds.mean},
          {"seconds_std", row.seconds.standard_deviation},
          {"seconds_median", row.seconds.median},
          {"epochs_ratio", row.epochs_ratio},
          {"seconds_ratio", row.seconds_ratio},
          {"welch_t", of_test(&WelchTest::t)},
          {"welch_degrees_of_freedom", of_test(&WelchTest::degrees_of_freedom)},
          {"welch_p_two_sided", of_test(&WelchTest::p_two_sided)}};
}

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string four_digits(std::optional<double> value) {
  if (!value) return "-";
  return formatted(std::abs(*value) < 1e4 ? "%.4g" : "%.0f", *value);
}

std::string two_decimals(std::optional<double> value) { return value ? formatted("%.2f", *value) : "-"; }

std::string probability(const std::optional<WelchTest>& test) {
  return test ? formatted("%.2g", test->p_two_sided) : "-";
}

using Cells = std::array<std::string, 11>;

const Cells header = {"condition",     "runs",   "grokked",       "epochs: mean", "std", "median",
                      "seconds: mean", "median", "ratio: epochs", "seconds",      "p"};

Cells cells(const ConditionSummary& row) {
  return {row.condition,
          text(row.runs),
          text(row.grokked, '/', row.runs),
          four_digits(row.epochs.mean),
          four_digits(row.epochs.standard_deviation),
          four_digits(row.epochs.median),
          four_digits(row.seconds.mean),
          four_digits(row.seconds.median),
          two_decimals(row.epochs_ratio),
          two_decimals(row.seconds_ratio),
          probability(row.epochs_test)};
}

constexpr const char* legend[] = {
    "epochs, seconds: at which grokked runs grokked; seconds are of optimisation alone.",
    "ratio: mean of the baseline / mean of the condition; above 1 the condition grokked sooner.",
    "p: two-sided Welch t-test of the grokking epochs against the baseline's."};

std::string remark(const char* what, const std::vector<std::string>& names) {
  std::string result = text(names.size(), names.size() == 1 ? " run " : " runs ", what, ": ");
  for (std::size_t i = 0; i < names.size(); ++i) result += (i > 0 ? ", " : "") + names[i];
  return result;
}

// What stands beneath the table, one line for each kind of run that does not count in full.
std::vector<std::string> remarks(const SettingSummary& setting) {
  std::vector<std::string> result;
  if (!setting.unfinished.empty()) result.push_back(remark("unfinished", setting.unfinished));
  if (!setting.failed.empty()) result.push_back(remark("failed", setting.failed));
  if (!setting.untimed.empty()) result.push_back(remark("without an opt_time at the grokking epoch", setting.untimed));
  return result;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string quoted = "\"";
  for (const char letter : field) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string latex_escaped(const std::string& words) {
  std::string result;
  for (const char letter : words) {
    if (std::string_view("&%$#_{}").find(letter) != std::string_view::npos)
      result += {'\\', letter};
    else if (letter == '~')
      result += "\\textasciitilde{}";
    else if (letter == '^')
      result += "\\textasciicircum{}";
    else if (letter == '\\')
      result += "\\textbackslash{}";
    else
      result += letter;
  }
  return result;
}

// 3.1e-07 as $3.1\cdot10^{-7}$.
std::string latex_number(const std::string& number) {
  const std::size_t e = number.find('e');
  if (e == number.npos) return number;
  return text('$', number.substr(0, e), "\\cdot10^{", std::stoi(number.substr(e + 1)), "}$");
}

}  // namespace

std::vector<SettingSummary> summarise(const std::vector<RunLog>& logs) {
  std::map<std::string, std::vector<const RunLog*>> settings;
  for (const RunLog& log : logs) settings[setting_of(log)].push_back(&log);
  std::vector<SettingSummary> result;
  for (const auto& [setting, runs] : settings) result.push_back(setting_summary(setting, runs));
  return result;
}

std::vector<RunLog> read_logs(const fs::path& folder) {
  const std::string expected = "; expected a folder of run logs (*.json)";
  std::vector<fs::path> paths;
  try {
    if (!fs::is_directory(folder))
      throw InputError(text(folder.string(), fs::exists(folder) ? ": no folder" : ": no such folder", expected));
    for (const auto& file : fs::recursive_directory_iterator(folder))
      if (file.path().extension() == ".json" && !file.path().filename().string().starts_with('.') &&
          !file.is_directory())
        paths.push_back(file.path());
  } catch (const fs::filesystem_error& error) {
    throw InputError(text(folder.string(), ": cannot be read: ", error.code().message(), expected));
  }
  if (paths.empty()) throw InputError(text(folder.string(), ": found no *.json file", expected));
  std::sort(paths.begin(), paths.end());
  std::vector<RunLog> logs;
  for (const fs::path& path : paths) logs.push_back(read_log(path));
  return logs;
}

std::string as_text(std::span<const SettingSummary> summary) {
  std::string result;
  for (const SettingSummary& setting : summary) {
    std::vector<Cells> rows = {header};
    for (const ConditionSummary& row : setting.conditions) rows.push_back(cells(row));
    std::array<std::size_t, header.size()> widths = {};
    for (const Cells& row : rows)
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());

    result += setting.setting + "\n";
    for (const Cells& row : rows) {
      result += row[0] + std::string(widths[0] - row[0].size(), ' ');
      for (std::size_t i = 1; i < row.size(); ++i) result += std::string(2 + widths[i] - row[i].size(), ' ') + row[i];
      result += '\n';
    }
    for (const std::string& line : remarks(setting)) result += line + "\n";
    result += '\n';
  }
  for (const char* line : legend) result += text(line, '\n');
  return result;
}

Json as_json(std::span<const SettingSummary> summary) {
  Json settings = Json::array();
  for (const SettingSummary& setting : summary) {
    Json conditions = Json::array();
    for (const ConditionSummary& row : setting.conditions) {
      Json json = {{"condition", row.condition}, {"runs", row.runs}, {"grokked", row.grokked}};
      for (const auto& [name, number] : numbers(row)) json[name] = number ? Json(*number) : Json(nullptr);
      conditions.push_back(std::move(json));
    }
    settings.push_back({{"setting", setting.setting},
                        {"conditions", std::move(conditions)},
                        {"unfinished", setting.unfinished},
                        {"failed", setting.failed},
                        {"untimed", setting.untimed}});
  }
  return {{"settings", std::move(settings)}};
}

std::string as_csv(std::span<const SettingSummary> summary) {
  std::string result = "setting,condition,runs,grokked";
  for (const auto& [name, number] : numbers({})) result += text(',', name);
  result += '\n';
  for (const SettingSummary& setting : summary)
    for (const ConditionSummary& row : setting.conditions) {
      result += text(csv_field(setting.setting), ',', csv_field(row.condition), ',', row.runs, ',', row.grokked);
      // The shortest digits that read back the same, as JSON has them.
      for (const auto& [name, number] : numbers(row)) result += ',' + (number ? Json(*number).dump() : "");
      result += '\n';
    }
  return result;
}

std::string as_latex(std::span<const SettingSummary> summary) {
  std::string result =
      "% \\usepackage{booktabs}\n"
      "\\begin{tabular}{lrrrrrrrrrr}\n"
      "\\toprule\n"
      " & & & \\multicolumn{3}{c}{grokking epoch} & \\multicolumn{2}{c}{seconds}"
      " & \\multicolumn{2}{c}{baseline / condition} & \\\\\n"
      "\\cmidrule(lr){4-6} \\cmidrule(lr){7-8} \\cmidrule(lr){9-10}\n"
      "condition & runs & grokked & mean & std & median & mean & median & epochs & seconds & $p$ \\\\\n";
  for (const SettingSummary& setting : summary) {
    result += text("\\midrule\n\\multicolumn{", header.size(), "}{l}{", latex_escaped(setting.setting), "} \\\\\n");
    for (const ConditionSummary& row : setting.conditions) {
      Cells columns = cells(row);
      columns.front() = latex_escaped(columns.front());
      columns.back() = latex_number(columns.back());
      for (std::size_t i = 0; i < columns.size(); ++i) result += (i > 0 ? " & " : "") + columns[i];
      result += " \\\\\n";
    }
  }
  result += "\\bottomrule\n\\end{tabular}\n";
  for (const SettingSummary& setting : summary)
    for (const std::string& line : remarks(setting))
      result +=
          text("\\par\\noindent{\\footnotesize ", latex_escaped(setting.setting), ": ", latex_escaped(line), ".}\n");
  return result;
}

}  // namespace normalign
