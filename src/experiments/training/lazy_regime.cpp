#include "experiments/training/lazy_regime.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "experiments/training/epoch_loop.hpp"
#include "experiments/training/run_identity.hpp"
#include "linalg/reduce.hpp"
#include "nn/evaluate.hpp"
#include "nn/ntk.hpp"

namespace normalign {
namespace {

constexpr Index logged_epochs = 64;

template <class T>
void check_study(const RunConfig& config, const Split<T>& data) {
  check(config);
  if (config.condition != "baseline")
    throw InputError(text("condition: found '", config.condition, "', expected baseline, the only one of lazy_regime"));
  if (!(config.output_scale > 0))
    throw InputError(text("output_scale: found ", config.output_scale, ", expected a positive number"));
  if (data.train.classes != 2 || data.test.classes != 2)
    throw InputError(text("lazy_regime: found ", data.train.classes, " classes, expected 2"));
}

template <class T>
double norm(std::span<const T> values) {
  return std::sqrt(dot(values, values));
}

// |W - W_0| / |W_0| over all parameters; a start at zero has changed by 0.
template <class T>
double relative_change(const Mlp<T>& mlp, const Mlp<T>& start) {
  double moved = 0, size = 0;
  const auto now = mlp.parameters(), before = start.parameters();
  for (std::size_t p = 0; p < now.size(); ++p) {
    for (std::size_t i = 0; i < now[p].span().size(); ++i) {
      const double first = static_cast<double>(before[p].span()[i]);
      moved += std::pow(static_cast<double>(now[p].span()[i]) - first, 2);
      size += first * first;
    }
  }
  return size > 0 ? std::sqrt(moved / size) : 0;
}

// What is measured of a network besides its losses, at a point x of the training set.
template <class T>
std::vector<std::pair<std::string, double>> measurements(const Mlp<T>& mlp, const Mlp<T>& start,
                                                         const Dataset<T>& train, double scale, double step) {
  Tape<T> tape;
  const ConstView<T> point = train.inputs.view().row_block(0, 1);
  auto net = mlp.on(tape);
  const Var<T> x = tape.borrowed_variable(point);
  const Var<T> centroid = grad(net(x), x);  // one output: J^T 1 is the gradient
  const std::span<const T> mu = centroid.value().span(), at = point.span();
  const double inner = dot(mu, at), norms = norm(mu) * norm(at);

  // K of s f is s^2 times that of f.
  const Matrix<T> kernel = ntk(mlp, point, train.inputs.view());
  const Matrix<T> self = ntk(mlp, point, point);
  const Var<T> f = net(tape.borrowed_constant(train.inputs));
  const double n = static_cast<double>(train.labels.size());
  double change = 0;
  for (std::size_t i = 0; i < train.labels.size(); ++i) {
    const double probability = 1 / (1 + std::exp(-scale * static_cast<double>(f.value().span()[i])));
    change += static_cast<double>(kernel.span()[i]) * (train.labels[i] - probability);
  }
  const double squared = scale * scale;
  return {{"centroid_norm", norm(mu)},
          {"centroid_inner_product", inner},
          {"centroid_cosine", norms > 0 ? inner / norms : 0},
          {"ntk_self", squared * static_cast<double>(self(0, 0))},
          {"ntk_mean", squared * total(kernel.view().span()) / n},
          {"step_change", step * squared * change / n},
          {"weight_change", relative_change(mlp, start)}};
}

}  // namespace

std::vector<Index> log_spaced_epochs(Index last, Index count) {
  if (last < 0 || count < 2)
    throw InputError(text("log_spaced_epochs: found ", count, " epochs up to ", last, ", expected 2 up to 0 or more"));
  std::vector<Index> epochs;
  for (Index i = 0; i < count && (epochs.empty() || epochs.back() < last); ++i) {
    // 0, then last^0, ..., last^1; the small ones, which round to equal numbers, are pushed apart.
    const double exponent = static_cast<double>(i - 1) / static_cast<double>(std::max<Index>(count - 2, 1));
    const Index spaced = i == 0 ? 0 : std::llround(std::pow(static_cast<double>(last), exponent));
    epochs.push_back(epochs.empty() ? 0 : std::min(last, std::max(epochs.back() + 1, spaced)));
  }
  if (epochs.back() != last) epochs.back() = last;
  return epochs;
}

template <class T>
RunLog lazy_regime_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer) {
  check_study(config, data);
  const double scale = config.output_scale, rate = config.learning_rate / (scale * scale);
  RunConfig as_trained = config;
  as_trained.loss = "bce";
  as_trained.single_output = true;
  as_trained.optimizer = "sgd";
  as_trained.learning_rate = rate;
  as_trained.gradient_clip = 0;
  TrainingParts<T> parts = training_parts<T>(as_trained, data.train.inputs.cols(), 2);
  const Mlp<T>& mlp = parts.network;
  const Mlp<T> start = mlp;
  TrainStepOptions<T> options = parts.step_options(as_trained, threads);
  options.output_scale = scale;
  TrainStep<T> step(parts.network, *parts.optimizer, options);
  Evaluator<T> evaluate(mlp, parts.loss, threads, scale);
  const Matrix<T> train_targets = targets_of(as_trained, data.train), test_targets = targets_of(as_trained, data.test);
  const Batch<T> train{.inputs = data.train.inputs, .labels = data.train.labels, .targets = train_targets};
  const Batch<T> test{.inputs = data.test.inputs, .labels = data.test.labels, .targets = test_targets};
  const std::vector<Index> spaced = log_spaced_epochs(config.epochs, logged_epochs);

  const EpochProtocol protocol{
      .epochs = config.epochs,
      .is_logged =
          [&](Index epoch) {
            return config.eval_every > 0 ? is_logged(epoch, config.epochs, config.eval_every)
                                         : std::ranges::binary_search(spaced, epoch);
          },
      .measure =
          [&](MetricRow& row, const StopPoll&) {
            measure_accuracies(row, evaluate, train, test);
            row.extras = measurements(mlp, start, data.train, scale, rate);
          },
      .pass = [&](Index epoch, std::uint32_t& number,
                  const StopPoll&) { require_finite_step(epoch, step(train, number++).total); }};
  return epoch_loop(new_log(config, threads), parts, protocol, observer);
}

template RunLog lazy_regime_run(const RunConfig&, const Split<float>&, int, const RunObserver&);
template RunLog lazy_regime_run(const RunConfig&, const Split<double>&, int, const RunObserver&);

}  // namespace normalign
