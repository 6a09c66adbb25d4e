#include "experiments/training/measurements.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "data/noise.hpp"
#include "geometry/certificates/certificate.hpp"
#include "geometry/complex/regions.hpp"
#include "geometry/local_geometry.hpp"
#include "linalg/random.hpp"
#include "robustness/class_attack.hpp"

namespace normalign {
namespace {

template <class T>
Batch<T> first_rows(const Batch<T>& data, Index count) {
  const Index n = std::min(count, data.inputs.rows());
  const auto size = static_cast<std::size_t>(n);
  return {.inputs = data.inputs.row_block(0, n),
          .labels = data.labels.first(std::min(size, data.labels.size())),
          .targets = data.targets.size() ? data.targets.row_block(0, n) : ConstView<T>(),
          .samples = data.samples.first(std::min(size, data.samples.size()))};
}

// Throws where the regions of the run's network cannot be counted.
void check_region_count(const RunConfig& config, Index inputs, Activation activation) {
  constexpr Index most_inputs = 6;
  if (config.max_regions == 0) return;
  if (inputs > most_inputs)
    throw InputError(text("max_regions: found ", config.max_regions, ", expected 0, as the network has ", inputs,
                          " inputs and regions are counted for at most ", most_inputs));
  if (!is_piecewise_affine(activation))
    throw InputError(text("max_regions: found ", config.max_regions, ", expected 0, as a network of ", name(activation),
                          " has no regions"));
}

// Throws where a network of that activation has no certificates.
void check_certificates(const RunConfig& config, Activation activation) {
  if (config.certificate_samples > 0 && !is_piecewise_affine(activation))
    throw InputError(text("certificate_samples: found ", config.certificate_samples, ", expected 0, as a network of ",
                          name(activation), " has no regions, by which distances are certified"));
}

}  // namespace

std::string noise_metric(double level) { return text("noise_acc_", level); }

std::string attack_metric(const RunConfig& config, double radius) {
  return text("attack_acc_", config.attack_norm, '_', radius);
}

std::string certificate_metric(const RunConfig& config) { return "certified_distance_" + config.attack_norm; }

template <class T>
Measurements<T>::Measurements(const RunConfig& config, const Mlp<T>& mlp, Loss loss, const Batch<T>& train,
                              const Batch<T>& test, Index inputs, int threads)
    : config_(config),
      mlp_(mlp),
      loss_(loss),
      train_(train),
      test_(test),
      inputs_(inputs),
      threads_(threads),
      evaluate_(mlp, loss, threads),
      cross_entropy_(mlp, Loss::cross_entropy, threads) {
  if (config.noise_first_column > test.inputs.cols())
    throw InputError(text("noise_first_column: found ", config.noise_first_column, ", expected at most the ",
                          test.inputs.cols(), " columns of the data"));
  check_region_count(config, mlp.options().widths.front(), mlp.options().activation);
  check_certificates(config, mlp.options().activation);
}

template <class T>
void Measurements<T>::append_cross_entropy(MetricRow& row) {
  row.extras.emplace_back("train_cross_entropy", cross_entropy_(train_).loss);
  row.extras.emplace_back("test_cross_entropy", cross_entropy_(test_).loss);
}

template <class T>
void Measurements<T>::append_geometry(MetricRow& row, const StopPoll& stop) const {
  const auto start = Clock::now();
  const auto append = [&](const char* prefix, const Batch<T>& data) {
    const LocalGeometry mean =
        mean_local_geometry(mlp_, first_rows(data, config_.geometry_samples), threads_, stop.inner());
    for (const auto& [name, value] : measures(mean))
      if (value) row.extras.emplace_back(text(prefix, name), *value);
  };
  append("", train_);
  append("test_", test_);
  row.extras.emplace_back("chance_alignment", chance_alignment(inputs_));
  row.extras.emplace_back("geometry_time", seconds_since(start));
}

template <class T>
double Measurements<T>::noise_accuracy(Index epoch, double level) {
  noisy_.resize(test_.inputs.rows(), test_.inputs.cols());
  const RandomRows random(static_cast<std::uint64_t>(config_.seed), Stream::test_noise,
                          static_cast<std::uint32_t>(epoch));
  add_noise(test_.inputs, level, config_.noise_first_column, random, noisy_.view());
  Batch<T> noisy = test_;
  noisy.inputs = noisy_;
  return evaluate_(noisy).accuracy;
}

template <class T>
void Measurements<T>::append_noise(MetricRow& row, const StopPoll& stop) {
  const auto start = Clock::now();
  for (double level : config_.noise_levels) {
    stop.check();
    row.extras.emplace_back(noise_metric(level), noise_accuracy(row.epoch, level));
  }
  row.extras.emplace_back("noise_time", seconds_since(start));
}

template <class T>
void Measurements<T>::append_attacks(MetricRow& row, const StopPoll& stop) {
  const auto start = Clock::now();
  const Batch<T> attacked = config_.attack_samples > 0 ? first_rows(test_, config_.attack_samples) : test_;
  for (double radius : config_.attack_radii) {
    Attack<T> attack(mlp_, loss_,
                     {.norm = norm_of("attack_norm", config_.attack_norm),
                      .radius = radius,
                      .step = config_.attack_step * radius,
                      .steps = static_cast<int>(config_.attack_steps),
                      .seed = static_cast<std::uint64_t>(config_.seed),
                      .draw = static_cast<std::uint32_t>(row.epoch),
                      .stop = stop.inner()},
                     threads_);
    row.extras.emplace_back(attack_metric(config_, radius), attack(attacked).accuracy);
  }
  row.extras.emplace_back("attack_time", seconds_since(start));
}

template <class T>
void Measurements<T>::append_certificates(MetricRow& row, const StopPoll& stop) const {
  const auto start = Clock::now();
  const Batch<T> first = first_rows(test_, config_.certificate_samples);
  const PiecewiseAffineNetwork network = piecewise_affine(mlp_);
  const Matrix<double> inputs = converted<double>(first.inputs), outputs = network(inputs);
  Matrix<double> right(inputs.rows(), inputs.cols());
  Index count = 0;
  for (Index i = 0; i < inputs.rows(); ++i)
    if (is_right<double>(outputs.view().row(i), first.labels[static_cast<std::size_t>(i)]))
      std::ranges::copy(inputs.row(i), right.row(count++).begin());
  double sum = 0, exact = 0;
  if (count > 0)
    for (const Certificate& found : certificates(network, right.view().row_block(0, count),
                                                 {.norm = norm_of("attack_norm", config_.attack_norm),
                                                 .parts = config_.certificate_parts,
                                                 .stop = stop.inner()},
                                                 threads_)) {
      sum += found.lower;
      exact += found.exact;
    }
  row.extras.emplace_back("certified_points", static_cast<double>(count));
  row.extras.emplace_back("certified_exact", exact);
  if (count > 0 && sum < infinity)
    row.extras.emplace_back(certificate_metric(config_), sum / static_cast<double>(count));
  row.extras.emplace_back("certificates_time", seconds_since(start));
}

template <class T>
void Measurements<T>::append_regions(MetricRow& row, const StopPoll& stop) const {
  const auto start = Clock::now();
  const double box = config_.region_box > 0 ? config_.region_box : infinity;
  const auto count =
      count_regions(piecewise_affine(mlp_), {.box = box, .max_regions = config_.max_regions, .stop = stop.inner()});
  if (count) row.extras.emplace_back("num_regions", *count);
  row.extras.emplace_back("regions_time", seconds_since(start));
}

template <class T>
void Measurements<T>::append_to(MetricRow& row, const StopPoll& stop) {
  if (loss_ == Loss::mse && !test_.is_regression() && mlp_.options().widths.back() > 1) append_cross_entropy(row);
  if (config_.geometry_samples > 0) append_geometry(row, stop);
  if (!config_.noise_levels.empty()) append_noise(row, stop);
  if (!config_.attack_radii.empty()) append_attacks(row, stop);
  if (config_.certificate_samples > 0) append_certificates(row, stop);
  if (config_.max_regions > 0) append_regions(row, stop);
}

template class Measurements<float>;
template class Measurements<double>;

}  // namespace normalign
