#include "experiments/results/run_set.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
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

using Json = nlohmann::ordered_json;

std::string text_in(const Json& config, const char* name) {
  const auto found = config.find(name);
  return found != config.end() && found->is_string() ? found->get<std::string>() : "";
}

// The settings that the grid `field` of a run names, but `merged`.
std::string grid_of(const RunLog& log, const char* field, const std::string& merged = {}) {
  std::vector<std::string> names = grid_names(text_in(log.config, field));
  std::erase(names, merged);
  return joined(names, "+");
}

// Their values, by which numbers are sorted as numbers.
Json grid_values(const RunLog& log, const std::string& grid) {
  Json result = Json::array();
  for (const std::string& name : grid_names(grid)) result.push_back(log.config.value(name, Json()));
  return result;
}

// The baseline goes first, and before all names there is the empty one; of a condition's grid the smallest values.
std::tuple<std::string, Json, std::string> sorting_key(const RunLog& log) {
  const std::string grid = grid_of(log, "condition_grid");
  std::string name = log.condition;
  if (const std::string words = grid_words(log.config, grid); !words.empty() && name.ends_with(' ' + words))
    name.resize(name.size() - words.size() - 1);
  return {name == baseline_name ? "" : name, grid_values(log, grid), log.condition};
}

std::string task_name_of(const RunLog& log) {
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

}  // namespace

std::vector<RunLog> read_logs_if_any(const fs::path& folder, Unreadable& unreadable) {
  return logs_in(json_files(folder), read_log_if_any, unreadable);
}

std::vector<RunLog> read_logs(const fs::path& folder, Unreadable& unreadable) {
  std::vector<RunLog> logs = read_logs_if_any(folder, unreadable);
  if (logs.empty())
    throw InputError(text(folder.string(), ": found no log of a network's run among ", json_files(folder).size(),
                          " *.json files", expected_logs, unreadable.empty() ? "" : "; " + unreadable.begin()->second));
  return logs;
}

std::string task_of(const RunLog& log, const std::string& merged) {
  const std::string words = grid_words(log.config, grid_of(log, "task_grid", merged));
  return task_name_of(log) + (words.empty() ? "" : " ") + words;
}

std::vector<TaskRuns> by_task(const std::vector<RunLog>& logs, const std::string& merged) {
  std::map<std::tuple<std::string, Json, std::string>, std::vector<const RunLog*>> tasks;
  for (const RunLog& log : logs)
    tasks[{task_name_of(log), grid_values(log, grid_of(log, "task_grid", merged)), task_of(log, merged)}].push_back(
        &log);
  std::vector<TaskRuns> result;
  for (const auto& [task, runs] : tasks) {
    TaskRuns& sorted = result.emplace_back(TaskRuns{.task = std::get<2>(task)});
    std::map<std::tuple<std::string, Json, std::string>, ConditionRuns> conditions;
    for (const RunLog* run : runs) {
      ConditionRuns& condition = conditions[sorting_key(*run)];
      condition.condition = run->condition;
      ++condition.all;
      if (run->status == RunStatus::running) {
        condition.unfinished.push_back(run);
        sorted.unfinished.push_back(run->run_name);
      }
      if (run->status == RunStatus::failed) sorted.failed.push_back(run->run_name);
      if (run->status == RunStatus::finished) condition.finished.push_back(run);
    }
    for (auto& [key, condition] : conditions) sorted.conditions.push_back(std::move(condition));
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
