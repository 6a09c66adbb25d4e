#include "experiments/studies/sparsity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/infinity.hpp"
#include "data/torus.hpp"
#include "experiments/studies/machine_geometry.hpp"
#include "experiments/studies/seed_means.hpp"
#include "linalg/reduce.hpp"
#include "linalg/row_blocks.hpp"
#include "nn/adamw.hpp"
#include "nn/batches.hpp"
#include "nn/evaluate.hpp"
#include "nn/train_step.hpp"
#include "rfm/rfm.hpp"

namespace normalign {
namespace {

// 2^14 points have a kernel matrix of 2 GiB.
constexpr Index largest_exponent = 14;

template <class T>
Split<T> data_of(const SparsityOptions& options, Index samples, std::int64_t seed) {
  return torus<T>(
      {.train_samples = samples, .test_samples = options.test_samples, .seed = static_cast<std::uint64_t>(seed)});
}

// Trains until the loss is reached; what the row says of that.
void train(const SparsityOptions& options, Mlp<float>& mlp, Batches<float>& batches, std::uint64_t seed,
           SparsityRow& row) {
  AdamW<float> update({.learning_rate = options.learning_rate, .weight_decay = options.weight_decay});
  const StopPoll stop("sparsity", options.stop);
  TrainStep<float> step(mlp, update, {.seed = seed, .threads = options.threads});
  Evaluator<float> evaluate(mlp, Loss::cross_entropy, options.threads);
  Index steps = 0;
  for (Index epoch = 0;; ++epoch) {
    double loss = 0;
    batches.pass(epoch, [&](const Batch<float>& batch) {
      stop.check();
      const double found = step(batch, static_cast<std::uint32_t>(steps++)).total;
      if (!std::isfinite(found))
        throw RunError(text("sparsity: n = ", row.samples, ", seed ", row.seed, ": the loss of the network is ", found,
                            "; it must be finite"));
      loss += found * static_cast<double>(batch.inputs.rows());
    });
    // The losses before the updates are at hand; the set is evaluated only where they are near enough.
    const bool is_last = steps >= options.most_steps;
    if (!is_last && loss > options.loss * static_cast<double>(row.samples)) continue;
    const Evaluation found = evaluate(batches.all());
    row.train_loss = found.loss;
    row.steps = static_cast<double>(steps);
    if (is_last || (found.loss <= options.loss && found.accuracy == 100)) return;
  }
}

void add_network(const SparsityOptions& options, SparsityRow& row) {
  const Split<float> data = data_of<float>(options, row.samples, row.seed);
  const auto seed = static_cast<std::uint64_t>(row.seed);
  MlpOptions form{.widths = {data.train.inputs.cols()}, .seed = seed};
  form.widths.insert(form.widths.end(), options.hidden.begin(), options.hidden.end());
  form.widths.push_back(data.train.classes);
  Mlp<float> mlp(form);
  Batches<float> batches(data.train, {}, options.batch_size, seed);
  train(options, mlp, batches, seed, row);

  Evaluator<float> evaluate(mlp, Loss::cross_entropy, options.threads);
  for (const auto& [points, set] : {std::pair{&row.train, &data.train}, {&row.test, &data.test}}) {
    const Batch<float> all{.inputs = set->inputs, .labels = set->labels};
    *points = {.accuracy = evaluate(all).accuracy,
               .geometry = mean_local_geometry(mlp, all, options.threads, options.stop)};
  }
}

SparsityPoints points(const KernelMachine<double>& machine, const Dataset<double>& data,
                      const SparsityOptions& options) {
  const StopPoll stop("sparsity", options.stop);
  return {.accuracy = accuracy<double>(machine.outputs_at(data.inputs, options.threads, stop), data.labels),
          .geometry = mean_local_geometry(machine, data, options.threads, stop)};
}

void add_machine(const SparsityOptions& options, SparsityRow& row) {
  const Split<double> data = data_of<double>(options, row.samples, row.seed);
  Rfm<double> rfm(
      {.kernel = {.shape = KernelShape::laplace, .bandwidth = options.bandwidth},
       .ridge = {.regularisation = options.regularisation, .threads = options.threads, .stop = options.stop},
       .updates = options.updates,
       .seed = static_cast<std::uint64_t>(row.seed)});
  rfm.fit(data.train.inputs, one_hot<double>(data.train.labels, data.train.classes));
  row.train = points(rfm.machine(), data.train, options);
  row.test = points(rfm.machine(), data.test, options);
}

}  // namespace

void check(const SparsityOptions& options) {
  const auto refuse = [](const char* field, const auto& found, const auto& expected) {
    throw InputError(text(field, ": found ", found, ", expected ", expected));
  };
  check_whole("from", options.from, 0, largest_exponent);
  check_whole("to", options.to, options.from, largest_exponent);
  check_seeds(options.seeds);
  if (options.test_samples < 1) refuse("test_samples", options.test_samples, "a whole number from 1");
  if (options.threads < 1) refuse("threads", options.threads, "a whole number from 1");
  for (const Index width : options.hidden)
    if (width < 1) refuse("hidden", width, "whole numbers from 1");
  if (options.batch_size < 1) refuse("batch_size", options.batch_size, "a whole number from 1");
  for (const auto& [field, found] : {std::pair{"learning_rate", options.learning_rate},
                                     {"weight_decay", options.weight_decay},
                                     {"loss", options.loss}})
    if (!(found >= 0 && std::isfinite(found))) refuse(field, found, "a finite number from 0");
  check_whole("most_steps", options.most_steps, 1, std::numeric_limits<std::int32_t>::max());
  check(RfmOptions{.kernel = {.bandwidth = options.bandwidth},
                   .ridge = {.regularisation = options.regularisation},
                   .updates = options.updates});
}

double mean_nearest_distance(ConstView<double> points, ConstView<double> others) {
  if (points.rows() < 1 || others.rows() < 1 || points.cols() != others.cols())
    throw InputError(text("mean_nearest_distance: points are ", points.shape(), " and others ", others.shape(),
                          "; both must have rows, of one length"));
  const MahalanobisPoints<double> from{Matrix<double>(points)}, to{Matrix<double>(others)};
  double distances = 0, lengths = 0;
  Matrix<double> squares;
  for (Index row = 0; row < points.rows(); row += kernel_block_rows) {
    const Index rows = std::min(kernel_block_rows, points.rows() - row);
    std::vector<double> nearest(static_cast<std::size_t>(rows), infinity);
    for (Index col = 0; col < others.rows(); col += kernel_tile_cols) {
      squares.resize(rows, std::min(kernel_tile_cols, others.rows() - col));
      from.squared_distances(row, to, col, squares);
      for (Index i = 0; i < rows; ++i) {
        double& least = nearest[static_cast<std::size_t>(i)];
        least = std::min(least, std::ranges::min(squares.row(i)));
      }
    }
    for (const double least : nearest) distances += std::sqrt(least);
    for (Index i = row; i < row + rows; ++i) lengths += std::sqrt(dot<double>(points.row(i), points.row(i)));
  }
  if (!(lengths > 0)) throw InputError("mean_nearest_distance: found points that are all zero, expected another one");
  return distances / lengths;
}

std::vector<SparsityRow> sparsity_study(const SparsityOptions& options, const SparsityProgress& progress) {
  check(options);
  const ThreadLimit limit(options.threads);
  std::vector<SparsityRow> rows;
  for (Index exponent = options.from; exponent <= options.to; ++exponent)
    for (const std::int64_t seed : options.seeds) {
      const Index samples = Index{1} << exponent;
      const Split<double> data = data_of<double>(options, samples, seed);
      const double distance = mean_nearest_distance(data.test.inputs, data.train.inputs);
      for (const auto& [model, add] : {std::pair{"mlp", &add_network}, {"rfm", &add_machine}}) {
        SparsityRow row{.samples = samples,
                        .model = model,
                        .seed = seed,
                        .chance_alignment = chance_alignment(data.test.inputs.cols()),
                        .nearest_distance = distance};
        add(options, row);
        rows.push_back(row);
        if (progress && !progress(row)) return rows;
      }
    }
  return rows;
}

}  // namespace normalign
