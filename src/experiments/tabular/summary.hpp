// The paper's comparison of RFM and RFAM: from the logs of runs on many tables to one table of means and tests.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/tabular/rows.hpp"

namespace normalign {

/// A metric of a data set and what is claimed of it.
struct TabularMetric {
  std::string name = {};  ///< test_acc, test_rmse, normal_alignment, ..., attack_success_eps<radius>
  double radius = 0;      ///< of robust_acc and attack_success
  bool higher_is_better = true;
  bool is_claimed = false;  ///< whether arXiv:2605.08464 claims that RFAM is better than RFM
};

/// The metrics that rows may have, in the order of the table, test_rmse where one of them has it. Claimed are a higher
/// alignment, lower ranks and lower success rates of attacks; accuracies and errors are not.
std::vector<TabularMetric> tabular_metrics(const TableRows& rows);

/// The metric of a method in a row of `rows`; none where it has none.
std::optional<double> value_of(const TabularMetric& metric, const std::string& method, const TableRow& row,
                               const TableRows& rows);

/// One method under one protocol.
struct MethodSummary {
  std::string method = {};
  Index datasets = 0;
  Index runs = 0;                    ///< finished ones; 0 where the rows are not from logs
  std::vector<Spread> metrics = {};  ///< over the data sets that have the metric, in the order of `tabular_metrics`
  /// Spearman's, over data sets: of alignment with log n, with log d, and with the attack success at the radius nearest
  /// to 1.
  std::optional<double> alignment_with_samples = {}, alignment_with_features = {}, alignment_with_success = {};
};

/// One metric of a method against RFM's, paired by data set.
struct MethodComparison {
  std::string method = {};
  std::string metric = {};
  std::string claim = {};                      ///< "higher", "lower" or ""
  Index pairs = 0;                             ///< data sets for which both have the metric
  Index wins = 0, ties = 0, losses = 0;        ///< of the method; better is higher accuracy and what is claimed
  std::optional<double> mean_difference = {};  ///< the method's - RFM's
  std::optional<PairedTest> test = {};
  std::optional<double> p_one_sided = {};  ///< in the direction of the claim; none without one
};

/// One protocol.
struct ProtocolSummary {
  std::string protocol = {};
  TableRows rows = {};
  std::vector<MethodSummary> methods = {};         ///< RFM, RFAM, then others by name
  std::vector<MethodComparison> comparisons = {};  ///< of each but RFM, by method and metric
};

/// The whole table.
struct TabularSummary {
  std::vector<TabularMetric> metrics = {};
  std::vector<ProtocolSummary> protocols = {};  ///< "published" first
  std::vector<std::string> unfinished = {};     ///< left out, in byte order: still running or killed
  std::vector<std::string> failed = {};         ///< left out, in byte order
};

/// The summary of rows that follow one protocol.
ProtocolSummary summarise(const TableRows& rows, const std::string& protocol);

/// The summary of runs: each data set counts once, with the mean over its seeds. Throws InputError as `rows_of` does,
/// or where attacks differ between protocols.
TabularSummary summarise(const std::vector<TabularLog>& logs);

/// The metrics with protocols side by side, then, where there is more than one data set, tests and rank correlations;
/// four digits, "-" where undefined; unusable runs are listed below. Where no data set has classes test_acc is shown as
/// 100 R2.
TableSet tables(const TabularSummary& summary);

/// {"protocols": [{"protocol", "attack", "methods": [{"method", "datasets", "runs", "figures": {name: {"datasets",
/// "mean", "std"}}, "rank_correlations": {...}}], "comparisons": [...], "rows": [{"dataset", "n", "features",
/// "classes", and for each method its figures}]}], "unfinished", "failed"}, all digits, null where undefined.
nlohmann::ordered_json as_json(const TabularSummary& summary);

/// A header and one line for each protocol, method and metric: means, and the test against RFM; all digits, nothing
/// between the commas where undefined.
std::string as_csv(const TabularSummary& summary);

/// One tabular in the style of the package booktabs: metrics down, protocols and methods across, and the p of RFAM
/// against RFM; rounded as in `tables`.
std::string as_latex(const TabularSummary& summary);

}  // namespace normalign
