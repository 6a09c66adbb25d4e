#include "experiments/results/summary.hpp"

#include <algorithm>

#include "base/infinity.hpp"
#include "experiments/figures/statistics.hpp"

namespace normalign {
namespace {

std::optional<double> seconds_at_grokking(const RunLog& log) {
  const MetricRow* row = grokking_row(log);
  return row ? std::optional(row->opt_time) : std::nullopt;
}

std::optional<double> ratio(std::optional<double> numerator, std::optional<double> denominator) {
  if (!numerator || !denominator || *denominator == 0) return std::nullopt;
  return *numerator / *denominator;
}

// In the last rows of the finished runs that did not grok.
template <class Number>
std::optional<double> mean_at_end(const ConditionRuns& condition, Number MetricRow::*metric) {
  return mean(present(condition.finished, [&](const RunLog* run) {
    const bool counts = !has_grokked(*run) && !run->metrics.empty();
    return counts ? std::optional(static_cast<double>(run->metrics.back().*metric)) : std::nullopt;
  }));
}

constexpr bool goes_on = true;  // to the column before, with whose heading this one's goes on

// At which epochs and seconds the runs of a condition grokked.
struct Grokking {
  explicit Grokking(const ConditionRuns& condition)
      : epochs(grokking_epochs(condition)),
        seconds(present(condition.finished, [](const RunLog* run) { return seconds_at_grokking(*run); })),
        ranked(epochs) {
    ranked.resize(condition.finished.size(), infinity);
  }
  std::vector<double> epochs, seconds;
  std::vector<double> ranked;  // epochs of all finished runs: after all others where a run did not grok
};

// Whether there is something to say about runs that did not grok.
bool has_ungrokked(const TaskRuns& task) {
  return std::ranges::any_of(task.conditions, [](const ConditionRuns& condition) {
    return mean_at_end(condition, &MetricRow::epoch).has_value();
  });
}

Record record(const std::string& task, const ConditionRuns& condition, const Grokking& baseline, bool ungrokked) {
  const Grokking found(condition);
  const Spread epochs = spread(found.epochs), seconds = spread(found.seconds);
  const bool is_baseline = condition.condition == baseline_name;
  const auto test = is_baseline ? std::nullopt : welch_t_test(baseline.epochs, found.epochs);
  const auto ranks = is_baseline ? std::nullopt : mann_whitney_test(baseline.ranked, found.ranked);
  const auto of_test = [](const auto& of, auto member) { return of ? Cell((*of).*member, Digits::two) : Cell(); };
  return {
      {{"setting", ""}, task},
      {{"condition"}, condition.condition},
      {{"runs"}, condition.all},
      {{"grokked", ""}, epochs.count},
      {{"", "grokked"}, text(epochs.count, '/', condition.all)},
      {{"epochs_mean", "epochs: mean"}, epochs.mean},
      {{"epochs_std", "std", goes_on}, epochs.standard_deviation},
      {{"epochs_median", "median", goes_on}, epochs.median},
      {{"seconds_mean", "seconds: mean"}, seconds.mean},
      {{"seconds_std", ""}, seconds.standard_deviation},
      {{"seconds_median", "median", goes_on}, seconds.median},
      {{"epochs_ratio", "ratio: epochs"}, {ratio(mean(baseline.epochs), epochs.mean), Digits::two_decimals}},
      {{"seconds_ratio", "seconds", goes_on}, {ratio(mean(baseline.seconds), seconds.mean), Digits::two_decimals}},
      {{"welch_t", ""}, of_test(test, &WelchTest::t)},
      {{"welch_degrees_of_freedom", ""}, of_test(test, &WelchTest::degrees_of_freedom)},
      {{"welch_p_two_sided", "p: Welch"}, of_test(test, &WelchTest::p_two_sided)},
      {{"mann_whitney_u", ""}, of_test(ranks, &MannWhitneyTest::u)},
      {{"mann_whitney_p_two_sided", "Mann-Whitney", goes_on}, of_test(ranks, &MannWhitneyTest::p_two_sided)},
      {{"not_grokked_last_epoch", ungrokked ? "not grokked: epoch" : ""}, mean_at_end(condition, &MetricRow::epoch)},
      {{"not_grokked_train_acc", ungrokked ? "train %" : "", goes_on}, mean_at_end(condition, &MetricRow::train_acc)},
      {{"not_grokked_test_acc", ungrokked ? "test %" : "", goes_on}, mean_at_end(condition, &MetricRow::test_acc)}};
}

Table task_table(const TaskRuns& task) {
  const bool ungrokked = has_ungrokked(task);
  const Grokking baseline(task.conditions.empty() || task.conditions.front().condition != baseline_name
                              ? ConditionRuns{}
                              : task.conditions.front());
  std::vector<std::string> untimed;
  for (const ConditionRuns& condition : task.conditions)
    for (const RunLog* run : condition.finished)
      if (has_grokked(*run) && !seconds_at_grokking(*run)) untimed.push_back(run->run_name);
  Table table{.caption = task.task,
              .columns = columns_of(record("", {}, baseline, ungrokked)),
              .shared = 1,
              .left_out = {{"unfinished", task.unfinished},
                           {"failed", task.failed},
                           {"untimed", untimed, "without an opt_time at the grokking epoch"}}};
  for (const ConditionRuns& condition : task.conditions) table.add(record(task.task, condition, baseline, ungrokked));
  return table;
}

std::string latex_head(bool ungrokked) {
  return text(
      " & & & \\multicolumn{3}{c}{grokking epoch} & \\multicolumn{2}{c}{seconds}"
      " & \\multicolumn{2}{c}{baseline / condition} & \\multicolumn{2}{c}{$p$}",
      ungrokked ? " & \\multicolumn{3}{c}{not grokked}" : "",
      " \\\\\n\\cmidrule(lr){4-6} \\cmidrule(lr){7-8} \\cmidrule(lr){9-10} \\cmidrule(lr){11-12}",
      ungrokked ? " \\cmidrule(lr){13-15}" : "",
      "\ncondition & runs & grokked & mean & std & median & mean & median & epochs & seconds & Welch & Mann-Whitney",
      ungrokked ? " & epoch & train \\% & test \\%" : "", " \\\\\n");
}

}  // namespace

TableSet grokking_tables(std::span<const TaskRuns> tasks) {
  const bool ungrokked = std::ranges::any_of(tasks, has_ungrokked);
  TableSet result{
      .legend =
          {"epochs, seconds: at which grokked runs grokked; seconds are of optimisation alone.",
           "ratio: mean of the baseline / mean of the condition; above 1 the condition grokked sooner.",
           "p: two-sided tests of the grokking epochs against the baseline's. Welch's t-test compares the means of "
           "the runs that grokked. Mann-Whitney compares ranks, and a finished run that did not grok ranks last."},
      .key = "settings",
      .rows_key = "conditions",
      .latex_head = latex_head(ungrokked)};
  for (const TaskRuns& task : tasks) result.tables.push_back(task_table(task));
  if (tasks.empty()) result.tables.push_back(task_table({}));  // so that files have their head
  if (ungrokked)
    result.legend.emplace_back(
        "not grokked: last epoch and accuracies there, means over the finished runs that did not grok.");
  return result;
}

}  // namespace normalign
