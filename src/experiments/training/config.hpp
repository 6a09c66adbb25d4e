// Everything that decides a run, and how it is checked and written down.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

template <class Config>
struct Setting;

/// A run's settings; each task gives the defaults of its own protocol. Which of them a run reads follows from its task,
/// its condition and other settings (`reads` in settings_read.hpp); the others are not looked at and not logged.
struct RunConfig {
  std::string task = {};
  /// "baseline", or names of `all_conditions` joined by "+" in any order.
  std::string condition = "baseline";
  /// What logs and tables call the condition; empty: as above. Tells apart variants of one condition.
  std::string label = {};
  /// Names, joined by "+", of the task's settings that a sweep's grid varies. A run is compared with runs that have the
  /// same values of them.
  std::string task_grid = {};
  /// Names, joined by "+", of the condition's settings that a grid varies. Logs and tables add their values to the
  /// condition's name.
  std::string condition_grid = {};
  std::int64_t seed = 0;

  // The network; its input and output widths follow from the data.
  std::vector<Index> hidden = {};     ///< widths of the hidden layers
  std::string activation = "relu";    ///< one of `activation_names` in nn
  bool bias = true;                   ///< whether layers have one
  double init_scale = 1;              ///< factor on the weights and biases at the start
  bool single_output = false;         ///< two classes on one output, right where its sign is: xor, lazy_regime
  std::string precision = "float32";  ///< or "float64"
  std::string initial_model = {};     ///< safetensors file to start from; empty: a random start
  /// In which it trains: the data's columns, or "span", coordinates of the span of samples and start (in_span.hpp).
  std::string coordinates = "inputs";

  // The data.
  std::string data = {};          ///< folder of the four IDX files (mnist_ce, mnist_se, lazy_regime); file (table)
  std::string label_column = {};  ///< table: that of the classes, by name or place
  bool regression = false;        ///< table: numbers are predicted, not classes
  std::vector<std::string> targets = {};  ///< table: the columns of these numbers, by name or place
  std::string labels = {};                ///< table: a second file, of the labels or targets; empty: they are in `data`
  std::string test_data = {};             ///< table: a file of test rows; empty: some of those of `data`
  std::string test_labels = {};           ///< table: a file of their labels or targets
  double test_share = 0;                  ///< table: of the rows, at random, of each class; 0: one of the folds
  Index folds = 4;                        ///< table: stratified folds of the rows, of which one is tested
  Index fold = 0;                         ///< table: that one, from 0 on
  std::string header = "guess";           ///< table: whether the first line names the columns: "yes", "no"
  std::string index_column = "refuse";    ///< table: a column that numbers the rows; or "drop", "keep"
  std::vector<std::string> columns = {};  ///< table: the features, by name or place; empty: all but the label
  std::vector<std::string> drop = {};     ///< table: but not these
  std::vector<std::string> categories = {};  ///< table: one-hot whatever they hold
  std::string missing = "refuse";            ///< table: rows with missing values; or "drop", "impute"
  bool standardise = true;         ///< table: features and targets get mean 0 and deviation 1 over the training rows
  bool insist_on_classes = false;  ///< table: labels are classes even where they look like a regression target
  Index train_samples = 0;         ///< mnist_ce, mnist_se, xor, lazy_regime (there of each class); 0: all there are
  Index test_samples = 0;          ///< the same of the test set
  Index features = 0;              ///< xor
  double feature_scale = 0.05;     ///< xor: its noise features are plus or minus this
  Index dimensions = 2;            ///< rings: of the points
  std::string operation = "add";   ///< mod_add
  Index modulus = 61;              ///< mod_add

  // Training.
  std::string loss = "cross_entropy";   ///< of the training; mse with regression
  bool accurate_cross_entropy = false;  ///< its gradient does not round to 0 at large logits, as PyTorch's does
  Index epochs = 0;                     ///< passes over the training set at most
  Index batch_size = 0;                 ///< 0: the whole training set
  std::string optimizer = "adamw";      ///< or "sgd"
  double learning_rate = 1e-3;          ///< of the optimizer
  double weight_decay = 0;              ///< of the optimizer
  double momentum = 0;                  ///< sgd
  double beta1 = 0.9;                   ///< adamw
  double beta2 = 0.99;                  ///< adamw
  double epsilon = 1e-25;               ///< adamw
  double gradient_clip = 0;             ///< longest global gradient; 0: not clipped
  double output_scale = 1;              ///< lazy_regime: s in the loss of s f; its steps are learning_rate / s^2

  // When a run evaluates. It has grokked at the first such epoch with all accuracies (per cent; of targets 100 R²)
  // above the criteria.
  Index eval_every = 0;              ///< every so many epochs, and the last; 0: the grid of `is_logged`
  std::string stop = "grokked";      ///< where it ends: there, or "never" before its last epoch; lazy_regime never does
  double train_criterion = 99;       ///< per cent, on the training set
  double test_criterion = 99;        ///< per cent, on the test set
  double noise_criterion = 0;        ///< of test points under N(0, noise_criterion_level^2); 0: does not count
  double noise_criterion_level = 0;  ///< its noise is measured only where the other two are met

  // grokalign
  double lambda = 0;                         ///< weight of the penalty
  double lambda_scale = 1;                   ///< factor on lambda, which differs from task to task
  std::string jacobian_norm = "projection";  ///< or "exact"
  Index projections = 1;                     ///< random directions of "projection"
  bool penalise_jacobian = true;             ///< with E||J_x||_F
  bool penalise_offset = true;               ///< with E||b_x||^2
  double penalty_share = 1;                  ///< of the samples, drawn for each step; of hold_jacobian too

  // hold_jacobian: hold_weight * |level - mean |J|_F|
  double level = 5;           ///< of the mean |J|_F
  double hold_weight = 1e-3;  ///< weight of the penalty

  // grokfast
  double grokfast_alpha = 0.8;   ///< decay of the average of gradients
  double grokfast_lambda = 0.1;  ///< weight of that average

  // adversarial_noise: N(0, sigma^2) on the training inputs, anew for each epoch,
  // sigma = max(training_noise * (1 - training accuracy as a fraction from 0 to 1), least_training_noise)
  double training_noise = 0.06;        ///< sigma at no accuracy
  double least_training_noise = 0.03;  ///< sigma at full accuracy

  // What is measured besides at each logged epoch; off unless said.
  Index geometry_samples = 0;             ///< alignment, rank and norms at so many training and so many test points
  std::vector<double> noise_levels = {};  ///< accuracy on test points under N(0, level^2), one draw scaled
  Index noise_first_column = 0;           ///< the noise is on the columns from this one on
  std::vector<double> attack_radii = {};  ///< accuracy on test points under PGD within these distances
  std::string attack_norm = "linf";       ///< or "l2"; of certificates too
  Index attack_steps = 20;                ///< of PGD
  double attack_step = 0.1;               ///< length of a step in radii
  Index attack_samples = 0;               ///< attacked test points; 0: all
  Index certificate_samples = 0;          ///< distance to the boundary of the right ones of so many test points
  Index certificate_parts = 100;          ///< steps of the search for one distance; what is found then is a lower bound
  Index max_regions = 0;                  ///< the network's linear regions are counted up to so many
  double region_box = 0;                  ///< those where all |x_i| are at most this; 0: in the whole input space
};

/// What tables call the task: its name, for a table the file's without folder and extension.
std::string task_label(const std::string& task, const std::string& data);

/// "task_condition_seedN", the default name of a run and its log; with what grids vary before the seed:
/// "rings_grokalign_hidden200x200_lambda0.01_seed0". What a file's name cannot have in a value stands as "-".
std::string run_name(const RunConfig& config);

/// Gives the settings for which `is_given` does not hold, and whose default depends on others, that default: the loss
/// of a regression is mse.
void set_dependent_defaults(RunConfig& config, const std::function<bool(const std::string& setting)>& is_given);

/// Throws InputError naming the first field that is out of its range, what was found and what was expected.
void check(const RunConfig& config);

/// What is known of each setting: its name, range and, where not every run reads it, who does; in the order of logs.
const std::vector<Setting<RunConfig>>& table_of(const RunConfig&);

/// What logs and tables call the condition: its label, then what a grid varies, as in "grokalign lambda 0.01".
std::string condition_label(const RunConfig& config);

/// Whether the setting says which run this is, and nothing of how it is trained: task, condition, label, the grids,
/// seed.
bool is_identity(std::string_view setting);

/// The names in "lambda+hidden", as grids have them; none in an empty text.
std::vector<std::string> grid_names(const std::string& names);

/// Name and value of those settings that `config`, a run's as JSON, has: "hidden 200x200, learning_rate 0.01" of
/// "hidden+learning_rate". A list that is empty is "none".
std::string grid_words(const nlohmann::ordered_json& config, const std::string& names);

/// The first setting in which two configs as JSON differ, as "lambda: found 0.2, expected 0.1"; nothing when they make
/// the same run. Where the data lie does not count. A field that is missing in `found`, as in logs from before there
/// was one, has the default of `RunConfig`; one that is missing in `expected`, as it is not read, does not count.
std::optional<std::string> config_difference(const nlohmann::ordered_json& found,
                                             const nlohmann::ordered_json& expected);

}  // namespace normalign
