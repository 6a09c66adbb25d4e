#include "experiments/grokking.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <numeric>

#include "experiments/checkpoint.hpp"
#include "experiments/measurements.hpp"
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

// The network as it starts: random, or the one of a file, which must have the form that `options` says.
template <class T>
Mlp<T> start(const RunConfig& config, const MlpOptions& options) {
  if (config.initial_model.empty()) return Mlp<T>(options);
  Mlp<T> mlp = [&] {
    try {
      return mlp_from<T>(read_safetensors(config.initial_model), options);
    } catch (const InputError& error) {
      const std::string message = error.what();
      throw InputError(message.starts_with(config.initial_model) ? message : config.initial_model + ": " + message);
    }
  }();
  const auto refuse = [&](const char* field, const auto& found, const auto& expected) {
    throw InputError(text(config.initial_model, ": ", field, " is ", found, "; the run's is ", expected));
  };
  const MlpOptions& found = mlp.options();
  if (found.activation != options.activation) refuse("activation", name(found.activation), name(options.activation));
  if (found.bias != options.bias) refuse("bias", found.bias, options.bias);
  return mlp;
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
      : data_(data), source_(data.inputs), targets_(std::move(targets)), seed_(seed), order_(data.labels.size()) {
    const Index n = data.inputs.rows();
    size_ = batch_size == 0 ? n : std::min(batch_size, n);
    std::iota(order_.begin(), order_.end(), Index{0});
    labels_.resize(static_cast<std::size_t>(size_));
    if (size_ == n) return;
    inputs_ = Matrix<T>(size_, data.inputs.cols());
    batch_targets_ = Matrix<T>(targets_.empty() ? 0 : size_, targets_.cols());
  }

  // From now on passes take the inputs under N(0, sigma^2) in the place of the inputs.
  void draw_noise(Index epoch, double sigma) {
    noisy_.resize(data_.inputs.rows(), data_.inputs.cols());
    add_noise(ConstView<T>(data_.inputs), sigma, 0,
              RandomRows(seed_, Stream::input_noise, static_cast<std::uint32_t>(epoch)), noisy_.view());
    source_ = noisy_;
  }

  Batch<T> all() const {
    return {.inputs = data_.inputs, .labels = data_.labels, .targets = targets_, .samples = order_};
  }

  // Calls step(batch) for each batch of the epoch.
  template <class Step>
  void pass(Index epoch, const Step& step) {
    const Index n = data_.inputs.rows();
    if (size_ == n) {
      Batch<T> whole = all();
      whole.inputs = source_;
      return step(whole);
    }
    // From the identity each time, so that an epoch's order depends on its number alone.
    std::iota(order_.begin(), order_.end(), Index{0});
    shuffle(order_, RandomIntegers(seed_, Stream::shuffle, static_cast<std::uint32_t>(epoch)));
    for (Index first = 0; first < n; first += size_) {
      const Index count = std::min(size_, n - first);
      const auto samples =
          std::span<const Index>(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      for (Index i = 0; i < count; ++i) {
        const Index from = samples[static_cast<std::size_t>(i)];
        std::ranges::copy(source_.row(from), inputs_.row(i).begin());
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
  ConstView<T> source_;
  Matrix<T> targets_;
  std::uint64_t seed_;
  Index size_;
  std::vector<Index> order_;
  Matrix<T> noisy_, inputs_, batch_targets_;
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

// Keeps the checkpoint current while the run goes on.
template <class T>
class CheckpointKeeper {
 public:
  CheckpointKeeper(const RunObserver& observer, std::vector<MatrixView<T>> state)
      : observer_(observer), state_(std::move(state)) {}
  // Sets `at` and the state to what a former process left, if it left anything.
  bool take_up(Checkpoint& at) {
    if (observer_.checkpoint_file.empty()) return false;
    auto found = read_checkpoint<T>(observer_.checkpoint_file, at.log.config, state_);
    if (!found) return false;
    found->log.environment = at.log.environment;
    found->log.config = at.log.config;
    at = std::move(*found);
    return true;
  }
  void keep(const Checkpoint& at) {
    if (observer_.checkpoint_file.empty() || seconds_since(last_) < observer_.checkpoint_seconds) return;
    write_checkpoint<T>(observer_.checkpoint_file, at, state_);
    last_ = Clock::now();
  }
  void remove() {
    if (!observer_.checkpoint_file.empty()) std::filesystem::remove(observer_.checkpoint_file);
  }

 private:
  const RunObserver& observer_;
  std::vector<MatrixView<T>> state_;
  Clock::time_point last_ = Clock::now();
};

// Sums of what the steps of one epoch found.
struct PassMeans {
  double jacobian_norm = 0, offset_norm = 0;
  int steps = 0;
};

bool is_grokked(const RunConfig& config, const MetricRow& row) {
  if (config.noise_criterion > 0) {
    const auto noisy = std::ranges::find(row.extras, noise_metric(config.noise_levels.front()),
                                         &std::pair<std::string, double>::first);
    if (!(noisy->second > config.noise_criterion)) return false;
  }
  return row.train_acc > config.train_criterion && row.test_acc > config.test_criterion;
}

}  // namespace

bool is_logged(Index epoch, Index last_epoch) {
  const Index every = epoch < 100 ? 1 : epoch < 1000 ? 10 : epoch < 10000 ? 100 : 1000;
  return epoch % every == 0 || epoch == last_epoch;
}

std::string run_name(const RunConfig& config) {
  return text(config.task, "_", condition_label(config), "_seed", config.seed);
}

template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer) {
  check(config);
  const auto seed = static_cast<std::uint64_t>(config.seed);
  const Loss loss = loss_of(config.loss);
  const Conditions on = conditions(config.condition);
  Mlp<T> mlp = start<T>(config, network(config, data.train.inputs.cols(), output_count(config, data.train)));
  const auto update = optimizer<T>(config);
  const auto owned_filters = filters<T>(config);
  std::vector<GradientFilter<T>*> borrowed_filters;
  for (const auto& filter : owned_filters) borrowed_filters.push_back(filter.get());
  const GrokAlignOptions penalty = penalty_of(config);
  TrainStep<T> step(
      mlp, *update, borrowed_filters,
      {.loss = loss, .grokalign = penalty, .gradient_clip = config.gradient_clip, .seed = seed, .threads = threads});
  Evaluator<T> evaluate(mlp, loss, threads);
  const auto targets = [&](const Dataset<T>& set) {
    if (loss == Loss::cross_entropy) return Matrix<T>();
    return config.single_output ? signed_targets(set, loss) : one_hot(set);
  };
  Batches<T> train(data.train, targets(data.train), config.batch_size, seed);
  const Batches<T> test(data.test, targets(data.test), 0, seed);
  Measurements<T> measure(config, mlp, loss, train.all(), test.all(), threads);

  Checkpoint at{.log = {.run_name = run_name(config),
                        .condition = condition_label(config),
                        .config = to_json(config),
                        .environment = environment(threads)}};
  RunLog& log = at.log;
  std::vector<MatrixView<T>> state = mlp.parameters();
  for (const MatrixView<T>& view : update->state()) state.push_back(view);
  for (GradientFilter<T>* filter : borrowed_filters)
    for (const MatrixView<T>& view : filter->state()) state.push_back(view);
  CheckpointKeeper<T> checkpoints(observer, state);
  const bool resumed = checkpoints.take_up(at);
  if (resumed) {
    update->resume(static_cast<int>(at.steps));
    for (GradientFilter<T>* filter : borrowed_filters) filter->resume(static_cast<int>(at.steps));
  }
  LogKeeper keeper(observer.log_file);
  keeper.keep(log, true);

  // What the row of `epoch` says, for the untrained network and after each pass.
  const auto measured = [&](const PassMeans& pass) {
    const Evaluation on_train = evaluate(train.all()), on_test = evaluate(test.all());
    if (!std::isfinite(on_train.loss) || !std::isfinite(on_test.loss))
      throw RunError(text("epoch ", at.epoch, ": the loss is ", on_train.loss, " on the training and ", on_test.loss,
                          " on the test samples; it must be finite"));
    MetricRow row{.epoch = at.epoch,
                  .train_acc = on_train.accuracy,
                  .test_acc = on_test.accuracy,
                  .train_loss = on_train.loss,
                  .test_loss = on_test.loss,
                  .opt_time = at.opt_time};
    // Estimates of the epoch before, as the steps met them; epoch 0 has none.
    if (pass.steps > 0 && penalty.lambda > 0) {
      if (penalty.jacobian) row.extras.emplace_back("step_jacobian_norm", pass.jacobian_norm / pass.steps);
      if (penalty.offset) row.extras.emplace_back("step_offset_norm", pass.offset_norm / pass.steps);
    }
    measure.append_to(row);
    return row;
  };
  const auto pass_over_training_set = [&] {
    PassMeans pass;
    const auto start = Clock::now();
    if (on.adversarial_noise) {
      const double wrong = 1 - evaluate(train.all()).accuracy / 100;
      train.draw_noise(at.epoch, std::max(config.training_noise * wrong, config.least_training_noise));
    }
    train.pass(at.epoch, [&](const Batch<T>& batch) {
      const StepResult found = step(batch, at.steps++);
      if (!std::isfinite(found.total))
        throw RunError(text("epoch ", at.epoch, ": the training loss is ", found.total, "; it must be finite"));
      pass.jacobian_norm += found.jacobian_norm;
      pass.offset_norm += found.offset_norm;
      ++pass.steps;
    });
    at.opt_time += seconds_since(start);
    return pass;
  };

  try {
    PassMeans pass;
    for (bool already_measured = resumed;; already_measured = false, ++at.epoch) {
      if (!already_measured) {
        if (is_logged(at.epoch, config.epochs)) {
          log.metrics.push_back(measured(pass));
          log.grokked = is_grokked(config, log.metrics.back());
          if (log.grokked) log.grokking_epoch = at.epoch;
        }
        keeper.keep(log, false);
        observer.progress(log, at.epoch);
        if (log.grokked || at.epoch == config.epochs) break;
        checkpoints.keep(at);
      }
      pass = pass_over_training_set();
    }
    log.status = RunStatus::finished;
  } catch (const RunError& error) {
    log.status = RunStatus::failed;
    log.failure = error.what();
  }
  keeper.keep(log, true);
  if (!observer.model_file.empty()) write_safetensors(observer.model_file, tensor_file(mlp));
  checkpoints.remove();
  return log;
}

template RunLog grokking_run(const RunConfig&, const Split<float>&, int, const RunObserver&);
template RunLog grokking_run(const RunConfig&, const Split<double>&, int, const RunObserver&);

}  // namespace normalign
