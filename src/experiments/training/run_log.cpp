#include "experiments/training/run_log.hpp"
#include "experiments/runs/json_kind.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using namespace log_json;
namespace fs = std::filesystem;

constexpr std::pair<const char*, double MetricRow::*> named_metrics[] = {{"train_acc", &MetricRow::train_acc},
                                                                         {"test_acc", &MetricRow::test_acc},
                                                                         {"train_loss", &MetricRow::train_loss},
                                                                         {"test_loss", &MetricRow::test_loss},
                                                                         {"opt_time", &MetricRow::opt_time}};

MetricRow read_row(const Json& json, const std::string& where) {
  if (!json.is_object()) refuse(where, &json, "an object");
  MetricRow row;
  row.epoch = count_field(json, "epoch", where + '.');
  for (const auto& [name, member] : named_metrics) row.*member = number_field(json, name, where + '.');
  for (const auto& [name, value] : json.items()) {
    const auto is_name = [&name = name](const auto& named) { return name == named.first; };
    if (!value.is_number() || name == "epoch" || std::ranges::any_of(named_metrics, is_name)) continue;
    row.extras.emplace_back(name, value.get<double>());
  }
  return row;
}

std::optional<Index> read_grokking_epoch(const Json& json) {
  const Json* value = entry(json, "grokking_epoch");
  if (!value || value->is_null()) return std::nullopt;
  if (!is_index(*value) || value->get<Index>() < -1)
    refuse("grokking_epoch", value, "an epoch, or null where not grokked");
  if (value->get<Index>() == -1) return std::nullopt;
  return value->get<Index>();
}

bool read_grokked(const Json& json, bool has_epoch) {
  const Json* value = entry(json, "grokked");
  if (!value) return has_epoch;
  if (!value->is_boolean()) refuse("grokked", value, "true or false");
  if (value->get<bool>() != has_epoch)
    refuse("grokking_epoch", entry(json, "grokking_epoch"),
           has_epoch ? "null, as grokked is false" : "an epoch, as grokked is true");
  return has_epoch;
}

}  // namespace

std::optional<double> metric(const MetricRow& row, std::string_view name) {
  for (const auto& [known, member] : named_metrics)
    if (name == known) return row.*member;
  for (const auto& [extra, value] : row.extras)
    if (name == extra) return value;
  return std::nullopt;
}

bool is_regression(const RunLog& log) { return log.dataset.is_object() && log.dataset.contains("targets"); }

Json row_json(const MetricRow& row) {
  Json json = {{"epoch", row.epoch}};
  const auto add = [&](const std::string& name, double value) {
    if (json.contains(name))
      throw InputError(text("run log: the row of epoch ", row.epoch, " has two metrics named ", name));
    if (!std::isfinite(value))
      throw RunError(text("epoch ", row.epoch, ": ", name, " is ", value, "; expected a finite number"));
    json[name] = value;
  };
  for (const auto& [name, member] : named_metrics) add(name, row.*member);
  for (const auto& [name, value] : row.extras) add(name, value);
  return json;
}

void to_json(Json& json, const RunLog& log) {
  // Validation may throw, and the library's constructor that calls this would leak what `json` holds by then.
  Json result = Json::object();
  result["kind"] = kind::run_log;
  result["run_name"] = log.run_name;
  result["condition"] = log.condition;
  result["config"] = log.config;
  if (!log.file_hashes.empty()) result["file_hashes"] = log.file_hashes;
  if (!log.dataset.is_null()) result["dataset"] = log.dataset;
  write_status(result, log);
  if (log.epoch > 0) result["epoch"] = log.epoch;
  result["grokked"] = log.grokked;
  result["grokking_epoch"] = log.grokking_epoch ? Json(*log.grokking_epoch) : Json(nullptr);
  result["metrics"] = Json::array();
  for (const MetricRow& row : log.metrics) result["metrics"].push_back(row_json(row));
  result["environment"] = log.environment;
  require_finite(log.config, "config");
  require_finite(log.environment, "environment");
  json = std::move(result);
}

void from_json(const Json& json, RunLog& log) {
  RunLog result;
  read_head(json, result);
  result.config = object_field_or_empty(json, "config");
  result.file_hashes = object_field_or_empty(json, "file_hashes");
  if (entry(json, "dataset")) result.dataset = object_field_or_empty(json, "dataset");
  if (json.contains("epoch")) result.epoch = count_field(json, "epoch");
  result.grokking_epoch = read_grokking_epoch(json);
  result.grokked = read_grokked(json, result.grokking_epoch.has_value());
  const Json* metrics = entry(json, "metrics");
  if (!metrics || !metrics->is_array()) refuse("metrics", metrics, "an array of rows");
  for (const Json& row : *metrics)
    result.metrics.push_back(read_row(row, text("metrics[", result.metrics.size(), "]")));
  log = std::move(result);
}

void write_log(const fs::path& path, const RunLog& log) { write_log_text(path, log_text(log, "metrics")); }

RunLog read_log(const fs::path& path) { return log_in<RunLog>(parsed_file(path), path); }

std::optional<RunLog> log_if_any(const Json& json, const fs::path& path) {
  const std::string kind = kind_of(json);
  const bool is_damaged = kind.empty() && json.contains("metrics");
  if (json.is_object() && kind != kind::run_log && !is_damaged) return std::nullopt;
  return log_in<RunLog>(json, path);
}

std::optional<RunLog> read_log_if_any(const fs::path& path) { return log_if_any(parsed_file(path), path); }

}  // namespace normalign
