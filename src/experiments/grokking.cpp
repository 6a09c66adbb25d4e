#include "experiments/grokking.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "linalg/random.hpp"
#include "nn/adamw.hpp"
#include "nn/evaluate.hpp"
#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"

namespace normalign {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Loss loss_of(const std::string& found) {
  for (Loss loss : {Loss::cross_entropy, Loss::mse, Loss::bce})
    if (name(loss) == found) return loss;
  throw InputError(text("loss: found '", found, "', expected one of cross_entropy, mse, bce"));
}

template <class T>
std::unique_ptr<Optimizer<T>> optimizer(const RunConfig& c) {
  if (c.optimizer == "sgd")
    return std::make_unique<Sgd<T>>(
        SgdOptions{.learning_rate = c.learning_rate, .momentum = c.momentum, .weight_decay = c.weight_decay});
  return std::make_unique<AdamW<T>>(AdamWOptions{.learning_rate = c.learning_rate,
                                                 .beta1 = c.beta1,
                                                 .beta2 = c.beta2,
                                                 .epsilon = c.epsilon,
                                                 .weight_decay = c.weight_decay});
}

// In the order of the protocol: GrokFast, then OrthoGrad.
template <class T>
std::vector<std::unique_ptr<GradientFilter<T>>> filters(const RunConfig& c) {
  std::vector<std::unique_ptr<GradientFilter<T>>> result;
  const Conditions on = conditions(c.condition);
  if (on.grokfast)
    result.push_back(
        std::make_unique<GrokFast<T>>(GrokFastOptions{.alpha = c.grokfast_alpha, .lambda = c.grokfast_lambda}));
  if (on.orthograd) result.push_back(std::make_unique<OrthoGrad<T>>());
  return result;
}

// The penalty of the condition: GrokAlign, or a Jacobian norm held at a level.
GrokAlignOptions penalty_of(const RunConfig& c) {
  const Conditions on = conditions(c.condition);
  GrokAlignOptions penalty{.norm = c.jacobian_norm == "exact" ? JacobianNorm::exact : JacobianNorm::projection,
                           .projections = static_cast<int>(c.projections)};
  if (on.grokalign) {
    penalty.lambda = c.lambda * c.lambda_scale;
    penalty.jacobian = c.penalise_jacobian;
    penalty.offset = c.penalise_offset;
  }
  if (on.hold_jacobian) {
    penalty.lambda = c.hold_weight;
    penalty.offset = false;
    penalty.level = c.level;
  }
  return penalty;
}

MlpOptions network(const RunConfig& c, Index inputs, Index outputs) {
  MlpOptions options{.activation = activation(c.activation),
                     .bias = c.bias,
                     .init_scale = c.init_scale,
                     .seed = static_cast<std::uint64_t>(c.seed)};
  options.widths = {inputs};
  options.widths.insert(options.widths.end(), c.hidden.begin(), c.hidden.end());
  options.widths.push_back(outputs);
  return options;
}

// The network's outputs: one for each class, or a single one that tells two classes apart by its sign.
template <class T>
Index output_count(const RunConfig& c, const Dataset<T>& data) {
  if (!c.single_output) return data.classes;
  if (data.classes != 2)
    throw InputError(text("single_output: found true with ", data.classes, " classes, expected 2"));
  return 1;
}

// Labels as values for a single output: 1, and for the other class -1 with mse, 0 with bce.
template <class T>
Matrix<T> signed_targets(const Dataset<T>& data, Loss loss) {
  Matrix<T> targets(data.inputs.rows(), 1);
  for (Index i = 0; i < targets.rows(); ++i)
    targets(i, 0) = data.labels[static_cast<std::size_t>(i)] == 1 ? T{1} : loss == Loss::mse ? T{-1} : T{0};
  return targets;
}

// Labels as values for mse and bce: one-hot.
template <class T>
Matrix<T> one_hot(const Dataset<T>& data) {
  Matrix<T> targets(data.inputs.rows(), data.classes);
  for (Index i = 0; i < targets.rows(); ++i) targets(i, data.labels[static_cast<std::size_t>(i)]) = 1;
  return targets;
}

// The batches of a data set: the set itself when a batch holds it all, else rows gathered in a shuffled order.
template <class T>
class Batches {
 public:
  Batches(const Dataset<T>& data, Matrix<T> targets, Index batch_size, std::uint64_t seed)
      : data_(data), targets_(std::move(targets)), seed_(seed), order_(data.labels.size()) {
    const Index n = data.inputs.rows();
    size_ = batch_size == 0 ? n : std::min(batch_size, n);
    std::iota(order_.begin(), order_.end(), Index{0});
    inputs_ = Matrix<T>(size_, data.inputs.cols());
    batch_targets_ = Matrix<T>(targets_.empty() ? 0 : size_, targets_.cols());
    labels_.resize(static_cast<std::size_t>(size_));
  }

  Batch<T> all() const {
    return {.inputs = data_.inputs, .labels = data_.labels, .targets = targets_, .samples = order_};
  }

  /// Calls `step(batch)` for each batch of the epoch.
  template <class Step>
  void pass(Index epoch, const Step& step) {
    const Index n = data_.inputs.rows();
    if (size_ == n) return step(all());
    // From the identity each time, so that an epoch's order depends on its number alone.
    std::iota(order_.begin(), order_.end(), Index{0});
    shuffle(order_, RandomIntegers(seed_, Stream::shuffle, static_cast<std::uint32_t>(epoch)));
    for (Index first = 0; first < n; first += size_) {
      const Index count = std::min(size_, n - first);
      const auto samples =
          std::span<const Index>(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      for (Index i = 0; i < count; ++i) {
        const Index from = samples[static_cast<std::size_t>(i)];
        std::ranges::copy(data_.inputs.row(from), inputs_.row(i).begin());
        labels_[static_cast<std::size_t>(i)] = data_.labels[static_cast<std::size_t>(from)];
        if (!targets_.empty()) std::ranges::copy(targets_.row(from), batch_targets_.row(i).begin());
      }
      step({.inputs = inputs_.view().row_block(0, count),
            .labels = std::span<const std::int32_t>(labels_).first(static_cast<std::size_t>(count)),
            .targets = targets_.empty() ? ConstView<T>() : batch_targets_.view().row_block(0, count),
            .samples = samples});
    }
  }

 private:
  const Dataset<T>& data_;
  Matrix<T> targets_;
  std::uint64_t seed_;
  Index size_;
  std::vector<Index> order_;
  Matrix<T> inputs_, batch_targets_;
  std::vector<std::int32_t> labels_;
};

// Keeps the log file current while the run goes on.
class LogKeeper {
 public:
  explicit LogKeeper(const std::filesystem::path& file) : file_(file) {}
  void keep(const RunLog& log, bool now) {
    if (file_.empty() || (!now && seconds_since(last_) < 2)) return;
    write_log(file_, log);
    last_ = Clock::now();
  }

 private:
  const std::filesystem::path& file_;
  Clock::time_point last_ = Clock::now();
};

// Sums of what the steps of one epoch found.
struct Means {
  double jacobian_norm = 0, offset_norm = 0;
  int steps = 0;
};

}  // namespace

bool is_logged(Index epoch, Index last_epoch) {
  const Index every = epoch < 100 ? 1 : epoch < 1000 ? 10 : epoch < 10000 ? 100 : 1000;
  return epoch % every == 0 || epoch == last_epoch;
}

std::string run_name(const RunConfig& config) { return text(config.task, "_", condition_label(config), "_seed", config.seed); }

template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer) {
  check(config);
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Loss loss = loss_of(config.loss);
  Mlp<T> mlp(network(config, data.train.inputs.cols(), output_count(config, data.train)));
  const auto update = optimizer<T>(config);
  const auto owned_filters = filters<T>(config);
  std::vector<GradientFilter<T>*> borrowed_filters;
  for (const auto& filter : owned_filters) borrowed_filters.push_back(filter.get());
  const GrokAlignOptions penalty = penalty_of(config);
  TrainStep<T> step(mlp, *update, borrowed_filters,
                    {.loss = loss, .grokalign = penalty, .seed = seed, .threads = threads});
  Evaluator<T> evaluate(mlp, loss, threads);
  const auto targets = [&](const Dataset<T>& set) {
    if (loss == Loss::cross_entropy) return Matrix<T>();
    return config.single_output ? signed_targets(set, loss) : one_hot(set);
  };
  Batches<T> train(data.train, targets(data.train), config.batch_size, seed);
  const Batches<T> test(data.test, targets(data.test), 0, seed);

  RunLog log{.run_name = run_name(config),
             .condition = condition_label(config),
             .config = to_json(config),
             .environment = environment(threads)};
  LogKeeper keeper(observer.log_file);
  keeper.keep(log, true);

  double opt_time = 0;
  std::uint32_t steps = 0;
  Means epoch_means;
  try {
    for (Index epoch = 0;; ++epoch) {
      if (is_logged(epoch, config.epochs)) {
        const Evaluation on_train = evaluate(train.all()), on_test = evaluate(test.all());
        if (!std::isfinite(on_train.loss) || !std::isfinite(on_test.loss))
          throw RunError(text("epoch ", epoch, ": the loss is ", on_train.loss, " on the training and ", on_test.loss,
                              " on the test samples; it must be finite"));
        MetricRow row{.epoch = epoch,
                      .train_acc = on_train.accuracy,
                      .test_acc = on_test.accuracy,
                      .train_loss = on_train.loss,
                      .test_loss = on_test.loss,
                      .opt_time = opt_time};
        // Estimates of the epoch before, as the steps met them; epoch 0 has none.
        if (epoch_means.steps > 0 && penalty.lambda > 0) {
          if (penalty.jacobian) row.extras.emplace_back("step_jacobian_norm", epoch_means.jacobian_norm / epoch_means.steps);
          if (penalty.offset) row.extras.emplace_back("step_offset_norm", epoch_means.offset_norm / epoch_means.steps);
        }
        log.metrics.push_back(std::move(row));
        log.grokked = on_train.accuracy > config.train_criterion && on_test.accuracy > config.test_criterion;
        if (log.grokked) log.grokking_epoch = epoch;
      }
      keeper.keep(log, false);
      observer.progress(log, epoch);
      if (log.grokked || epoch == config.epochs) break;

      epoch_means = {};
      const auto start = Clock::now();
      train.pass(epoch, [&](const Batch<T>& batch) {
        const StepResult found = step(batch, steps++);
        if (!std::isfinite(found.total))
          throw RunError(text("epoch ", epoch, ": the training loss is ", found.total, "; it must be finite"));
        epoch_means.jacobian_norm += found.jacobian_norm;
        epoch_means.offset_norm += found.offset_norm;
        ++epoch_means.steps;
      });
      opt_time += seconds_since(start);
    }
    log.status = RunStatus::finished;
  } catch (const RunError& error) {
    log.status = RunStatus::failed;
    log.failure = error.what();
  }
  keeper.keep(log, true);
  if (!observer.model_file.empty()) write_safetensors(observer.model_file, tensor_file(mlp));
  return log;
}

template RunLog grokking_run(const RunConfig&, const Split<float>&, int, const RunObserver&);
template RunLog grokking_run(const RunConfig&, const Split<double>&, int, const RunObserver&);

}  // namespace normalign
