// The JSON log of one run: what is in it, and how it is written so that a reader never sees half of one.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/runs/log_json.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// What was measured at the start of one epoch.
struct MetricRow {
  Index epoch = 0;                                          ///< epochs trained so far; 0 is the untrained model
  double train_acc = 0;                                     ///< per cent, as `Evaluation` has it: of targets 100 R²
  double test_acc = 0;                                      ///< the same on the test set
  double train_loss = 0;                                    ///< the task loss alone, as the protocol averages it
  double test_loss = 0;                                     ///< the same on the test set
  double opt_time = 0;                                      ///< seconds of optimisation so far, evaluation not counted
  std::vector<std::pair<std::string, double>> extras = {};  ///< what else was measured, in the order written
  bool operator==(const MetricRow&) const = default;
};

/// The metric of that name in `row`, one of its fields or of its extras; none where the row has none. Units are those
/// of the log.
std::optional<double> metric(const MetricRow& row, std::string_view name);

/// The row as an object, its metrics in the order of the fields and extras. Throws as `to_json` does.
nlohmann::ordered_json row_json(const MetricRow& row);

/// One run as its log tells it.
struct RunLog {
  std::string run_name = {};                                         ///< starts with the task
  std::string condition = {};                                        ///< what is compared, such as "baseline"
  nlohmann::ordered_json config = nlohmann::ordered_json::object();  ///< the settings that the run reads
  /// What the files hold that the run reads, as `content_hash` has it: entries `data` and `initial_model`, where it
  /// reads any.
  nlohmann::ordered_json file_hashes = nlohmann::ordered_json::object();
  /// How the table of the task `table` was read, as its `dataset` gives it; null for the other tasks.
  nlohmann::ordered_json dataset = {};
  RunStatus status = RunStatus::running;
  std::string failure = {};  ///< why and at which epoch a failed run ended
  Index epoch = 0;           ///< epochs done, of a run that is not finished and whose log is kept in a file; else 0
  bool grokked = false;
  std::optional<Index> grokking_epoch = {};  ///< there exactly when `grokked`
  std::vector<MetricRow> metrics = {};
  /// As `environment` gives it, and `seconds` so far by the clock, over all processes of the run, of a log that is kept
  /// in a file.
  nlohmann::ordered_json environment = nlohmann::ordered_json::object();
  bool operator==(const RunLog&) const = default;
};

/// Whether the run predicts numbers, not classes, so that its accuracies are 100 R².
bool is_regression(const RunLog& log);

/// The log as JSON, top-level keys in the order run_name, condition, config, file_hashes (where there are any), dataset
/// (of a table), status, failure (of a failed run only), epoch (where it is not 0), grokked, grokking_epoch (null where
/// not grokked), metrics, environment. Throws RunError, naming epoch and field, where a number is not finite, as JSON
/// has no such numbers; InputError where an extra takes the name of another field.
void to_json(nlohmann::ordered_json& json, const RunLog& log);

/// The log that JSON holds. Keys may be missing: config, file_hashes, dataset, status (then finished), failure, epoch,
/// grokked (then whether there is a grokking_epoch), grokking_epoch (also null or -1 where not grokked), environment.
/// Unknown top-level keys are ignored; further numbers in a metric row become its extras, other further entries are
/// ignored. Throws InputError with field, found and expected on anything else, a `grokked` that contradicts
/// `grokking_epoch` included.
void from_json(const nlohmann::ordered_json& json, RunLog& log);

/// Writes the log, one line for each metric row; the folder must exist. A reader finds the former log or this
/// one as a whole, after a crash too: the text goes to a temporary name in the same folder (hidden, ending in
/// .tmp), to the disk, and is renamed. Throws as `to_json` does, and RunError when the file cannot be
/// written; the former log is then untouched.
void write_log(const std::filesystem::path& path, const RunLog& log);

/// The log in the file at `path`. Throws InputError, naming the file, when it cannot be read, is not JSON, or
/// is not what `from_json` takes.
RunLog read_log(const std::filesystem::path& path);

/// The log in the file at `path`, or none where the file holds a JSON object that does not look like such a log at
/// all: one without `metrics` that has no `run_name` either, or `folds` as the log of a run on a table has. Throws as
/// `read_log` does.
std::optional<RunLog> read_log_if_any(const std::filesystem::path& path);

/// The same, of the JSON in that file.
std::optional<RunLog> log_if_any(const nlohmann::ordered_json& json, const std::filesystem::path& path);

}  // namespace normalign
