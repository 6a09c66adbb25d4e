#include "experiments/runs/settings.hpp"

#include <cmath>

#include "base/json_text.hpp"

namespace normalign::settings {

std::string written(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

void check(const char*, bool, const SettingRange&) {}

void check(const char* name, const std::string& value, const SettingRange& range) {
  if (!range.names.empty() && std::ranges::find(range.names, value) == range.names.end())
    throw InputError(text(name, ": found '", one_line(value), "', ", expected_one_of(value, range.names)));
}

void check(const char* name, Index value, const SettingRange& range) {
  const auto number = static_cast<double>(value);
  if (number >= range.least && number <= range.most) return;
  throw InputError(text(name, ": found ", value, ", expected a whole number from ", range.least,
                        std::isfinite(range.most) ? text(" to ", static_cast<Index>(range.most)) : ""));
}

void check(const char* name, double value, const SettingRange& range) {
  if (!std::isfinite(range.least) || (value >= range.least && value <= range.most && std::isfinite(value))) return;
  throw InputError(text(name, ": found ", value, ", expected a ", std::isfinite(range.most) ? "" : "finite ",
                        "number from ", range.least, std::isfinite(range.most) ? text(" to ", range.most) : ""));
}

std::optional<std::string> difference(const Json& found, const Json& expected, const Json& defaults,
                                      std::string_view ignored) {
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

std::pair<std::string, Json> assignment(const std::string& words) {
  const auto equals = words.find('=');
  if (equals == std::string::npos) throw InputError(text("setting: found '", words, "', expected NAME=VALUE"));
  const std::string value = words.substr(equals + 1);
  const auto json = [&]() -> Json {
    try {
      return parsed_json<Json>(value);
    } catch (const InputError&) {
      return value;
    }
  };
  return {words.substr(0, equals), json()};
}

void refuse_unread(const std::string& place, const std::string& where, const std::string& name,
                   const std::string& readers) {
  throw InputError(text(place, ": found ", where, " that reads ", name, ", expected ", readers));
}

void GivenOnce::add(const std::string& place, const std::string& setting) {
  const auto [before, is_new] = places_.try_emplace(setting, place);
  if (!is_new) throw InputError(text(place, ": found after ", before->second, ", expected one value of ", setting));
}

}  // namespace normalign::settings
