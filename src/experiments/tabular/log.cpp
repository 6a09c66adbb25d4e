#include "experiments/tabular/log.hpp"
#include "experiments/runs/json_kind.hpp"

#include "experiments/figures/statistics.hpp"
#include "experiments/runs/kept_run.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/runs/settings.hpp"

namespace normalign {

namespace {

using namespace log_json;
namespace fs = std::filesystem;

Json or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }
Json or_null(const std::vector<std::optional<double>>& values) {
  Json json = Json::array();
  for (const auto& value : values) json.push_back(or_null(value));
  return json;
}

Json as_json(const TabularFold& fold) {
  Json json = {{"regularisation", fold.selection.regularisation},
               {"updates", fold.selection.updates},
               {"bandwidth", fold.selection.bandwidth},
               {"validation_acc", fold.selection.validation_acc},
               {"train_acc", fold.train_acc},
               {"test_acc", fold.test_acc}};
  if (fold.test_rmse) json["test_rmse"] = *fold.test_rmse;
  json.update({{"robust_acc", fold.robust_acc},
               {"effective_rank", or_null(fold.effective_rank)},
               {"normalised_rank", or_null(fold.normalised_rank)},
               {"normal_alignment", or_null(fold.normal_alignment)}});
  return json;
}

Json as_json(const TabularMeans& m) {
  Json json = {{"train_acc", or_null(m.train_acc)}, {"test_acc", or_null(m.test_acc)}};
  if (m.test_rmse) json["test_rmse"] = *m.test_rmse;
  json.update({{"robust_acc", or_null(m.robust_acc)},
               {"attack_success", or_null(m.attack_success)},
               {"effective_rank", or_null(m.effective_rank)},
               {"normalised_rank", or_null(m.normalised_rank)},
               {"normal_alignment", or_null(m.normal_alignment)}});
  return json;
}

Json as_json(const TabularCost& cost) {
  return {{"selection_seconds", cost.selection},
          {"refit_seconds", cost.refit},
          {"attack_seconds", cost.attack},
          {"geometry_seconds", cost.geometry},
          {"fits", cost.fits},
          {"in_double", cost.in_double},
          {"by_iteration", cost.by_iteration},
          {"unconverged", cost.unconverged},
          {"residual", cost.residual}};
}

std::optional<double> number_or_null(const Json& object, const char* key, const std::string& where) {
  const Json* value = entry(object, key);
  if (value && value->is_null()) return std::nullopt;
  if (!value || !value->is_number()) refuse(where + key, value, "a number or null");
  return value->get<double>();
}

TabularFold read_fold(const Json& json, const std::string& where, const TabularConfig& config) {
  const std::size_t radii = config.attack_radii.size();
  if (!json.is_object()) refuse(where.substr(0, where.size() - 1), &json, "an object");
  TabularFold fold{
      .selection = {.regularisation = number_field(json, "regularisation", where),
                    .bandwidth = entry(json, "bandwidth") ? number_field(json, "bandwidth", where) : config.bandwidth,
                    .updates = count_field(json, "updates", where),
                    .validation_acc = number_field(json, "validation_acc", where)},
      .train_acc = number_field(json, "train_acc", where),
      .test_acc = number_field(json, "test_acc", where),
      .effective_rank = number_or_null(json, "effective_rank", where),
      .normalised_rank = number_or_null(json, "normalised_rank", where),
      .normal_alignment = number_or_null(json, "normal_alignment", where)};
  if (entry(json, "test_rmse")) fold.test_rmse = number_field(json, "test_rmse", where);
  const Json* robust = entry(json, "robust_acc");
  if (!robust || !robust->is_array() || robust->size() != radii)
    refuse(where + "robust_acc", robust, text("an array of ", radii, " numbers, one for each attack radius").c_str());
  for (const Json& value : *robust) {
    if (!value.is_number()) refuse(where + "robust_acc", &value, "numbers");
    fold.robust_acc.push_back(value.get<double>());
  }
  return fold;
}

TableFacts read_table(const Json& json) {
  const Json* table = entry(json, "dataset");
  if (!table || !table->is_object()) refuse("dataset", table, "an object");
  const Json* standardised = entry(*table, "standardised");
  if (standardised && !standardised->is_boolean()) refuse("dataset.standardised", standardised, "true or false");
  const std::string where = "dataset.";
  const auto text_or_empty = [&](const char* key) {
    return entry(*table, key) ? string_field(*table, key, where) : std::string();
  };
  const auto names_or_none = [&](const char* key) {
    std::vector<std::string> result;
    const Json* names = entry(*table, key);
    if (!names) return result;
    if (!names->is_array()) refuse(where + key, names, "a list of names");
    for (const Json& name : *names) {
      if (!name.is_string()) refuse(where + key, &name, "a name");
      result.push_back(name.get<std::string>());
    }
    return result;
  };
  return {.name = string_field(*table, "name", where),
          .samples = count_field(*table, "n", where),
          .features = count_field(*table, "features", where),
          .classes = count_field(*table, "classes", where),
          .targets = names_or_none("targets"),
          .standardised = standardised && standardised->get<bool>(),
          .label = text_or_empty("label"),
          .feature_names = names_or_none("feature_names"),
          .missing = text_or_empty("missing"),
          .file_hash = text_or_empty("file_hash")};
}

TabularConfig read_config(const Json& json) {
  TabularConfig config;
  try {
    const Json fields = object_field_or_empty(json, "config");
    for (const auto& [name, value] : fields.items()) settings::set(config, name, value);
    check(config);
  } catch (const InputError& error) {
    const std::string what = error.what();
    throw InputError(what.starts_with("config:") ? what : "config." + what);
  }
  return config;
}

TabularCost read_cost(const Json& json) {
  Json cost = as_json(TabularCost{});
  cost.update(object_field_or_empty(json, "cost"));
  const std::string where = "cost.";
  return {.selection = number_field(cost, "selection_seconds", where),
          .refit = number_field(cost, "refit_seconds", where),
          .attack = number_field(cost, "attack_seconds", where),
          .geometry = number_field(cost, "geometry_seconds", where),
          .fits = count_field(cost, "fits", where),
          .in_double = count_field(cost, "in_double", where),
          .by_iteration = count_field(cost, "by_iteration", where),
          .unconverged = count_field(cost, "unconverged", where),
          .residual = number_field(cost, "residual", where)};
}

}  // namespace

Index outputs_of(const TableFacts& table) {
  return table.targets.empty() ? table.classes : static_cast<Index>(table.targets.size());
}

std::optional<double> attack_success(double clean, double robust) {
  return clean > 0 ? std::optional(100 * (clean - robust) / clean) : std::nullopt;
}

TabularMeans means(const TabularLog& log) {
  const std::vector<TabularFold>& folds = log.result.folds;
  const auto over_folds = [&](const auto& metric) { return mean(present(folds, metric)); };
  TabularMeans result{.train_acc = over_folds([](const auto& fold) { return fold.train_acc; }),
                      .test_acc = over_folds([](const auto& fold) { return fold.test_acc; }),
                      .test_rmse = over_folds([](const auto& fold) { return fold.test_rmse; }),
                      .effective_rank = over_folds([](const auto& fold) { return fold.effective_rank; }),
                      .normalised_rank = over_folds([](const auto& fold) { return fold.normalised_rank; }),
                      .normal_alignment = over_folds([](const auto& fold) { return fold.normal_alignment; })};
  for (std::size_t i = 0; i < log.config.attack_radii.size(); ++i) {
    const auto robust = over_folds([&](const auto& fold) { return fold.robust_acc[i]; });
    result.robust_acc.push_back(robust);
    result.attack_success.push_back(robust ? attack_success(*result.test_acc, *robust) : std::nullopt);
  }
  return result;
}

TabularLog new_log(const TabularConfig& config, const TableFacts& table, Json environment) {
  TabularLog log{.run_name = run_name(config), .condition = method_name(config.alpha), .table = table};
  log.config = config;
  log.environment = std::move(environment);
  return log;
}

void to_json(Json& json, const TabularLog& log) {
  // Built apart, as the library's constructor that calls this would leak what `json` holds when this throws.
  Json result = Json::object();
  result["kind"] = kind::tabular_log;
  result["run_name"] = log.run_name;
  result["condition"] = log.condition;
  result["dataset"] = {{"name", log.table.name},
                       {"n", log.table.samples},
                       {"features", log.table.features},
                       {"classes", log.table.classes}};
  if (!log.table.targets.empty()) result["dataset"]["targets"] = log.table.targets;
  result["dataset"]["standardised"] = log.table.standardised;
  result["dataset"]["label"] = log.table.label;
  if (!log.table.feature_names.empty()) result["dataset"]["feature_names"] = log.table.feature_names;
  if (!log.table.missing.empty()) result["dataset"]["missing"] = log.table.missing;
  result["dataset"]["file_hash"] = log.table.file_hash;
  result["config"] = to_json(log.config);
  write_status(result, log);
  result["folds"] = Json::array();
  for (const TabularFold& fold : log.result.folds) result["folds"].push_back(as_json(fold));
  result["means"] = as_json(means(log));
  result["cost"] = as_json(log.result.cost);
  result["environment"] = log.environment;
  for (const char* key : {"config", "cost", "environment"}) require_finite(result[key], key);
  for (std::size_t i = 0; i < result["folds"].size(); ++i) require_finite(result["folds"][i], text("folds[", i, "]"));
  json = std::move(result);
}

void from_json(const Json& json, TabularLog& log) {
  TabularLog result;
  read_head(json, result);
  result.table = read_table(json);
  result.config = read_config(json);
  const Json* folds = entry(json, "folds");
  if (!folds || !folds->is_array()) refuse("folds", folds, "an array of folds");
  if (result.status == RunStatus::finished && folds->empty())
    refuse("folds", folds, "at least one fold, as the status is finished");
  for (const Json& fold : *folds)
    result.result.folds.push_back(read_fold(fold, text("folds[", result.result.folds.size(), "]."), result.config));
  result.result.cost = read_cost(json);
  log = std::move(result);
}

void write_log(const fs::path& path, const TabularLog& log) { write_log_text(path, log_text(Json(log), "folds")); }

TabularLog read_tabular_log(const fs::path& path) { return log_in<TabularLog>(parsed_file(path), path); }

std::vector<TabularLog> read_tabular_logs(const fs::path& folder, Unreadable& unreadable) {
  return logs_in(
      json_files(folder),
      [](const fs::path& path) {
        const Json json = parsed_file(path);
        return kind_of(json) == kind::tabular_log ? std::optional(log_in<TabularLog>(json, path)) : std::nullopt;
      },
      unreadable);
}

std::optional<TabularLog> log_of(const TabularConfig& config, const TableFacts& table, const fs::path& folder) {
  const auto difference = [&](const TabularLog& log) {
    auto found = settings::difference(to_json(log.config), to_json(config), Json::object());
    if (found) found = "config." + *found;
    const auto compare = [&](const char* key, auto has, auto asked) {
      if (!found && has != asked)
        found = text("dataset.", key, ": found ", Json(has).dump(), ", expected ", Json(asked).dump());
    };
    compare("standardised", log.table.standardised, table.standardised);
    compare("label", log.table.label, table.label);
    compare("targets", log.table.targets, table.targets);
    compare("missing", log.table.missing, table.missing);
    if (!log.table.feature_names.empty() && !table.feature_names.empty())
      compare("feature_names", log.table.feature_names, table.feature_names);
    if (log.table.samples > 0 && table.samples > 0) {
      compare("n", log.table.samples, table.samples);
      compare("features", log.table.features, table.features);
      compare("classes", log.table.classes, table.classes);
      compare("file_hash", log.table.file_hash, table.file_hash);
    }
    return found;
  };
  const fs::path file = RunPlace{folder, run_name(config)}.log();
  // Without its files nothing is known of the table: the run says why.
  if (table.file_hash.empty() && fs::exists(file) && !read_tabular_log(file).table.file_hash.empty())
    return std::nullopt;
  return log_at(file, read_tabular_log, difference);
}

}  // namespace normalign
