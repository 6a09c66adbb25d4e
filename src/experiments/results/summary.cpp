#include "experiments/results/summary.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// From logs to rows.

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

// What one condition's grokked runs leave behind.
struct Sample {
  std::vector<double> epochs = {};
  std::vector<double> seconds = {};
  std::vector<std::string> untimed = {};
  std::vector<double> last_epochs = {}, last_train = {}, last_test = {};  // of runs that did not grok
};

Sample sample(const ConditionRuns& condition) {
  Sample result;
  for (const RunLog* log : condition.finished) {
    if (!has_grokked(*log)) {
      if (log->metrics.empty()) continue;
      const MetricRow& last = log->metrics.back();
      result.last_epochs.push_back(static_cast<double>(last.epoch));
      result.last_train.push_back(last.train_acc);
      result.last_test.push_back(last.test_acc);
      continue;
    }
    result.epochs.push_back(static_cast<double>(*log->grokking_epoch));
    if (const auto seconds = seconds_at_grokking(*log))
      result.seconds.push_back(*seconds);
    else
      result.untimed.push_back(log->run_name);
  }
  return result;
}

SettingSummary setting_summary(const SettingRuns& runs) {
  SettingSummary result{
      .setting = runs.setting, .conditions = {}, .unfinished = runs.unfinished, .failed = runs.failed};
  Sample baseline;
  for (const ConditionRuns& condition : runs.conditions) {
    const Sample of_condition = sample(condition);
    if (condition.condition == baseline_name) baseline = of_condition;
    ConditionSummary row{.condition = condition.condition,
                         .runs = condition.all,
                         .grokked = static_cast<Index>(of_condition.epochs.size()),
                         .epochs = spread(of_condition.epochs),
                         .seconds = spread(of_condition.seconds),
                         .last_epoch = mean(of_condition.last_epochs),
                         .last_train_acc = mean(of_condition.last_train),
                         .last_test_acc = mean(of_condition.last_test)};
    row.epochs_ratio = ratio(mean(baseline.epochs), row.epochs.mean);
    row.seconds_ratio = ratio(mean(baseline.seconds), row.seconds.mean);
    if (row.condition != baseline_name) row.epochs_test = welch_t_test(baseline.epochs, of_condition.epochs);
    result.conditions.push_back(std::move(row));
    result.untimed.insert(result.untimed.end(), of_condition.untimed.begin(), of_condition.untimed.end());
  }
  return result;
}

// From rows to numbers and words.

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
          {"welch_p_two_sided", of_test(&WelchTest::p_two_sided)},
          {"not_grokked_last_epoch", row.last_epoch},
          {"not_grokked_train_acc", row.last_train_acc},
          {"not_grokked_test_acc", row.last_test_acc}};
}

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string two_decimals(std::optional<double> value) { return value ? formatted("%.2f", *value) : "-"; }

std::string probability(const std::optional<WelchTest>& test) {
  return test ? formatted("%.2g", test->p_two_sided) : "-";
}

// Whether there is something to say about runs that did not grok.
bool has_ungrokked(std::span<const SettingSummary> summary) {
  return std::ranges::any_of(summary, [](const SettingSummary& setting) {
    return std::ranges::any_of(setting.conditions,
                               [](const ConditionSummary& row) { return row.last_epoch.has_value(); });
  });
}

Cells header(bool ungrokked) {
  Cells result = {"condition",     "runs",   "grokked",       "epochs: mean", "std", "median",
                  "seconds: mean", "median", "ratio: epochs", "seconds",      "p"};
  if (ungrokked) result.insert(result.end(), {"not grokked: epoch", "train %", "test %"});
  return result;
}

// Columns whose heads go on with what the column before says.
const std::vector<std::size_t> joined_columns = {4, 5, 7, 9, 12, 13};

Cells cells(const ConditionSummary& row, bool ungrokked) {
  Cells result = {row.condition,
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
  if (ungrokked)
    for (const auto& value : {row.last_epoch, row.last_train_acc, row.last_test_acc})
      result.push_back(four_digits(value));
  return result;
}

constexpr const char* legend[] = {
    "epochs, seconds: at which grokked runs grokked; seconds are of optimisation alone.",
    "ratio: mean of the baseline / mean of the condition; above 1 the condition grokked sooner.",
    "p: two-sided Welch t-test of the grokking epochs against the baseline's."};

constexpr const char* ungrokked_legend =
    "not grokked: last epoch and accuracies there, means over the finished runs that did not grok.";

// What stands beneath the table, one line for each kind of run that does not count in full.
std::vector<std::string> notes(const SettingSummary& setting) {
  std::vector<std::string> result = remarks(setting.unfinished, setting.failed);
  if (!setting.untimed.empty()) result.push_back(remark("without an opt_time at the grokking epoch", setting.untimed));
  return result;
}

}  // namespace

std::vector<SettingSummary> summarise(const std::vector<RunLog>& logs) {
  std::vector<SettingSummary> result;
  for (const SettingRuns& setting : by_setting(logs)) result.push_back(setting_summary(setting));
  return result;
}

TableSet tables(std::span<const SettingSummary> summary) {
  TableSet result{.tables = {}, .remarks = {}, .legend = {std::begin(legend), std::end(legend)}};
  for (const SettingSummary& setting : summary) {
    const bool ungrokked = has_ungrokked({&setting, 1});
    Table& table = result.tables.emplace_back(Table{.caption = setting.setting,
                                                    .rows = {header(ungrokked)},
                                                    .headings = {},
                                                    .notes = notes(setting),
                                                    .joined = joined_columns});
    for (const ConditionSummary& row : setting.conditions) table.rows.push_back(cells(row, ungrokked));
  }
  if (has_ungrokked(summary)) result.legend.emplace_back(ungrokked_legend);
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
  Cells names = {"setting", "condition", "runs", "grokked"};
  for (const auto& [name, number] : numbers({})) names.emplace_back(name);
  std::string result = csv_line(names);
  for (const SettingSummary& setting : summary)
    for (const ConditionSummary& row : setting.conditions) {
      Cells line = {setting.setting, row.condition, text(row.runs), text(row.grokked)};
      for (const auto& [name, number] : numbers(row)) line.push_back(all_digits(number));
      result += csv_line(line);
    }
  return result;
}

std::string as_latex(std::span<const SettingSummary> summary) {
  const bool ungrokked = has_ungrokked(summary);
  const std::size_t columns = header(ungrokked).size();
  std::string result = text(
      "% \\usepackage{booktabs}\n\\begin{tabular}{l", std::string(columns - 1, 'r'),
      "}\n\\toprule\n"
      " & & & \\multicolumn{3}{c}{grokking epoch} & \\multicolumn{2}{c}{seconds}"
      " & \\multicolumn{2}{c}{baseline / condition} &",
      ungrokked ? " & \\multicolumn{3}{c}{not grokked}" : "",
      " \\\\\n\\cmidrule(lr){4-6} \\cmidrule(lr){7-8} \\cmidrule(lr){9-10}", ungrokked ? " \\cmidrule(lr){12-14}" : "",
      "\ncondition & runs & grokked & mean & std & median & mean & median & epochs & seconds & $p$",
      ungrokked ? " & epoch & train \\% & test \\%" : "", " \\\\\n");
  for (const SettingSummary& setting : summary) {
    result += text("\\midrule\n\\multicolumn{", columns, "}{l}{", latex_escaped(setting.setting), "} \\\\\n");
    for (const ConditionSummary& row : setting.conditions) {
      Cells line = cells(row, ungrokked);
      line.front() = latex_escaped(line.front());
      line[10] = latex_number(line[10]);
      result += latex_line(line);
    }
  }
  result += "\\bottomrule\n\\end{tabular}\n";
  for (const SettingSummary& setting : summary)
    for (const std::string& line : notes(setting)) result += latex_note(setting.setting, line);
  return result;
}

}  // namespace normalign
