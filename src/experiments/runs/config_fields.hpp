// Settings as JSON, for every config that says what its fields are:
//   template <class Config, class Visit> void for_each_field(Config& config, const Visit& visit)
// found by argument-dependent lookup, calls visit(name, field) for each field, in the order in which logs have them.
// Fields are texts, truth values, whole numbers, numbers, and lists of these.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "linalg/matrix.hpp"

namespace normalign::config_fields {

/// Keeps the order of its keys.
using Json = nlohmann::ordered_json;

/// On one line; text from a command line may be no UTF-8.
inline std::string written(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// What JSON must hold for a field of that type.
inline const char* expected_type(const std::string&) { return "a text"; }
inline const char* expected_type(const bool&) { return "true or false"; }
inline const char* expected_type(const Index&) { return "a whole number"; }
inline const char* expected_type(const double&) { return "a number"; }
inline const char* expected_type(const std::vector<Index>&) { return "a list of whole numbers"; }
inline const char* expected_type(const std::vector<double>&) { return "a list of numbers"; }

/// Whether it does.
inline bool fits(const Json& value, const std::string&) { return value.is_string(); }
inline bool fits(const Json& value, const bool&) { return value.is_boolean(); }
inline bool fits(const Json& value, const double&) { return value.is_number(); }
inline bool fits(const Json& value, const Index&) {
  return value.is_number_unsigned() ? value.get<std::uint64_t>() <= PTRDIFF_MAX : value.is_number_integer();
}
template <class T>
bool fits(const Json& value, const std::vector<T>&) {
  return value.is_array() && std::ranges::all_of(value, [](const Json& item) { return fits(item, T{}); });
}

/// The config as JSON, one key per field.
template <class Config>
Json as_json(const Config& config) {
  Json json = Json::object();
  for_each_field(config, [&](const char* name, const auto& field) { json[name] = field; });
  return json;
}

/// Sets the field of that name. Throws InputError, naming the field, when there is none or the value has another type.
template <class Config>
void set(Config& config, const std::string& name, const Json& value) {
  std::vector<std::string> known;
  bool found = false;
  for_each_field(config, [&](const char* field_name, auto& field) {
    known.emplace_back(field_name);
    if (name != field_name) return;
    found = true;
    if (!fits(value, field))
      throw InputError(text(name, ": found ", written(value), ", expected ", expected_type(field)));
    value.get_to(field);
  });
  if (!found) throw InputError(text(name, ": unknown field, ", expected_one_of(name, known)));
}

/// The first field but `ignored` in which two configs as JSON differ, as "lambda: found 0.2, expected 0.1"; nothing
/// when there is none. A field that is missing in `found` has the value in `defaults`; one of `defaults` that is
/// missing in `expected` does not count.
inline std::optional<std::string> difference(const Json& found, const Json& expected, const Json& defaults,
                                             std::string_view ignored = {}) {
  const auto value = [&](const Json& config, const std::string& name) {
    const Json& holder = config.contains(name) ? config : defaults;
    return holder.contains(name) ? written(holder.at(name)) : "nothing";
  };
  for (const Json* config : {&expected, &found})
    for (const auto& [name, field] : config->items()) {
      if (name == ignored || (defaults.contains(name) && !expected.contains(name))) continue;
      if (value(found, name) != value(expected, name))
        return text(name, ": found ", value(found, name), ", expected ", value(expected, name));
    }
  return std::nullopt;
}

/// The settings that a user has given so far.
class GivenOnce {
 public:
  /// Throws InputError where the setting was given before: only one of two values could count. `place`: how it was
  /// given, such as "--lambda" or "--set lambda".
  void add(const std::string& place, const std::string& setting) {
    const auto [before, is_new] = places_.try_emplace(setting, place);
    if (!is_new) throw InputError(text(place, ": found after ", before->second, ", expected one value of ", setting));
  }

 private:
  std::map<std::string, std::string> places_;
};

}  // namespace normalign::config_fields
