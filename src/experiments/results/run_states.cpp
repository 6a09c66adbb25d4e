#include "experiments/results/run_states.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "experiments/results/run_set.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/run_lock.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/tabular/log.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::array all_states = {RunState::finished, RunState::running, RunState::stopped, RunState::failed,
                                   RunState::waiting};

// Seconds since a file was written; none where it is gone.
std::optional<double> age_of(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error) return std::nullopt;
  return std::max(std::chrono::duration<double>(fs::file_time_type::clock::now() - written).count(), 0.0);
}

std::optional<double> number_in(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

RunState state_of(RunStatus status) {
  return status == RunStatus::finished ? RunState::finished
         : status == RunStatus::failed ? RunState::failed
                                       : RunState::running;
}

RunProgress progress_of(const RunLog& log) {
  RunProgress result{.state = state_of(log.status), .failure = log.failure, .grokking_epoch = log.grokking_epoch};
  if (const auto epochs = number_in(log.config, "epochs")) result.epochs = static_cast<Index>(*epochs);
  if (log.epoch > 0) result.epoch = log.epoch;
  if (!log.metrics.empty()) {
    const MetricRow& last = log.metrics.back();
    result.epoch = std::max(last.epoch, log.epoch);
    result.train_acc = last.train_acc;
    result.test_acc = last.test_acc;
  }
  result.elapsed_seconds = number_in(log.environment, "seconds");
  if (result.state != RunState::running || !result.elapsed_seconds || !result.epochs || result.epoch.value_or(0) == 0)
    return result;
  const double pace = *result.elapsed_seconds / static_cast<double>(*result.epoch);
  result.left_seconds = pace * static_cast<double>(*result.epochs - *result.epoch);
  return result;
}

RunProgress progress_of(const TabularLog& log) {
  RunProgress result{.state = state_of(log.status), .failure = log.failure};
  if (log.status != RunStatus::finished) return result;
  const TabularMeans of_folds = means(log);
  const TabularCost& cost = log.result.cost;
  result.train_acc = of_folds.train_acc;
  result.test_acc = of_folds.test_acc;
  result.elapsed_seconds = cost.selection + cost.refit + cost.attack + cost.geometry;
  return result;
}

// What the log there says; nothing where the file holds no log.
std::optional<RunProgress> progress_in_log(const fs::path& file) {
  const Json json = log_json::parsed_file(file);
  if (kind_of(json) == kind::tabular_log) return progress_of(log_json::log_in<TabularLog>(json, file));
  const auto log = log_if_any(json, file);
  return log ? std::optional(progress_of(*log)) : std::nullopt;
}

// The run whose log that is, if it is one.
std::optional<RunProgress> progress_at(const RunPlace& place) {
  auto found = progress_in_log(place.log());
  if (!found || found->state != RunState::running) return found;
  if (is_locked(place.lock())) {
    const double age = age_of(place.log()).value_or(0);
    if (found->elapsed_seconds) *found->elapsed_seconds += age;
    if (found->left_seconds) found->left_seconds = std::max(*found->left_seconds - age, 0.0);
    return found;
  }
  // It may have ended in between: a process writes the log's last word before it gives the lock back.
  found = progress_in_log(place.log());
  if (!found || found->state != RunState::running) return found;
  found->state = RunState::stopped;
  found->left_seconds.reset();
  return found;
}

// The places in the folder and below whose run a process holds the lock of.
std::vector<RunPlace> locked_places(const fs::path& folder) {
  constexpr std::string_view ending = ".lock";
  std::vector<RunPlace> result;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') || !name.ends_with(ending) || !is_locked(entry.path())) continue;
    result.push_back({entry.path().parent_path(), name.substr(1, name.size() - 1 - ending.size())});
  }
  return result;
}

}  // namespace

const char* name_of(RunState state) {
  switch (state) {
    case RunState::finished:
      return "finished";
    case RunState::running:
      return "running";
    case RunState::stopped:
      return "stopped";
    case RunState::failed:
      return "failed";
    case RunState::waiting:
      return "waiting";
  }
  return "";
}

RunProgress progress_of(const RunPlace& place) {
  RunProgress result;
  if (fs::exists(place.log()))
    result = progress_at(place).value_or(RunProgress{});
  else if (is_locked(place.lock()))
    result.state = RunState::running;
  result.run = place.name;
  return result;
}

std::vector<RunProgress> progress_in(const fs::path& folder, std::span<const std::string> asked_for,
                                     Unreadable& unreadable) {
  std::vector<fs::path> files = visible_files(folder);
  std::erase_if(files, [](const fs::path& file) { return file.extension() != ".json"; });
  const auto name_in_folder = [&](const fs::path& file) {
    return file.lexically_relative(folder).replace_extension().generic_string();
  };
  std::vector<RunProgress> result = logs_in(
      files,
      [&](const fs::path& file) {
        auto run = progress_at({file.parent_path(), file.stem().string()});
        if (run) run->run = name_in_folder(file);
        return run;
      },
      unreadable);
  std::set<std::string> known;
  for (const fs::path& file : files) known.insert(name_in_folder(file));
  for (const RunPlace& place : locked_places(folder))
    if (std::string name = name_in_folder(place.log()); known.insert(name).second)
      result.push_back({.run = std::move(name), .state = RunState::running});
  std::ranges::stable_sort(result, {}, &RunProgress::run);
  for (const std::string& name : asked_for)
    if (!known.contains(name)) result.push_back({.run = name});
  return result;
}

TableSet progress_table(std::span<const RunProgress> runs) {
  const auto in_words = [](const std::optional<double>& seconds) {
    return seconds ? Cell(duration(*seconds)) : Cell();
  };
  constexpr bool goes_on = true;
  const auto record = [&](const RunProgress& run) {
    return Record{{{"run"}, run.run},
                  {{"state"}, name_of(run.state)},
                  {{"grokking_epoch", "grokked at"}, run.grokking_epoch},
                  {{"epoch"}, run.epoch},
                  {{"epochs", "of", goes_on}, run.epochs},
                  {{"train_acc", "train %"}, run.train_acc},
                  {{"test_acc", "test %"}, run.test_acc},
                  {{"elapsed_seconds", ""}, run.elapsed_seconds},
                  {{"", "elapsed"}, in_words(run.elapsed_seconds)},
                  {{"left_seconds", ""}, run.left_seconds},
                  {{"", "left"}, in_words(run.left_seconds)},
                  {{"failure", ""}, run.failure.empty() ? Cell() : Cell(run.failure)}};
  };
  Table table{.columns = columns_of(record({})), .left = 2};
  bool goes_on_somewhere = false;
  for (const RunProgress& run : runs) {
    table.add(record(run));
    goes_on_somewhere |= run.left_seconds.has_value();
    if (run.state == RunState::failed) table.notes.push_back(text(run.run, " failed: ", run.failure));
  }
  TableSet result{.tables = {std::move(table)}, .key = "runs"};
  if (goes_on_somewhere)
    result.legend.emplace_back(
        "left: the time for the remaining epochs at the pace so far. A run may grok and end before that.");
  return result;
}

std::string counts_of(std::span<const RunProgress> runs) {
  std::string result = text(runs.size(), runs.size() == 1 ? " run" : " runs");
  const char* separator = ": ";
  for (const RunState state : all_states) {
    const auto count = std::ranges::count(runs, state, &RunProgress::state);
    if (count == 0) continue;
    result += text(std::exchange(separator, ", "), count, ' ', name_of(state));
    const auto grokked = std::ranges::count_if(
        runs, [&](const RunProgress& run) { return run.state == state && run.grokking_epoch.has_value(); });
    if (state == RunState::finished && grokked > 0) result += text(" (", grokked, " grokked)");
  }
  return result;
}

}  // namespace normalign
