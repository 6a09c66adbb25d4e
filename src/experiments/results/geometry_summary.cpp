#include "experiments/results/geometry_summary.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

constexpr std::array moments = {Moment::memorisation, Moment::grokking, Moment::equal_epochs};

// From logs to rows.

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
  const MetricRow* result = nullptr;
  for (const MetricRow& row : run.metrics) {
    if (moment == Moment::memorisation && row.train_acc > 99) return &row;
    if (moment == Moment::grokking && has_grokked(run) && row.epoch == *run.grokking_epoch) return &row;
    if (moment == Moment::equal_epochs && epoch && static_cast<double>(row.epoch) <= *epoch) result = &row;
  }
  return result;
}

std::optional<double> mean_of(const std::vector<const MetricRow*>& rows, const std::string& name) {
  return mean(present(rows, [&](const MetricRow* row) { return metric(*row, name); }));
}

void add_rows(GeometrySummary& summary, const ConditionRuns& condition, Moment moment) {
  std::vector<const MetricRow*> rows;
  for (const RunLog* run : condition.finished)
    if (const MetricRow* row = row_at(*run, moment, summary.equal_epoch)) rows.push_back(row);
  const std::optional<double> epoch =
      mean(present(rows, [](const MetricRow* row) { return static_cast<double>(row->epoch); }));
  for (const bool is_test : {false, true}) {
    GeometryRow& row = summary.rows.emplace_back(GeometryRow{.condition = condition.condition,
                                                             .moment = moment,
                                                             .is_test = is_test,
                                                             .runs = static_cast<Index>(rows.size()),
                                                             .epoch = epoch});
    for (std::size_t i = 0; i < geometry_metrics.size(); ++i)
      row.means[i] = mean_of(rows, (is_test ? std::string("test_") : "") + geometry_metrics[i]);
  }
}

GeometrySummary geometry_of(const TaskRuns& task) {
  GeometrySummary result{
      .task = task.task, .equal_epoch = equal_epoch(task), .unfinished = task.unfinished, .failed = task.failed};
  std::vector<const MetricRow*> all;
  for (const ConditionRuns& condition : task.conditions)
    for (const RunLog* run : condition.finished)
      for (const MetricRow& row : run->metrics) all.push_back(&row);
  result.chance_alignment = mean_of(all, "chance_alignment");
  for (const Moment moment : moments)
    for (const ConditionRuns& condition : task.conditions) add_rows(result, condition, moment);
  return result;
}

// From rows to tables.

constexpr std::array headings = {"centroid",  "class", "normal", "centred",   "rank",
                                 "explained", "|J|",   "|b|^2",  "|centroid|"};

Record record(const GeometrySummary& task, const GeometryRow& row) {
  Record result = {{{"setting", ""}, task.task},
                   {{"chance_alignment", ""}, task.chance_alignment},
                   {{"equal_epoch", ""}, task.equal_epoch},
                   {{"moment", ""}, name_of(row.moment)},
                   {{"condition"}, row.condition},
                   {{"points"}, row.is_test ? "test" : "train"},
                   {{"runs"}, row.runs},
                   {{"epoch"}, row.epoch}};
  for (std::size_t i = 0; i < headings.size(); ++i)
    result.push_back({{geometry_metrics[i], headings[i]}, row.means[i]});
  return result;
}

std::string heading(Moment moment, const GeometrySummary& task) {
  return moment == Moment::equal_epochs ? "at equal epochs: " + four_digits(task.equal_epoch)
                                        : text("at ", name_of(moment));
}

Table geometry_table(const GeometrySummary& task) {
  Table table{.caption = task.task,
              .detail = text("alignment by chance ", four_digits(task.chance_alignment)),
              .columns = columns_of(record({}, {})),
              .left = 2,
              .shared = 3,
              .left_out = {{"unfinished", task.unfinished}, {"failed", task.failed}}};
  for (const Moment moment : moments) {
    table.headings.emplace_back(table.rows.size(), heading(moment, task));
    for (const GeometryRow& row : task.rows)
      if (row.moment == moment) table.add(record(task, row));
  }
  return table;
}

}  // namespace

std::vector<GeometrySummary> summarise_geometry(const std::vector<RunLog>& logs) {
  std::vector<GeometrySummary> result;
  for (const TaskRuns& task : by_task(logs)) result.push_back(geometry_of(task));
  return result;
}

const char* name_of(Moment moment) {
  constexpr const char* names[] = {"memorisation", "grokking", "equal_epochs"};
  return names[static_cast<int>(moment)];
}

TableSet tables(std::span<const GeometrySummary> summary) {
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
  for (const GeometrySummary& task : summary) result.tables.push_back(geometry_table(task));
  if (summary.empty()) result.tables.push_back(geometry_table({}));  // so that files have their head
  return result;
}

}  // namespace normalign
