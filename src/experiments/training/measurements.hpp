// What a run measures at its logged epochs besides loss and accuracy, each switched on by the config.
#pragma once

#include <string>

#include "base/stop.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/run_log.hpp"
#include "nn/attack.hpp"
#include "nn/evaluate.hpp"

namespace normalign {

/// The name of the accuracy under Gaussian noise of that standard deviation: "noise_acc_0.2".
std::string noise_metric(double level);

/// The name of the accuracy under attacks within that distance: "attack_acc_linf_0.1".
std::string attack_metric(const RunConfig& config, double radius);

/// The name of the mean certified distance: "certified_distance_linf".
std::string certificate_metric(const RunConfig& config);

/// Appends what `config` switches on to metric rows, each kind but the first with the seconds that it took for this
/// row:
/// - where classes are trained by squared error, one output for each: train_cross_entropy and test_cross_entropy, in
///   nats, of the outputs as logits, which the paper's authors log as the loss.
/// - geometry_samples: the means of `measures` over the first so many training samples under their names, over as many
///   test samples with "test_" before the name, undefined ones left out, as class_alignment is where numbers are
///   predicted; chance_alignment; geometry_time.
/// - noise_levels: the test accuracy (per cent, as `Evaluation` has it) under N(0, level^2) on the columns from
///   noise_first_column on, as `noise_metric` names it; one draw per epoch, scaled; noise_time.
/// - attack_radii: the accuracy (per cent) on the first attack_samples test points under PGD from random starts, anew
///   for each epoch, as `attack_metric` names it; attack_time.
/// - certificate_samples: of the first so many test points those that are classified right. How many they are,
///   certified_points, and how many have the distance of the decision boundary as their certificate, certified_exact
///   (that of the others is a lower bound, where a search ended after certificate_parts); the mean of the certificates,
///   as `certificate_metric` names it, left out where there are none, or one is infinite; certificates_time.
/// - max_regions: num_regions, the linear regions in the box |x_i| <= region_box or, where that is 0, in the whole
/// input
///   space, left out where they are more than max_regions; regions_time.
template <class T>
class Measurements {
 public:
  /// Network and samples are borrowed; `inputs` is the number of the data's own columns, of which the network's inputs
  /// may be coordinates. Throws InputError where the noise begins behind the last column, where regions are to be
  /// counted of a network that has more than 6 inputs, and where regions or certificates are asked for of one that is
  /// not piecewise affine.
  Measurements(const RunConfig& config, const Mlp<T>& mlp, Loss loss, const Batch<T>& train, const Batch<T>& test,
               Index inputs, int threads);
  /// Measures the network as it is now, for row.epoch. Throws what `stop` throws.
  void append_to(MetricRow& row, const StopPoll& stop = {});
  /// The test accuracy (per cent) under noise of that standard deviation at that epoch: noise_levels' draw.
  double noise_accuracy(Index epoch, double level);

 private:
  void append_cross_entropy(MetricRow& row);
  void append_geometry(MetricRow& row, const StopPoll& stop) const;
  void append_noise(MetricRow& row, const StopPoll& stop);
  void append_attacks(MetricRow& row, const StopPoll& stop);
  void append_certificates(MetricRow& row, const StopPoll& stop) const;
  void append_regions(MetricRow& row, const StopPoll& stop) const;

  const RunConfig& config_;
  const Mlp<T>& mlp_;
  Loss loss_;
  Batch<T> train_, test_;
  Index inputs_;
  int threads_;
  Evaluator<T> evaluate_, cross_entropy_;
  Matrix<T> noisy_;
};

}  // namespace normalign
