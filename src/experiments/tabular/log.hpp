// The JSON log of one run on a table.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "experiments/runs/log_json.hpp"
#include "experiments/tabular/protocol.hpp"

namespace normalign {

/// What a log tells of the table, by which it is known again.
struct TableFacts {
  std::string name = {};
  Index samples = 0;  ///< 0, like the others, where the table could not be read
  Index features = 0;
  Index classes = 0;                      ///< 0 for targets as well
  std::vector<std::string> targets = {};  ///< the names of a file's targets; empty for classes
  bool standardised = false;              ///< each feature was given mean 0 and standard deviation 1 over all rows
  std::string label = {};  ///< the label column of a CSV file, as the user named it; empty for other tables
  /// The features of a file, in order, as `FeatureEncoding::names` has them; empty for other tables.
  std::vector<std::string> feature_names = {};
  std::string missing = {};    ///< what became of missing values: "drop" or "impute"; empty: there may be none
  std::string file_hash = {};  ///< `content_hash` of its files; empty where there are none, or they could not be read
};

/// How many outputs a machine has on that table.
Index outputs_of(const TableFacts& table);

/// One run as its log tells it. Accuracies are per cent, of regression 100 R².
struct TabularLog {
  std::string run_name = {};
  std::string condition = {};
  TableFacts table = {};
  TabularConfig config = {};
  RunStatus status = RunStatus::running;
  std::string failure = {};
  TabularResult result = {};  ///< without folds unless the run is finished
  nlohmann::ordered_json environment = nlohmann::ordered_json::object();
};

/// The metrics of a run, means over its folds; absent where no fold has the metric.
struct TabularMeans {
  std::optional<double> train_acc = {}, test_acc = {};     ///< per cent; of regression 100 R²
  std::optional<double> test_rmse = {};                    ///< of regression, in the units of the targets
  std::vector<std::optional<double>> robust_acc = {};      ///< per cent, for each radius
  std::vector<std::optional<double>> attack_success = {};  ///< 100 (clean - robust) / clean of these means
  std::optional<double> effective_rank = {}, normalised_rank = {}, normal_alignment = {};
};
TabularMeans means(const TabularLog& log);

/// 100 (clean - robust) / clean; none where nothing is classified right without an attack.
std::optional<double> attack_success(double clean, double robust);

/// A log of that config which has yet to be run.
TabularLog new_log(const TabularConfig& config, const TableFacts& table, nlohmann::ordered_json environment);

/// Top-level keys in the order run_name, condition, dataset {name, n, features, classes, targets (of
/// regression), standardised, label, feature_names and missing (of a file), file_hash}, config, status,
/// failure (of a failed run only), folds (one object each), means (over folds, null where absent), cost (as TabularCost
/// has it), environment. Throws RunError, naming the field, where a number is not finite.
void to_json(nlohmann::ordered_json& json, const TabularLog& log);

/// The log that JSON holds. Config fields that are missing have their defaults; status (then finished), failure, cost
/// and environment may be missing, means are not read. Unknown keys are ignored, but in the config. Throws InputError
/// with field, found and expected on anything else.
void from_json(const nlohmann::ordered_json& json, TabularLog& log);

/// Writes the log, one line for each fold. Throws as `write_log_text` and `to_json` do.
void write_log(const std::filesystem::path& path, const TabularLog& log);

/// The log in the file at `path`. Throws InputError, naming the file, when it is none.
TabularLog read_tabular_log(const std::filesystem::path& path);

/// All logs of runs on tables (*.json with `folds`) in `folder` and below, sorted by path; none where there is no such
/// file. Files that cannot be read are added to `unreadable`. Throws InputError as `json_files` does.
std::vector<TabularLog> read_tabular_logs(const std::filesystem::path& folder, Unreadable& unreadable);

/// The log of that run in `folder`; none where there is no such file, where the files of the table cannot be read, so
/// that the run says why, and where the log is that of another run which failed, as it holds no result. Throws
/// InputError, naming log and field, when it is the log of other settings, of a table with other contents or of another
/// size (0 in `table`: unknown), of another label column, or no log at all (UnreadableLog).
std::optional<TabularLog> log_of(const TabularConfig& config, const TableFacts& table,
                                 const std::filesystem::path& folder);

}  // namespace normalign
