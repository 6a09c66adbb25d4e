#include "experiments/results/log_table.hpp"

#include <nlohmann/json.hpp>

#include "base/number_text.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

Json seed_of(const RunLog& log) {
  const auto seed = log.config.find("seed");
  return seed != log.config.end() && seed->is_number() ? *seed : Json(nullptr);
}

}  // namespace

ArrayTable epochs_table(std::span<const LogFile<RunLog>> logs) {
  Json rows = Json::array();
  for (const auto& [file, log] : logs) {
    const Json run = {{"file", file.string()},
                      {"run", log.run_name},
                      {"task", task_of(log)},
                      {"condition", log.condition},
                      {"seed", seed_of(log)},
                      {"status", name_of(log.status)},
                      {"grokking_epoch", log.grokking_epoch ? Json(*log.grokking_epoch) : Json(nullptr)}};
    for (const MetricRow& metrics : log.metrics) {
      Json& row = rows.emplace_back(run);
      const Json values = row_json(metrics);
      for (const auto& [name, value] : values.items()) {
        if (row.contains(name))
          throw UnreadableLog(text(file.string(), ": found a metric '", one_line(name),
                                   "', expected one that is not the name of another column"));
        row[name] = value;
      }
    }
  }
  return table_of("", rows);
}

ArrayTable folds_table(std::span<const LogFile<TabularLog>> logs) {
  Json rows = Json::array();
  for (const auto& [file, log] : logs) {
    Index number = 0;
    for (const TabularFold& fold : log.result.folds) {
      Json& row = rows.emplace_back(Json{{"file", file.string()},
                                         {"run", log.run_name},
                                         {"table", log.table.name},
                                         {"condition", log.condition},
                                         {"protocol", log.config.protocol},
                                         {"seed", log.config.seed},
                                         {"status", name_of(log.status)},
                                         {"fold", number++},
                                         {"regularisation", fold.selection.regularisation},
                                         {"updates", fold.selection.updates},
                                         {"bandwidth", fold.selection.bandwidth},
                                         {"validation_acc", fold.selection.validation_acc},
                                         {"train_acc", fold.train_acc},
                                         {"test_acc", fold.test_acc}});
      if (fold.test_rmse) row["test_rmse"] = *fold.test_rmse;
      for (std::size_t i = 0; i < fold.robust_acc.size(); ++i)
        row["robust_acc_eps" + number_text(log.config.attack_radii[i])] = fold.robust_acc[i];
      row["effective_rank"] = json_of(fold.effective_rank);
      row["normalised_rank"] = json_of(fold.normalised_rank);
      row["normal_alignment"] = json_of(fold.normal_alignment);
    }
  }
  return table_of("", rows);
}

}  // namespace normalign
