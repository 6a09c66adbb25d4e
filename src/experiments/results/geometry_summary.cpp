#include "experiments/results/geometry_summary.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array moments = {Moment::memorisation, Moment::grokking, Moment::equal_epochs};

// From logs to rows.

bool is_grokalign(const std::string& condition) {
  return condition == "grokalign" || (condition.starts_with("GA") && condition.size() > 2 &&
                                      std::isdigit(static_cast<unsigned char>(condition[2])));
}

std::vector<double> grokking_epochs(const ConditionRuns& condition) {
  std::vector<double> result;
  for (const RunLog* run : condition.finished)
    if (has_grokked(*run)) result.push_back(static_cast<double>(*run->grokking_epoch));
  return result;
}

std::optional<double> equal_epoch(const SettingRuns& setting) {
  std::vector<double> of_grokalign;
  std::optional<double> smallest;
  for (const ConditionRuns& condition : setting.conditions) {
    const std::vector<double> epochs = grokking_epochs(condition);
    if (is_grokalign(condition.condition)) of_grokalign.insert(of_grokalign.end(), epochs.begin(), epochs.end());
    if (const auto middle = median(epochs)) smallest = smallest ? std::min(*smallest, *middle) : *middle;
  }
  return of_grokalign.empty() ? smallest : median(of_grokalign);
}

// The row of a run at a moment, null where it has none.
const MetricRow* row_at(const RunLog& run, Moment moment, std::optional<double> epoch) {
  const MetricRow* result = nullptr;
  for (const MetricRow& row : run.metrics) {
    if (moment == Moment::memorisation && row.train_acc > 99) return &row;
    if (moment == Moment::grokking && has_grokked(run) && row.epoch == *run.grokking_epoch) return &row;
    if (moment == Moment::equal_epochs && epoch && static_cast<double>(row.epoch) <= *epoch) result = &row;
  }
  return result;
}

std::optional<double> mean_of(const std::vector<const MetricRow*>& rows, const std::string& name) {
  std::vector<double> values;
  for (const MetricRow* row : rows)
    if (const auto value = metric(*row, name)) values.push_back(*value);
  return mean(values);
}

void add_rows(GeometrySummary& summary, const ConditionRuns& condition, Moment moment) {
  std::vector<const MetricRow*> rows;
  std::vector<double> epochs;
  for (const RunLog* run : condition.finished)
    if (const MetricRow* row = row_at(*run, moment, summary.equal_epoch)) {
      rows.push_back(row);
      epochs.push_back(static_cast<double>(row->epoch));
    }
  for (const bool is_test : {false, true}) {
    GeometryRow& row = summary.rows.emplace_back(GeometryRow{.condition = condition.condition,
                                                             .moment = moment,
                                                             .is_test = is_test,
                                                             .runs = static_cast<Index>(rows.size()),
                                                             .epoch = mean(epochs)});
    for (std::size_t i = 0; i < geometry_metrics.size(); ++i)
      row.means[i] = mean_of(rows, (is_test ? std::string("test_") : "") + geometry_metrics[i]);
  }
}

GeometrySummary setting_summary(const SettingRuns& setting) {
  GeometrySummary result{.setting = setting.setting,
                         .equal_epoch = equal_epoch(setting),
                         .unfinished = setting.unfinished,
                         .failed = setting.failed};
  std::vector<const MetricRow*> all;
  for (const ConditionRuns& condition : setting.conditions)
    for (const RunLog* run : condition.finished)
      for (const MetricRow& row : run->metrics) all.push_back(&row);
  result.chance_alignment = mean_of(all, "chance_alignment");
  for (const Moment moment : moments)
    for (const ConditionRuns& condition : setting.conditions) add_rows(result, condition, moment);
  return result;
}

// From rows to words.

const char* points(const GeometryRow& row) { return row.is_test ? "test" : "train"; }

const Cells header = {"condition", "points", "runs",      "epoch", "centroid", "class",     "normal",
                      "centred",   "rank",   "explained", "|J|",   "|b|^2",    "|centroid|"};

Cells cells(const GeometryRow& row) {
  Cells result = {row.condition, points(row), text(row.runs), four_digits(row.epoch)};
  for (const auto& value : row.means) result.push_back(four_digits(value));
  return result;
}

std::vector<GeometryRow> rows_of(const GeometrySummary& setting, Moment moment) {
  std::vector<GeometryRow> result;
  for (const GeometryRow& row : setting.rows)
    if (row.moment == moment) result.push_back(row);
  return result;
}

std::string heading(const GeometrySummary& setting, Moment moment) {
  if (moment == Moment::memorisation) return "at memorisation";
  if (moment == Moment::grokking) return "at grokking";
  return text("at equal epochs: ", four_digits(setting.equal_epoch));
}

constexpr const char* legend[] = {
    "Means over `runs` at each moment, and over sampled points. memorisation: the first logged epoch with more than "
    "99 % on the training points; equal epochs: the median grokking epoch of grokalign, or the smallest of any "
    "condition.",
    "centroid, class: cosine of the input to J^T 1 and to the label's row of J less the mean row; normal, centred: "
    "|cosine| to the top right singular vector of J, and of J less its mean row.",
    "rank, explained: effective rank and explained variance of J; |J|: Frobenius norm; |b|^2: squared norm of the "
    "offset; |centroid|: norm of J^T 1."};

}  // namespace

std::vector<GeometrySummary> summarise_geometry(const std::vector<RunLog>& logs) {
  std::vector<GeometrySummary> result;
  for (const SettingRuns& setting : by_setting(logs)) result.push_back(setting_summary(setting));
  return result;
}

const char* name_of(Moment moment) {
  switch (moment) {
    case Moment::memorisation:
      return "memorisation";
    case Moment::grokking:
      return "grokking";
    case Moment::equal_epochs:
      return "equal_epochs";
  }
  throw InputError("moment: found a value that is none of the enumeration");
}

TableSet tables(std::span<const GeometrySummary> summary) {
  TableSet result{.tables = {}, .remarks = {}, .legend = {std::begin(legend), std::end(legend)}};
  for (const GeometrySummary& setting : summary) {
    Table& table = result.tables.emplace_back(
        Table{.caption = text(setting.setting, ", alignment by chance ", four_digits(setting.chance_alignment)),
              .rows = {header},
              .left = 2,
              .headings = {},
              .notes = remarks(setting.unfinished, setting.failed)});
    for (const Moment moment : moments) {
      table.headings.emplace_back(table.rows.size(), heading(setting, moment));
      for (const GeometryRow& row : rows_of(setting, moment)) table.rows.push_back(cells(row));
    }
  }
  return result;
}

Json as_json(std::span<const GeometrySummary> summary) {
  const auto json = [](std::optional<double> value) { return value ? Json(*value) : Json(nullptr); };
  Json settings = Json::array();
  for (const GeometrySummary& setting : summary) {
    Json rows = Json::array();
    for (const GeometryRow& row : setting.rows) {
      Json& added = rows.emplace_back(Json{{"moment", name_of(row.moment)},
                                           {"condition", row.condition},
                                           {"points", points(row)},
                                           {"runs", row.runs},
                                           {"epoch", json(row.epoch)}});
      for (std::size_t i = 0; i < geometry_metrics.size(); ++i) added[geometry_metrics[i]] = json(row.means[i]);
    }
    settings.push_back({{"setting", setting.setting},
                        {"chance_alignment", json(setting.chance_alignment)},
                        {"equal_epoch", json(setting.equal_epoch)},
                        {"rows", std::move(rows)},
                        {"unfinished", setting.unfinished},
                        {"failed", setting.failed}});
  }
  return {{"settings", std::move(settings)}};
}

std::string as_csv(std::span<const GeometrySummary> summary) {
  Cells names = {"setting", "chance_alignment", "equal_epoch", "moment", "condition", "points", "runs", "epoch"};
  names.insert(names.end(), geometry_metrics.begin(), geometry_metrics.end());
  std::string result = csv_line(names);
  for (const GeometrySummary& setting : summary)
    for (const GeometryRow& row : setting.rows) {
      Cells line = {setting.setting,
                    all_digits(setting.chance_alignment),
                    all_digits(setting.equal_epoch),
                    name_of(row.moment),
                    row.condition,
                    points(row),
                    text(row.runs),
                    all_digits(row.epoch)};
      for (const auto& value : row.means) line.push_back(all_digits(value));
      result += csv_line(line);
    }
  return result;
}

std::string as_latex(std::span<const GeometrySummary> summary) {
  std::string result =
      "% \\usepackage{booktabs}\n"
      "\\begin{tabular}{llrrrrrrrrrrr}\n"
      "\\toprule\n"
      " & & & & \\multicolumn{4}{c}{alignment} & effective & explained & & & \\\\\n"
      "\\cmidrule(lr){5-8}\n"
      "condition & points & runs & epoch & centroid & class & normal & centred & rank & variance & $\\|J\\|_F$ & "
      "$\\|b\\|^2$ & $\\|J^T 1\\|$ \\\\\n";
  for (const GeometrySummary& setting : summary)
    for (const Moment moment : moments) {
      result +=
          text("\\midrule\n\\multicolumn{", header.size(), "}{l}{", latex_escaped(setting.setting), ", ",
               heading(setting, moment), " (alignment by chance ", four_digits(setting.chance_alignment), ")} \\\\\n");
      for (const GeometryRow& row : rows_of(setting, moment)) {
        Cells columns = cells(row);
        columns.front() = latex_escaped(columns.front());
        for (std::size_t i = 2; i < columns.size(); ++i) columns[i] = latex_number(columns[i]);
        result += latex_line(columns);
      }
    }
  result += "\\bottomrule\n\\end{tabular}\n";
  for (const GeometrySummary& setting : summary)
    for (const std::string& words : remarks(setting.unfinished, setting.failed))
      result += latex_note(setting.setting, words);
  return result;
}

}  // namespace normalign
