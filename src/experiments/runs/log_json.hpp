// What all logs have in common: JSON is read strictly, each refusal naming field, found and expected, and a file holds
// a log as a whole.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// How far a run came. A run that was killed stays `running`.
enum class RunStatus { running, finished, failed };

/// "running", "finished" or "failed".
const char* name_of(RunStatus status);

/// A file that should hold a log, but cannot be read or holds none.
class UnreadableLog : public InputError {
  using InputError::InputError;
};

/// The files of a folder that cannot be read, by path, and why not.
using Unreadable = std::map<std::filesystem::path, std::string>;

/// Returns what `read` returns, an optional; nothing where it throws UnreadableLog.
template <class Read>
auto if_readable(const Read& read) -> decltype(read()) {
  try {
    return read();
  } catch (const UnreadableLog&) {
    return std::nullopt;
  }
}

namespace log_json {

/// Keeps the order of its keys.
using Json = nlohmann::ordered_json;

/// The text of `json`. Strings come from file names and system messages and may be no UTF-8; a log with a replaced
/// letter is better than none.
std::string dump(const Json& json, int indent = -1);

/// Throws RunError naming the field of the first number in `json` that is not finite. The library would write it as
/// null, and no reader could tell what it had been.
void require_finite(const Json& json, const std::string& field);

/// Throws InputError: `field`, the value found (null for none) and what was expected.
[[noreturn]] void refuse(const std::string& field, const Json* value, const char* expected);

/// The entry of an object, or null where it has none.
const Json* entry(const Json& object, const char* key);

/// Whether the value is a whole number. Some writers know only one kind of number: 110.0 is one too.
bool is_index(const Json& value);

/// Entries that must be there. They throw as `refuse` does; `where` precedes the key in the message.
std::string string_field(const Json& object, const char* key, const std::string& where = "");
double number_field(const Json& object, const char* key, const std::string& where = "");
Index count_field(const Json& object, const char* key, const std::string& where = "");  ///< an integer of at least 0
/// An entry that may be missing.
Json object_field_or_empty(const Json& object, const char* key);
/// The same; a log without it is `finished`.
RunStatus status_field(const Json& object);

/// Sets `status`, and of a failed run `failure`.
template <class Log>
void write_status(Json& json, const Log& log) {
  json["status"] = name_of(log.status);
  if (log.status == RunStatus::failed) json["failure"] = log.failure;
}
/// Reads run_name, condition, status (a log without it is `finished`), failure and environment. Throws as `refuse`
/// does.
template <class Log>
void read_head(const Json& json, Log& log) {
  if (!json.is_object()) refuse("top level", &json, "the object of a run log");
  log.run_name = string_field(json, "run_name");
  log.condition = string_field(json, "condition");
  log.status = status_field(json);
  if (json.contains("failure")) log.failure = string_field(json, "failure");
  log.environment = object_field_or_empty(json, "environment");
}

/// The log that the JSON of a file holds. Throws UnreadableLog, naming the file, where it is none.
template <class Log>
Log log_in(const Json& json, const std::filesystem::path& path) {
  try {
    return json.get<Log>();
  } catch (const InputError& error) {
    throw UnreadableLog(text(path.string(), ": ", error.what()));
  }
}

/// The object as the text of a log: indented, but each row of the list `rows` on one line, so that logs are compared
/// and searched by line.
std::string log_text(const Json& log, const char* rows);

/// Writes the text of a log; the folder must exist. A reader finds the former text or this one as a whole, after a
/// crash too. Throws RunError when the file cannot be written, StorageError for want of space; the former
/// text is then untouched.
void write_log_text(const std::filesystem::path& path, const std::string& content);

/// The JSON in the file of a log, without what stands at the top level under the keys `left_out`. Throws
/// UnreadableLog, naming the file, when it cannot be read or `parsed_json` refuses it.
Json parsed_file(const std::filesystem::path& path, const std::set<std::string>& left_out = {});

}  // namespace log_json
}  // namespace normalign
