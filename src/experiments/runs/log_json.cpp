#include "experiments/runs/log_json.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/atomic_file.hpp"
#include "base/file_content.hpp"
#include "base/json_text.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr std::pair<RunStatus, const char*> status_names[] = {
    {RunStatus::running, "running"}, {RunStatus::finished, "finished"}, {RunStatus::failed, "failed"}};

}  // namespace

const char* name_of(RunStatus status) {
  for (const auto& [known, name] : status_names)
    if (known == status) return name;
  return "";
}

namespace log_json {

std::string dump(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

void require_finite(const Json& json, const std::string& field) {
  if (json.is_number_float() && !std::isfinite(json.get<double>()))
    throw RunError(text(field, " is ", json.get<double>(), "; expected a finite number"));
  if (!json.is_structured()) return;
  for (const auto& [key, value] : json.items()) require_finite(value, text(field, '.', key));
}

void refuse(const std::string& field, const Json* value, const char* expected) {
  std::string found = value ? dump(*value) : "nothing";
  if (value && value->is_structured()) found = text("an ", value->type_name());
  if (value && found.size() > 40) found = text("a ", value->type_name());
  throw InputError(text(field, ": found ", found, "; expected ", expected));
}

const Json* entry(const Json& object, const char* key) {
  const auto position = object.find(key);
  return position == object.end() ? nullptr : &*position;
}

bool is_index(const Json& value) {
  constexpr double exact = 9007199254740992.0;
  if (value.is_number_float()) {
    const double number = value.get<double>();
    return std::abs(number) <= exact && number == std::trunc(number);
  }
  if (value.is_number_unsigned())
    return value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  return value.is_number_integer();
}

std::string string_field(const Json& object, const char* key, const std::string& where) {
  const Json* value = entry(object, key);
  if (!value || !value->is_string()) refuse(where + key, value, "a string");
  return value->get<std::string>();
}

double number_field(const Json& object, const char* key, const std::string& where) {
  const Json* value = entry(object, key);
  if (!value || !value->is_number()) refuse(where + key, value, "a number");
  return value->get<double>();
}

Index count_field(const Json& object, const char* key, const std::string& where) {
  const Json* value = entry(object, key);
  if (!value || !is_index(*value) || value->get<Index>() < 0) refuse(where + key, value, "an integer of at least 0");
  return value->get<Index>();
}

Json object_field_or_empty(const Json& object, const char* key) {
  const Json* value = entry(object, key);
  if (!value) return Json::object();
  if (!value->is_object()) refuse(key, value, "an object");
  return *value;
}

RunStatus status_field(const Json& object) {
  const Json* value = entry(object, "status");
  if (!value) return RunStatus::finished;
  for (const auto& [status, name] : status_names)
    if (*value == name) return status;
  refuse("status", value, "\"running\", \"finished\" or \"failed\"");
}

std::string log_text(const Json& log, const char* rows) {
  std::string result = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : log.items()) {
    result += text(separator, "  ", dump(key), ": ");
    separator = ",\n";
    if (key == rows && !value.empty()) {
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

void write_log_text(const fs::path& path, const std::string& content) {
  AtomicFile file(path);
  if (!file.is_open() || !file.write(content) || !file.finish())
    throw_unwritable<RunError>(errno, text(path.string(), ": the log cannot be written: ", std::strerror(errno)));
}

Json parsed_file(const fs::path& path, const std::set<std::string>& left_out) {
  try {
    const std::string content = file_content(path);
    return within(path.string() + ": ", [&] { return parsed_json<Json>(content, left_out); });
  } catch (const InputError& error) {
    throw UnreadableLog(error.what());
  }
}

}  // namespace log_json
}  // namespace normalign
