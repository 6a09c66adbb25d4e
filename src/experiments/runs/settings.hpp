// Settings of runs: what is known of each stands in one row of a table, and JSON, ranges and messages follow from it.
// A config is a struct with defaults whose table is found by argument-dependent lookup:
//   const std::vector<Setting<Config>>& table_of(const Config&)
// with a row for every member, in the order in which logs have them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/infinity.hpp"
#include "base/nearest_name.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// Which values a setting may have, each of them where it is a list.
struct SettingRange {
  double least = -infinity;             ///< of numbers
  double most = infinity;               ///< the same
  std::vector<std::string> names = {};  ///< of texts; empty: any
  bool is_distinct = false;             ///< a list has no value twice
};

/// What reads a setting that not every run reads.
template <class Config>
struct SettingReader {
  const char* name = nullptr;                     ///< for messages, such as "the optimizer sgd"
  bool (*is_there)(const Config& run) = nullptr;  ///< null: in every run
};

/// One row of a config's table.
template <class Config>
struct Setting {
  const char* name;
  std::variant<bool Config::*, std::string Config::*, Index Config::*, double Config::*, std::vector<Index> Config::*,
               std::vector<double> Config::*, std::vector<std::string> Config::*>
      member;
  SettingRange range = {};
  SettingReader<Config> reader = {};
};

namespace settings {

/// Keeps the order of its keys.
using Json = nlohmann::ordered_json;

/// On one line; text from a command line may be no UTF-8.
std::string written(const Json& value);

/// What JSON must hold for a value of that type.
inline const char* expected_type(const std::string&) { return "a text"; }
inline const char* expected_type(const bool&) { return "true or false"; }
inline const char* expected_type(const Index&) { return "a whole number"; }
inline const char* expected_type(const double&) { return "a number"; }
inline const char* expected_type(const std::vector<Index>&) { return "a list of whole numbers"; }
inline const char* expected_type(const std::vector<double>&) { return "a list of numbers"; }
inline const char* expected_type(const std::vector<std::string>&) { return "a list of texts"; }

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

/// Throws InputError, opened by the setting's name, unless the value is within `range`.
void check(const char* name, bool value, const SettingRange& range);
void check(const char* name, const std::string& value, const SettingRange& range);
void check(const char* name, Index value, const SettingRange& range);
void check(const char* name, double value, const SettingRange& range);
template <class T>
void check(const char* name, std::vector<T> values, const SettingRange& range) {
  for (const T& value : values) check(name, value, range);
  std::ranges::sort(values);
  const auto twice = std::ranges::adjacent_find(values);
  if (range.is_distinct && twice != values.end())
    throw InputError(text(name, ": found ", *twice, " twice, expected different numbers"));
}

/// The row of that name; null where there is none.
template <class Config>
const Setting<Config>* row_of(const Config& config, std::string_view name) {
  const auto& table = table_of(config);
  const auto row = std::ranges::find(table, name, [](const Setting<Config>& s) { return std::string_view(s.name); });
  return row == table.end() ? nullptr : &*row;
}

/// The settings for which `counts` holds as JSON, one key each.
template <class Config, class Counts>
Json as_json(const Config& config, const Counts& counts) {
  Json json = Json::object();
  for (const Setting<Config>& row : table_of(config))
    if (counts(row)) std::visit([&](auto member) { json[row.name] = config.*member; }, row.member);
  return json;
}

/// All of them.
template <class Config>
Json as_json(const Config& config) {
  return as_json(config, [](const Setting<Config>&) { return true; });
}

/// Sets the setting of that name. Throws InputError, naming it, when there is none or the value has another type.
template <class Config>
void set(Config& config, const std::string& name, const Json& value) {
  const Setting<Config>* row = row_of(config, name);
  if (!row) {
    std::vector<std::string> known;
    for (const Setting<Config>& other : table_of(config)) known.emplace_back(other.name);
    throw InputError(text(name, ": unknown field, ", expected_one_of(name, known)));
  }
  std::visit(
      [&](auto member) {
        if (!fits(value, config.*member))
          throw InputError(text(name, ": found ", written(value), ", expected ", expected_type(config.*member)));
        value.get_to(config.*member);
      },
      row->member);
}

/// Throws InputError naming the first setting that is out of its range, what was found and what was expected.
template <class Config>
void check(const Config& config) {
  for (const Setting<Config>& row : table_of(config))
    std::visit([&](auto member) { check(row.name, config.*member, row.range); }, row.member);
}

/// The first setting but `ignored` in which two configs as JSON differ, as "lambda: found 0.2, expected 0.1"; nothing
/// when there is none. A setting that is missing in `found` has the value in `defaults`; one of `defaults` that is
/// missing in `expected` does not count.
std::optional<std::string> difference(const Json& found, const Json& expected, const Json& defaults,
                                      std::string_view ignored = {});

/// Name and value of "NAME=VALUE" as `set` takes them: the value is what JSON makes of it, or a text where it is no
/// JSON. Throws InputError where there is no '='.
std::pair<std::string, Json> assignment(const std::string& words);

/// Throws InputError: a setting was given that nothing reads. `place`: how the user gave it, such as "--lambda", with
/// which the message begins; `where`: what was asked, such as "nothing in these runs"; `readers`: who would read it.
[[noreturn]] void refuse_unread(const std::string& place, const std::string& where, const std::string& name,
                                const std::string& readers);

/// The settings that a user has given so far.
class GivenOnce {
 public:
  /// Throws InputError where the setting was given before: only one of two values could count. `place`: how it was
  /// given, such as "--lambda" or "--set lambda".
  void add(const std::string& place, const std::string& setting);

 private:
  std::map<std::string, std::string> places_;
};

}  // namespace settings
}  // namespace normalign
