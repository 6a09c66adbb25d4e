// Everything that decides a run on one table, and how it is checked and written down.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

template <class Config>
struct Setting;

/// Everything that decides a run on one table.
struct TabularConfig {
  std::string dataset = {};
  double alpha = 1;  ///< share of the identity in the first metric: 1 RFM, 0 RFAM
  std::int64_t seed = 0;
  /// "published": regularisation, number of updates and metric are chosen once, on `selection`, whose rows are test
  /// rows later on. "nested": chosen anew for each fold, on seeded stratified halves of its training rows.
  std::string protocol = "published";
  std::string kernel = "laplace";
  double bandwidth = 10;
  std::vector<double> bandwidths = {};  ///< tried in place of it, each with each regularisation; empty: it alone
  double exponent = 1;                  ///< of generalised_laplace
  std::vector<double> regularisations = {10, 1, 0.1, 0.01, 0.001};
  Index updates = 4;
  Index agop_samples = 20000;                      ///< training rows drawn for an update of the metric, at most n
  Index geometry_samples = 20000;                  ///< training rows of a fold drawn for alignment and rank, at most n
  std::string precision = "float64";               ///< or "float32"
  std::vector<double> attack_radii = {0.1, 1, 2};  ///< l-infinity, in the units of the features
  /// "pgd": up the mean squared error; the last iterate counts. "apgd": any success of `AttackKind::apgd` counts.
  std::string attack = "pgd";
  Index attack_steps = 20;                ///< of each start; apgd wants more, such as 100
  double attack_step = 0.1;               ///< of pgd: length of a step in radii
  Index attack_restarts = 1;              ///< of apgd: random starts for each row and loss
  std::vector<double> attack_clamp = {};  ///< the least and the largest value of attacked features; empty: no limit
};

/// What is known of each setting, in the order of logs.
const std::vector<Setting<TabularConfig>>& table_of(const TabularConfig&);

/// "<dataset>_<method>_<protocol>_seed<seed>", the method being rfm for alpha 1, rfam for alpha 0, else alpha<alpha>.
std::string run_name(const TabularConfig& config);

/// "RFM" for alpha 1, "RFAM" for alpha 0, else "alpha <alpha>".
std::string method_name(double alpha);

/// What is done within each attack radius: "pgd, 20 steps of 0.1 radii", "apgd, 100 steps, 2 starts for each loss,
/// features from 0 to 1"; empty where there are no radii.
std::string attack_words(const TabularConfig& config);

/// The settings that a run of `config` reads as JSON, one key per field.
nlohmann::ordered_json to_json(const TabularConfig& config);

/// Throws InputError unless a run of `config` reads the setting: exponent belongs to the kernel generalised_laplace,
/// agop_samples to updates of the metric, what is said of attacks to attack_radii, attack_step to pgd alone and
/// attack_restarts to apgd. `place`: how the user gave it, such as "--exponent", with which the message begins.
void require_read(const std::string& place, const std::string& setting, const TabularConfig& config);

/// Throws InputError naming the first field that is out of its range, what was found and what was expected.
void check(const TabularConfig& config);

}  // namespace normalign
