#include "experiments/studies/rfm_grokking.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/modular.hpp"
#include "experiments/studies/machine_geometry.hpp"
#include "experiments/studies/seed_means.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

// Half of the pairs modulo 127 have a kernel matrix of half a GiB.
constexpr Index largest_modulus = 127;

// The first `most` samples, or all where there are fewer.
Dataset<double> first_samples(const Dataset<double>& data, Index most) {
  std::vector<Index> rows(static_cast<std::size_t>(std::min(most, data.inputs.rows())));
  std::iota(rows.begin(), rows.end(), Index{0});
  return rows_at(data, std::span<const Index>(rows));
}

double mean_squared_error(ConstView<double> outputs, ConstView<double> targets) {
  double sum = 0;
  for (std::size_t i = 0; i < outputs.span().size(); ++i) sum += std::pow(outputs.span()[i] - targets.span()[i], 2);
  return sum / static_cast<double>(outputs.size());
}

// Some pairs with their targets, and those of them that alignment is measured at.
struct MeasuredPairs {
  MeasuredPairs(const Dataset<double>& pairs, Index geometry_samples)
      : all(pairs),
        targets(one_hot<double>(pairs.labels, pairs.classes)),
        sample(first_samples(pairs, geometry_samples)) {}

  RfmGrokkingPoints at(const KernelMachine<double>& machine, int threads, const StopPoll& stop) const {
    const Matrix<double> outputs = machine.outputs_at(all.inputs, threads, stop);
    RfmGrokkingPoints found{.accuracy = accuracy<double>(outputs, all.labels),
                            .loss = mean_squared_error(outputs, targets)};
    if (!sample.labels.empty()) found.geometry = mean_local_geometry(machine, sample, threads, stop);
    return found;
  }

  const Dataset<double>& all;
  Matrix<double> targets;
  Dataset<double> sample;
};

// The metric between the inputs of a and those of b, p x p.
Matrix<double> block_between(ConstView<double> metric) {
  const Index p = metric.rows() / 2;
  Matrix<double> block(p, p);
  for (Index i = 0; i < p; ++i)
    std::ranges::copy(metric.row(i).subspan(static_cast<std::size_t>(p)), block.row(i).begin());
  return block;
}

}  // namespace

void check(const RfmGrokkingOptions& options) {
  const auto refuse = [](const char* field, const auto& found, const auto& expected) {
    throw InputError(text(field, ": found ", found, ", expected ", expected));
  };
  check_whole("modulus", options.modulus, 2, largest_modulus);
  if (!(options.train_fraction > 0 && options.train_fraction < 1))
    refuse("train_fraction", options.train_fraction, "a number above 0 and below 1");
  check_seeds(options.seeds);
  if (options.geometry_samples < 0) refuse("geometry_samples", options.geometry_samples, "a whole number from 0");
  if (!(options.criterion >= 0 && options.criterion < 100))
    refuse("criterion", options.criterion, "a number from 0 and below 100");
  if (options.threads < 1) refuse("threads", options.threads, "a whole number from 1");
  check(RfmOptions{.kernel = options.kernel,
                   .ridge = {.regularisation = options.regularisation},
                   .updates = options.updates,
                   .power = options.power});
}

std::optional<double> circulant_share(ConstView<double> matrix) {
  const Index p = matrix.rows();
  if (matrix.cols() != p) throw InputError(text("circulant_share: matrix is ", matrix.shape(), "; it must be square"));
  if (p == 0) return std::nullopt;
  const double mean = total(matrix.span()) / static_cast<double>(matrix.size());
  double squared_norm = 0, centred = 0, projected = 0;
  for (const double entry : matrix.span()) {
    squared_norm += entry * entry;
    centred += (entry - mean) * (entry - mean);
  }
  if (!(centred > 1e-24 * squared_norm)) return std::nullopt;
  // The nearest circulant matrix has on each diagonal its mean.
  for (Index shift = 0; shift < p; ++shift) {
    double sum = 0;
    for (Index i = 0; i < p; ++i) sum += matrix(i, (i + shift) % p) - mean;
    projected += sum * sum / static_cast<double>(p);
  }
  return projected / centred;
}

std::optional<Index> grokking_updates(const RfmGrokking& study, const std::string& model, std::int64_t seed) {
  for (const RfmGrokkingRow& row : study.rows)
    if (row.model == model && row.seed == seed && row.test.accuracy > study.options.criterion) return row.updates;
  return std::nullopt;
}

RfmGrokking rfm_grokking_study(const RfmGrokkingOptions& options, const RfmGrokkingProgress& progress) {
  check(options);
  const ThreadLimit limit(options.threads);
  const StopPoll stop("rfm_grokking", options.stop);
  RfmGrokking study{.options = options};
  bool goes_on = true;
  for (const std::int64_t seed : options.seeds) {
    const Split<double> data = modular<double>({.modulus = options.modulus,
                                                .train_fraction = options.train_fraction,
                                                .seed = static_cast<std::uint64_t>(seed)});
    const MeasuredPairs train(data.train, options.geometry_samples), test(data.test, options.geometry_samples);
    for (const auto& model : {std::pair{"rfm", 1.0}, {"rfam", 0.0}}) {
      Rfm<double> rfm(
          {.kernel = options.kernel,
           .ridge = {.regularisation = options.regularisation, .threads = options.threads, .stop = stop.inner()},
           .identity_share = model.second,
           .updates = options.updates,
           .agop_samples = 0,
           .centres_gradients = options.centres_gradients,
           .power = options.power});
      rfm.fit(data.train.inputs, train.targets,
              [&](Index updates, const KernelMachine<double>& machine, const RidgeReport&) {
                study.rows.push_back({.model = model.first,
                                      .seed = seed,
                                      .updates = updates,
                                      .train = train.at(machine, options.threads, stop),
                                      .test = test.at(machine, options.threads, stop),
                                      .circulant_share = circulant_share(block_between(machine.metric()))});
                goes_on = !progress || progress(study.rows.back());
                return goes_on;
              });
      if (!goes_on) return study;
    }
  }
  return study;
}

}  // namespace normalign
