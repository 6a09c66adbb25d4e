#include "experiments/results/run_set.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/training/config.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

bool is_alphanumeric(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; }

// Where `word` begins in `name`, as a word of its own after the first; the end where it does not.
std::size_t position_of_word(std::string_view name, std::string_view word) {
  if (word.empty()) return name.size();
  for (std::size_t at = name.find(word, 1); at != name.npos; at = name.find(word, at + 1))
    if (!is_alphanumeric(name[at - 1])) return at;
  return name.size();
}

// The baseline goes first, and before all names there is the empty one.
std::string sorting_key(const std::string& condition) { return condition == baseline_name ? "" : condition; }

}  // namespace

std::vector<RunLog> read_logs(const fs::path& folder, Unreadable& unreadable) {
  const std::vector<fs::path> paths = json_files(folder);
  std::vector<RunLog> logs = logs_in(paths, read_log_if_any, unreadable);
  if (logs.empty())
    throw InputError(text(folder.string(), ": found no log of a network's run among ", paths.size(), " *.json files",
                          expected_logs, unreadable.empty() ? "" : "; " + unreadable.begin()->second));
  return logs;
}

std::string task_of(const RunLog& log) {
  const auto text_setting = [&](const char* key) {
    const auto found = log.config.find(key);
    const bool is_there = found != log.config.end() && found->is_string();
    return is_there ? std::optional(found->get<std::string>()) : std::nullopt;
  };
  if (const auto task = text_setting("task")) return task_label(*task, text_setting("data").value_or(""));
  const std::string& name = log.run_name;
  std::size_t end = std::min(position_of_word(name, log.condition), position_of_word(name, "seed"));
  while (end > 0 && !is_alphanumeric(name[end - 1])) --end;
  return end > 0 ? name.substr(0, end) : name;
}

std::vector<TaskRuns> by_task(const std::vector<RunLog>& logs) {
  std::map<std::string, std::vector<const RunLog*>> tasks;
  for (const RunLog& log : logs) tasks[task_of(log)].push_back(&log);
  std::vector<TaskRuns> result;
  for (const auto& [task, runs] : tasks) {
    TaskRuns& sorted = result.emplace_back(TaskRuns{.task = task});
    std::map<std::pair<std::string, std::string>, ConditionRuns> conditions;
    for (const RunLog* run : runs) {
      ConditionRuns& condition = conditions[{sorting_key(run->condition), run->condition}];
      ++condition.all;
      if (run->status == RunStatus::running) sorted.unfinished.push_back(run->run_name);
      if (run->status == RunStatus::failed) sorted.failed.push_back(run->run_name);
      if (run->status == RunStatus::finished) condition.finished.push_back(run);
    }
    for (auto& [key, condition] : conditions) {
      condition.condition = key.second;
      sorted.conditions.push_back(std::move(condition));
    }
  }
  return result;
}

bool has_grokked(const RunLog& log) { return log.grokked && log.grokking_epoch; }

const MetricRow* grokking_row(const RunLog& log) {
  if (!has_grokked(log)) return nullptr;
  const auto found = std::ranges::find(log.metrics, *log.grokking_epoch, &MetricRow::epoch);
  return found == log.metrics.end() ? nullptr : &*found;
}

std::vector<double> grokking_epochs(const ConditionRuns& condition) {
  std::vector<double> result;
  for (const RunLog* run : condition.finished)
    if (has_grokked(*run)) result.push_back(static_cast<double>(*run->grokking_epoch));
  return result;
}

}  // namespace normalign
