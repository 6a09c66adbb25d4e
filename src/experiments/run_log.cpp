#include "experiments/run_log.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <thread>

#include "experiments/text_file.hpp"
#include "linalg/atomic_file.hpp"
#include "linalg/blas.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr std::pair<const char*, double MetricRow::*> named_metrics[] = {{"train_acc", &MetricRow::train_acc},
                                                                         {"test_acc", &MetricRow::test_acc},
                                                                         {"train_loss", &MetricRow::train_loss},
                                                                         {"test_loss", &MetricRow::test_loss},
                                                                         {"opt_time", &MetricRow::opt_time}};

constexpr std::pair<RunStatus, const char*> status_names[] = {
    {RunStatus::running, "running"}, {RunStatus::finished, "finished"}, {RunStatus::failed, "failed"}};

// Strings come from file names and system messages and may be no UTF-8; a log with a replaced letter is
// better than none.
std::string dump(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// --- writing
// -------------------------------------------------------------------------------------------------

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

// The library would write such a number as null, and no reader could tell what it had been.
void require_finite(const Json& json, const std::string& field) {
  if (json.is_number_float() && !std::isfinite(json.get<double>()))
    throw RunError(text(field, " is ", json.get<double>(), "; expected a finite number"));
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) require_finite(value, text(field, '.', key));
}

// Indented, but each metric row on one line, so that logs are compared and searched by line.
std::string log_text(const RunLog& log) {
  const Json json = log;
  std::string result = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : json.items()) {
    result += text(separator, "  ", dump(key), ": ");
    separator = ",\n";
    if (key == "metrics" && !value.empty()) {
      const char* row_separator = "[\n";
      for (const auto& row : value) {
        result += row_separator + ("    " + dump(row));
        row_separator = ",\n";
      }
      result += "\n  ]";
      continue;
    }
    // A line break in this text is one between entries: those in strings are escaped.
    for (const char letter : dump(value, 2)) {
      result += letter;
      if (letter == '\n') result += "  ";
    }
  }
  return result + "\n}\n";
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// --- reading
// -------------------------------------------------------------------------------------------------

// The value as an error message shows it, null for none.
std::string found(const Json* value) {
  if (!value) return "nothing";
  if (value->is_structured()) return text("an ", value->type_name());
  const std::string written = dump(*value);
  return written.size() <= 40 ? written : text("a ", value->type_name());
}

[[noreturn]] void refuse(const std::string& field, const Json* value, const char* expected) {
  throw InputError(text(field, ": found ", found(value), "; expected ", expected));
}

// The entry of an object, or null where it has none.
const Json* entry(const Json& object, const char* key) {
  const auto position = object.find(key);
  return position == object.end() ? nullptr : &*position;
}

std::string string_field(const Json& object, const char* key) {
  const Json* value = entry(object, key);
  if (!value || !value->is_string()) refuse(key, value, "a string");
  return value->get<std::string>();
}

Json object_field_or_empty(const Json& object, const char* key) {
  const Json* value = entry(object, key);
  if (!value) return Json::object();
  if (!value->is_object()) refuse(key, value, "an object");
  return *value;
}

bool is_index(const Json& value) {
  // Some writers know only one kind of number: 110.0 is an epoch too.
  constexpr double exact = 9007199254740992.0;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    return std::abs(number) <= exact && number == std::trunc(number);
  }
  if (value.is_number_unsigned())
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  return value.is_number_integer();
}

MetricRow read_row(const Json& json, const std::string& where) {
  if (!json.is_object()) refuse(where, &json, "an object");
  MetricRow row;
  const Json* epoch = entry(json, "epoch");
  if (!epoch || !is_index(*epoch) || epoch->get<Index>() < 0)
    refuse(where + ".epoch", epoch, "an integer of at least 0");
  row.epoch = epoch->get<Index>();
  for (const auto& [name, member] : named_metrics) {
    const Json* value = entry(json, name);
    if (!value || !value->is_number()) refuse(text(where, '.', name), value, "a number");
    row.*member = value->get<double>();
  }
  for (const auto& [name, value] : json.items()) {
    const auto is_name = [&name = name](const auto& named) { return name == named.first; };
    if (!value.is_number() || name == "epoch" || std::ranges::any_of(named_metrics, is_name)) continue;
    row.extras.emplace_back(name, value.get<double>());
  }
  return row;
}

RunStatus read_status(const Json& json) {
  const Json* value = entry(json, "status");
  if (!value) return RunStatus::finished;
  for (const auto& [status, name] : status_names)
    if (*value == name) return status;
  refuse("status", value, "\"running\", \"finished\" or \"failed\"");
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

Json parsed_file(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    throw InputError(text(path.string(), ": found a folder; expected the file of a run log"));
  std::ifstream file(path, std::ios::binary);
  if (!file) throw InputError(text(path.string(), ": cannot be read: ", std::strerror(errno), "; expected a run log"));
  try {
    return Json::parse(file);
  } catch (const Json::exception& error) {
    throw InputError(text(path.string(), ": not JSON: ", error.what()));
  }
}

RunLog log_of(const Json& json, const fs::path& path) {
  try {
    return json.get<RunLog>();
  } catch (const InputError& error) {
    throw InputError(text(path.string(), ": ", error.what()));
  }
}

std::string host_cpu() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name") && line.find(": ") != std::string::npos) return line.substr(line.find(": ") + 2);
  return "unknown";
}

}  // namespace

std::optional<double> metric(const MetricRow& row, std::string_view name) {
  for (const auto& [known, member] : named_metrics)
    if (name == known) return row.*member;
  for (const auto& [extra, value] : row.extras)
    if (name == extra) return value;
  return std::nullopt;
}

void to_json(Json& json, const RunLog& log) {
  // Validation may throw, and the library's constructor that calls this would leak what `json` holds by then.
  Json result = Json::object();
  result["run_name"] = log.run_name;
  result["condition"] = log.condition;
  result["config"] = log.config;
  for (const auto& [status, name] : status_names)
    if (status == log.status) result["status"] = name;
  if (log.status == RunStatus::failed) result["failure"] = log.failure;
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
  if (!json.is_object()) refuse("top level", &json, "the object of a run log");
  RunLog result;
  result.run_name = string_field(json, "run_name");
  result.condition = string_field(json, "condition");
  result.config = object_field_or_empty(json, "config");
  result.status = read_status(json);
  if (json.contains("failure")) result.failure = string_field(json, "failure");
  result.grokking_epoch = read_grokking_epoch(json);
  result.grokked = read_grokked(json, result.grokking_epoch.has_value());
  const Json* metrics = entry(json, "metrics");
  if (!metrics || !metrics->is_array()) refuse("metrics", metrics, "an array of rows");
  for (const Json& row : *metrics)
    result.metrics.push_back(read_row(row, text("metrics[", result.metrics.size(), "]")));
  result.environment = object_field_or_empty(json, "environment");
  log = std::move(result);
}

void check_writable_log(const fs::path& path, bool overwrite) {
  const std::string name = path.string();
  if (!path.has_filename()) throw InputError(text("'", name, "': no file name; expected the path of a log"));
  make_folder(folder_of(path));
  std::error_code error;
  const fs::file_status there = fs::symlink_status(path, error);
  if (fs::is_directory(there)) throw InputError(text(name, ": found a folder; expected the path of a log"));
  if (fs::exists(there) && !overwrite)
    throw InputError(text(name, ": a log is there already; expected a new file, or --overwrite to replace it"));
  // Only an attempt tells: permissions alone know nothing of quotas, containers or file systems without
  // writing.
  const AtomicFile trial(path);
  if (!trial.is_open())
    throw InputError(text(name, ": the log cannot be written: ", std::strerror(errno), "; expected a writable folder"));
}

void write_log(const fs::path& path, const RunLog& log) {
  const std::string content = log_text(log);
  AtomicFile file(path);
  if (!file.is_open() || !file.write(content) || !file.finish())
    throw RunError(text(path.string(), ": the log cannot be written: ", std::strerror(errno)));
}

RunLog read_log(const fs::path& path) { return log_of(parsed_file(path), path); }

std::optional<RunLog> read_log_if_any(const fs::path& path) {
  const Json json = parsed_file(path);
  if (json.is_object() && !json.contains("metrics") && !json.contains("run_name")) return std::nullopt;
  return log_of(json, path);
}

Json environment(int threads) {
#ifdef __clang__
  const char* const compiler = "clang++ " __VERSION__;
#else
  const char* const compiler = "g++ " __VERSION__;
#endif
  return {{"version", NORMALIGN_VERSION}, {"compiler", compiler},
          {"blas", blas_description()},   {"threads", threads},
          {"host_cpu", host_cpu()},       {"hardware_threads", std::thread::hardware_concurrency()}};
}

}  // namespace normalign
