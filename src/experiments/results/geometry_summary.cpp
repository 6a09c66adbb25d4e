#include "experiments/results/geometry_summary.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

enum class Moment { memorisation, grokking, equal_epochs };
constexpr std::pair<Moment, const char*> moments[] = {
    {Moment::memorisation, "memorisation"}, {Moment::grokking, "grokking"}, {Moment::equal_epochs, "equal_epochs"}};

bool is_grokalign(const std::string& condition) {
  return condition == "grokalign" || (condition.starts_with("GA") && condition.size() > 2 &&
                                      std::isdigit(static_cast<unsigned char>(condition[2])));
}

std::optional<double> equal_epoch(const TaskRuns& task) {
  std::vector<double> of_grokalign;
  std::optional<double> smallest;
  for (const ConditionRuns& condition : task.conditions) {
    const std::vector<double> epochs = grokking_epochs(condition);
    if (is_grokalign(condition.condition)) of_grokalign.insert(of_grokalign.end(), epochs.begin(), epochs.end());
    if (const auto middle = median(epochs)) smallest = smallest ? std::min(*smallest, *middle) : *middle;
  }
  return of_grokalign.empty() ? smallest : median(of_grokalign);
}

// The row of a run at a moment, null where it has none.
const MetricRow* row_at(const RunLog& run, Moment moment, std::optional<double> epoch) {
  if (moment == Moment::grokking) return grokking_row(run);
  const MetricRow* result = nullptr;
  for (const MetricRow& row : run.metrics) {
    if (moment == Moment::memorisation && row.train_acc > 99) return &row;
    if (moment == Moment::equal_epochs && epoch && static_cast<double>(row.epoch) <= *epoch) result = &row;
  }
  return result;
}

std::optional<double> mean_of(const std::vector<const MetricRow*>& rows, const std::string& name) {
  return mean(present(rows, [&](const MetricRow* row) { return metric(*row, name); }));
}

constexpr std::array headings = {"centroid",  "class", "normal", "centred",   "rank",
                                 "explained", "|J|",   "|b|^2",  "|centroid|"};

// What all rows of a task share.
struct GeometryTask {
  std::string name;
  std::optional<double> chance_alignment, equal_epoch;
};

Record geometry_record(const GeometryTask& task, const char* moment, const std::string& condition, bool is_test,
                       const std::vector<const MetricRow*>& rows) {
  const auto epoch = [](const MetricRow* row) { return std::optional(static_cast<double>(row->epoch)); };
  Record result = {{{"setting", ""}, task.name},
                   {{"chance_alignment", ""}, task.chance_alignment},
                   {{"equal_epoch", ""}, task.equal_epoch},
                   {{"moment", ""}, moment},
                   {{"condition"}, condition},
                   {{"points"}, is_test ? "test" : "train"},
                   {{"runs"}, rows.size()},
                   {{"epoch"}, mean(present(rows, epoch))}};
  for (std::size_t i = 0; i < headings.size(); ++i)
    result.push_back({{geometry_metrics[i], headings[i]},
                      mean_of(rows, (is_test ? std::string("test_") : "") + geometry_metrics[i])});
  return result;
}

Table geometry_table(const TaskRuns& runs) {
  std::vector<const MetricRow*> all;
  for (const ConditionRuns& condition : runs.conditions)
    for (const RunLog* run : condition.finished)
      for (const MetricRow& row : run->metrics) all.push_back(&row);
  const GeometryTask task{runs.task, mean_of(all, "chance_alignment"), equal_epoch(runs)};
  Table table{.caption = runs.task,
              .detail = text("alignment by chance ", four_digits(task.chance_alignment)),
              .columns = columns_of(geometry_record({}, "", "", false, {})),
              .left = 2,
              .shared = 3,
              .left_out = {{"unfinished", runs.unfinished}, {"failed", runs.failed}}};
  for (const auto& [moment, name] : moments) {
    table.headings.emplace_back(table.rows.size(), moment == Moment::equal_epochs
                                                       ? "at equal epochs: " + four_digits(task.equal_epoch)
                                                       : text("at ", name));
    for (const ConditionRuns& condition : runs.conditions) {
      std::vector<const MetricRow*> rows;
      for (const RunLog* run : condition.finished)
        if (const MetricRow* row = row_at(*run, moment, task.equal_epoch)) rows.push_back(row);
      for (const bool is_test : {false, true})
        table.add(geometry_record(task, name, condition.condition, is_test, rows));
    }
  }
  return table;
}

}  // namespace

TableSet geometry_tables(std::span<const TaskRuns> tasks) {
  TableSet result{
      .legend = {"Means over `runs` at each moment, and over sampled points. memorisation: the first logged epoch with "
                 "more than 99 % on the training points; equal epochs: the median grokking epoch of grokalign, or the "
                 "smallest of any condition.",
                 "centroid, class: cosine of the input to J^T 1 and to the label's row of J less the mean row; normal, "
                 "centred: |cosine| to the top right singular vector of J, and of J less its mean row.",
                 "rank, explained: effective rank and explained variance of J; |J|: Frobenius norm; |b|^2: squared "
                 "norm of the offset; |centroid|: norm of J^T 1."},
      .key = "settings",
      .rows_key = "rows",
      .latex_head =
          " & & & & \\multicolumn{4}{c}{alignment} & effective & explained & & & \\\\\n"
          "\\cmidrule(lr){5-8}\n"
          "condition & points & runs & epoch & centroid & class & normal & centred & rank & variance & "
          "$\\|J\\|_F$ & $\\|b\\|^2$ & $\\|J^T 1\\|$ \\\\\n"};
  for (const TaskRuns& task : tasks) result.tables.push_back(geometry_table(task));
  if (tasks.empty()) result.tables.push_back(geometry_table({}));  // so that files have their head
  return result;
}

}  // namespace normalign
