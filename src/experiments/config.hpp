// Everything that decides a run, and how it is checked and written down.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// A run's settings; each task gives the defaults of its own protocol. Fields that do not concern a task or condition
/// are not looked at, but written to the log all the same.
struct RunConfig {
  std::string task = {};
  /// "baseline", or grokfast, orthograd and grokalign joined by "+" in any order.
  std::string condition = "baseline";
  std::int64_t seed = 0;

  // The network; its input and output widths follow from the data.
  std::vector<Index> hidden = {};
  std::string activation = "relu";
  bool bias = true;
  double init_scale = 1;

  // Training.
  std::string loss = "cross_entropy";
  Index epochs = 0;      ///< passes over the training set at most
  Index batch_size = 0;  ///< 0: the whole training set
  std::string optimizer = "adamw";
  double learning_rate = 1e-3;
  double weight_decay = 0;
  double momentum = 0;  ///< sgd
  double beta1 = 0.9;   ///< adamw
  double beta2 = 0.99;
  double epsilon = 1e-25;

  // The run stops at the first logged epoch with both accuracies (per cent) above these.
  double train_criterion = 99;
  double test_criterion = 99;

  // grokalign
  double lambda = 0;
  std::string jacobian_norm = "projection";  ///< or "exact"
  Index projections = 1;
  bool penalise_jacobian = true;
  bool penalise_offset = true;
  std::optional<double> level = {};  ///< hold mean |J|_F at this level instead of shrinking it

  // grokfast
  double grokfast_alpha = 0.8;
  double grokfast_lambda = 0.1;

  // mod_add
  std::string operation = "add";
  Index modulus = 61;
};

/// The conditions that a "+"-joined condition names.
struct Conditions {
  bool grokfast = false;
  bool orthograd = false;
  bool grokalign = false;
};

/// What `condition` asks for. Throws InputError, listing the known ones, on an unknown or repeated name.
Conditions conditions(const std::string& condition);

/// Throws InputError naming the first field that is out of its range, what was found and what was expected.
void check(const RunConfig& config);

/// The settings as JSON, one key per field.
nlohmann::ordered_json to_json(const RunConfig& config);

}  // namespace normalign
