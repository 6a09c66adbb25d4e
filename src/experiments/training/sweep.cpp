#include "experiments/training/sweep.hpp"
#include "experiments/runs/json_kind.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>
#include <variant>

#include "base/json_text.hpp"
#include "base/nearest_name.hpp"
#include "experiments/runs/kept_run.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/condition.hpp"
#include "experiments/training/run_identity.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

using settings::written;

// The place of an entry: conditions."J only".lambda
std::string entry_of(const std::string& place, const std::string& key) {
  const bool plain =
      !key.empty() && std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  return (place.empty() ? "" : place + ".") + (plain ? key : written(key));
}

[[noreturn]] void refuse(const std::string& place, const Json& value, const char* expected) {
  const std::string found = written(value);
  throw InputError(
      text(place, ": found ", found.size() <= 60 ? found : text("an ", value.type_name()), ", expected ", expected));
}

const Json& object_at(const Json& parent, const std::string& place, const char* expected) {
  if (!parent.is_object()) refuse(place, parent, expected);
  return parent;
}

std::vector<std::int64_t> seeds_of(const Json& value, const std::string& place) {
  const auto is_seed = [](const Json& seed) {
    return seed.is_number_integer() && (!seed.is_number_unsigned() || seed.get<std::uint64_t>() <= INT64_MAX) &&
           seed.get<std::int64_t>() >= 0;
  };
  if (value.is_array() && !value.empty()) {
    for (const Json& seed : value)
      if (!is_seed(seed)) refuse(place, seed, "whole numbers from 0");
    return value.get<std::vector<std::int64_t>>();
  }
  constexpr std::int64_t most = 100'000;
  if (!value.is_object() || value.size() != 2 || !value.contains("first") || !value.contains("count"))
    refuse(place, value, "a list of seeds that is not empty, or {\"first\": seed, \"count\": number}");
  const Json &first = value.at("first"), &count = value.at("count");
  if (!is_seed(first) || first.get<std::int64_t>() > INT64_MAX - most)
    refuse(entry_of(place, "first"), first, "a whole number from 0");
  if (!is_seed(count) || count.get<std::int64_t>() < 1 || count.get<std::int64_t>() > most)
    refuse(entry_of(place, "count"), count, "a whole number from 1 to 100000");
  std::vector<std::int64_t> seeds;
  for (std::int64_t i = 0; i < count.get<std::int64_t>(); ++i) seeds.push_back(first.get<std::int64_t>() + i);
  return seeds;
}

// Fields of a run, all said in one place.
struct SettingsLayer {
  std::string place;                    // what precedes the name of a field in a message
  Json fields;                          // in the file a field may be a grid: a list of its values
  std::vector<RunConfig> runs = {};     // for which they are said, but for the seed
  std::vector<std::string> grids = {};  // fields of a point of a layer's grids that these vary
};

void require_read(const SettingsLayer& layer) {
  for (const auto& [name, value] : layer.fields.items()) require_read(layer.place + name, name, layer.runs);
}

// The layer of an object in the file, without the keys that are no fields.
SettingsLayer layer_of(const Json& object, const std::string& place, std::initializer_list<const char*> other_keys) {
  SettingsLayer layer{place + '.', object_at(object, place, "an object of settings")};
  for (const char* key : other_keys) layer.fields.erase(key);
  for (const auto& [key, value] : layer.fields.items())
    if (is_identity(key))
      throw InputError(text(layer.place, key, ": unexpected here, it follows from the keys of \"settings\" and ",
                            "\"conditions\" and from \"seeds\""));
  return layer;
}

// Whether the value is a grid of the setting: a list where the setting is none, a list of lists where it is one.
bool is_grid(const std::string& setting, const Json& value) {
  const auto* row = settings::row_of(RunConfig{}, setting);
  if (!row || !value.is_array()) return false;
  const auto is_list = [](auto member) {
    using T = std::remove_cvref_t<decltype(std::declval<RunConfig&>().*member)>;
    return std::is_same_v<T, std::vector<Index>> || std::is_same_v<T, std::vector<double>> ||
           std::is_same_v<T, std::vector<std::string>>;
  };
  return !std::visit(is_list, row->member) ||
         std::ranges::any_of(value, [](const Json& item) { return item.is_array(); });
}

void check_grid(const std::string& place, const std::string& setting, const Json& values) {
  if (values.empty()) refuse(place + setting, values, "a value, or a grid: a list of values that is not empty");
  std::vector<Json> seen;  // as runs have them: 1 and 1.0 are one value
  for (const Json& value : values) {
    RunConfig trial;
    within(place, [&] { settings::set(trial, setting, value); });
    seen.push_back(settings::as_json(trial)[setting]);
    if (std::ranges::count(seen, seen.back()) > 1)
      throw InputError(text(place, setting, ": found ", written(value), " twice, expected different values"));
  }
}

constexpr std::size_t most_points = 100'000;

// The layer at each point of its grids, the first of which varies slowest; itself where it has none. A grid over a
// field that one of `later` says does not count.
std::vector<SettingsLayer> points_of(const SettingsLayer& layer, std::initializer_list<const SettingsLayer*> later) {
  std::vector<SettingsLayer> result = {{layer.place, layer.fields}};
  for (const auto& [name, values] : layer.fields.items()) {
    if (!is_grid(name, values)) continue;
    check_grid(layer.place, name, values);
    const bool is_said_later =
        std::ranges::any_of(later, [&, &name = name](const SettingsLayer* l) { return l->fields.contains(name); });
    std::vector<SettingsLayer> points;
    if (result.size() * values.size() > most_points)
      throw InputError(text(layer.place, name, ": found grids of more than ", most_points, " points, expected fewer"));
    for (SettingsLayer& point : result) {
      point.fields.erase(name);
      if (!is_said_later) point.grids.push_back(name);
      for (std::size_t i = 0; i < (is_said_later ? 0 : values.size()); ++i)
        (points.emplace_back(point)).fields[name] = values[i];
    }
    if (!is_said_later) result = std::move(points);
  }
  return result;
}

// Says in the run which of its settings these points' grids vary.
void name_grids(RunConfig& run, const SettingsLayer& everywhere, const SettingsLayer& of_setting,
                const SettingsLayer& of_condition) {
  const auto has = [](const SettingsLayer& layer, const char* name) {
    return std::ranges::find(layer.grids, name) != layer.grids.end();
  };
  for (const Setting<RunConfig>& row : table_of(run)) {
    const bool is_of_task = has(everywhere, row.name) || has(of_setting, row.name);
    if ((!is_of_task && !has(of_condition, row.name)) || !reads(run, row.name)) continue;
    // What only conditions read is no matter of the task: the runs without it are those to compare with.
    std::string& names = is_of_task && !is_of_conditions(row.name) ? run.task_grid : run.condition_grid;
    names += text(names.empty() ? "" : "+", row.name);
  }
}

// The run of these layers, the last of which wins.
RunConfig run_of(RunConfig run, std::initializer_list<const SettingsLayer*> layers) {
  for (const SettingsLayer* layer : layers)
    for (const auto& [name, value] : layer->fields.items())
      within(layer->place, [&, &name = name, &value = value] { settings::set(run, name, value); });
  set_dependent_defaults(run, [&](const std::string& name) {
    return std::ranges::any_of(layers, [&](const SettingsLayer* layer) { return layer->fields.contains(name); });
  });
  try {
    check(run);
    return run;
  } catch (const InputError& error) {
    // It is the layer that had the last word on the field that is to blame.
    const std::string message = error.what(), field = message.substr(0, message.find(':'));
    std::string place;
    for (const SettingsLayer* layer : layers)
      if (layer->fields.contains(field)) place = layer->place;
    throw InputError(text(place, message));
  }
}

struct Layers {
  const SettingsLayer &everywhere, &of_setting, &of_condition, &fixed;
};

// The runs of a task and a condition, one for each point of the grids, each once: where a run does not read what a grid
// varies, some points are one run.
std::vector<RunConfig> runs_without_seeds(const Task& task, const std::string& label, const Json& condition_fields,
                                          const Layers& layers) {
  const std::string place = entry_of("conditions", label);
  const Json condition = condition_fields.value("condition", Json(label));
  if (label.empty() || !condition.is_string()) refuse(place, condition, "the name of a condition");
  within(place + '.', [&] { conditions_of(condition.get<std::string>()); });
  RunConfig begun = defaults_for(task, condition.get<std::string>());
  if (label != begun.condition) begun.label = label;
  const auto& [everywhere, of_setting, of_condition, fixed] = layers;
  std::vector<RunConfig> result;
  std::set<std::string> known;
  for (const SettingsLayer& a : points_of(everywhere, {&of_setting, &of_condition, &fixed}))
    for (const SettingsLayer& b : points_of(of_setting, {&of_condition, &fixed}))
      for (const SettingsLayer& c : points_of(of_condition, {&fixed})) {
        RunConfig run = run_of(begun, {&a, &b, &c, &fixed});
        name_grids(run, a, b, c);
        if (known.insert(written(settings_read(run))).second) result.push_back(std::move(run));
        if (result.size() > most_points)
          throw InputError(text(place, ": found grids of more than ", most_points, " points, expected fewer"));
      }
  return result;
}

std::vector<RunConfig> runs_of(const Json& file, SettingsLayer& fixed, std::span<const std::string> only) {
  object_at(file, "top level", "an object");
  const std::vector<std::string> keys = {"kind", "settings", "conditions", "seeds", "overrides"};
  for (const auto& [key, value] : file.items())
    if (std::ranges::find(keys, key) == keys.end())
      throw InputError(text(entry_of("", key), ": unknown key, ", expected_one_of(key, keys)));
  if (file.contains("kind") && file["kind"] != kind::sweep) refuse("kind", file["kind"], "\"sweep\"");
  for (const char* key : {"settings", "conditions"})
    if (!file.contains(key) || !file[key].is_object() || file[key].empty())
      refuse(key, file.contains(key) ? file[key] : Json(), "an object that is not empty");
  SettingsLayer everywhere = layer_of(file.value("overrides", Json::object()), "overrides", {});
  std::map<std::string, SettingsLayer> of_conditions;
  for (const auto& [label, fields] : file["conditions"].items())
    of_conditions[label] = layer_of(fields, entry_of("conditions", label), {"condition"});

  std::vector<RunConfig> runs;
  std::set<std::string> names;
  for (const auto& [task_name, setting] : file["settings"].items()) {
    within("settings: ", [&name = task_name] { task(name); });
    const std::string place = entry_of("settings", task_name);
    SettingsLayer of_setting = layer_of(setting, place, {"seeds"});
    const bool asked_for = only.empty() || std::ranges::find(only, task_name) != only.end();
    const bool own_seeds = setting.contains("seeds");
    const std::vector<std::int64_t> seeds = own_seeds ? seeds_of(setting["seeds"], entry_of(place, "seeds"))
                                                      : seeds_of(file.value("seeds", Json()), "seeds");
    for (const auto& [label, fields] : file["conditions"].items()) {
      SettingsLayer& of_condition = of_conditions.at(label);
      for (RunConfig& run :
           runs_without_seeds(task(task_name), label, fields, {everywhere, of_setting, of_condition, fixed})) {
        for (SettingsLayer* layer : {&everywhere, &of_setting, &of_condition}) layer->runs.push_back(run);
        if (asked_for) fixed.runs.push_back(run);
        for (const std::int64_t seed : seeds) {
          run.seed = seed;
          if (!names.insert(run_name(run)).second)
            throw InputError(text(own_seeds ? entry_of(place, "seeds") : "seeds", ": found two runs named ",
                                  run_name(run), ", expected one"));
          if (asked_for) runs.push_back(run);
        }
      }
    }
    require_read(of_setting);
  }
  require_read(everywhere);
  for (const auto& [label, layer] : of_conditions) require_read(layer);
  return runs;
}

SettingsLayer fixed_fields(std::span<const std::string> assignments) {
  Json fields = Json::object();
  settings::GivenOnce once;
  for (const std::string& given : assignments) {
    const auto [name, value] = settings::assignment(given);
    once.add("--set " + name, name);
    fields[name] = value;
  }
  for (const auto& [key, value] : fields.items())
    if (is_identity(key)) throw InputError(text("--set ", key, ": unexpected here, it is for the sweep's file to say"));
  RunConfig trial;
  for (const auto& [name, value] : fields.items()) settings::set(trial, name, value);
  return {"--set ", fields};
}

}  // namespace

std::vector<RunConfig> sweep_runs(const std::string& content, const std::string& file,
                                  std::span<const std::string> assignments, std::span<const std::string> only) {
  SettingsLayer fixed = fixed_fields(assignments);
  std::vector<RunConfig> runs;
  std::vector<std::string> settings;
  within(file + ": ", [&] {
    const Json json = parsed_json<Json>(content);
    runs = runs_of(json, fixed, only);
    for (const auto& [name, setting] : json["settings"].items()) settings.push_back(name);
  });
  for (const std::string& setting : only) named("--setting", setting, settings, std::identity());
  require_read(fixed);
  return runs;
}

std::optional<RunLog> log_of(const RunConfig& run, const fs::path& folder) {
  return log_at(RunPlace{folder, run_name(run)}.log(), read_log,
                [&](const RunLog& log) { return run_difference(log, new_log(run, 1)); });
}

RunLog sweep_run(const RunConfig& run, const fs::path& folder, int threads, RunObserver observer,
                 std::chrono::milliseconds patience) {
  const RunPlace place{folder, run_name(run)};
  observer.log_file = place.log();
  observer.checkpoint_file = place.checkpoint();
  return log_of_done_run(
      place, patience, [&] { return log_of(run, folder); }, [&] { return task(run.task).run(run, threads, observer); });
}

JobQueueResult run_sweep(const std::vector<RunConfig>& runs, JobQueueOptions options, std::ostream& out) {
  options.title = "sweep";
  return run_kept(
      runs, options, out,
      [](const RunConfig& run) {
        // Those of other seeds take as long.
        RunConfig kind = run;
        kind.seed = 0;
        return Job{.name = run_name(run), .kind = run_name(kind)};
      },
      [&](const RunConfig& run) { return log_of(run, options.folder); },
      [](const RunConfig&) { return std::optional<RunLog>(); });
}

}  // namespace normalign
