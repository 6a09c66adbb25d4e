// Training: the loop over epochs of a network on NumPy arrays.
#include <cmath>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "linalg/thread_limit.hpp"
#include "nn/batches.hpp"
#include "nn/evaluate.hpp"
#include "nn/train_step.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/models/network.hpp"
#include "python/bindings/models/training_options.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// What a training does, beside network and data.
struct TrainingOptions {
  Loss loss = Loss::cross_entropy;
  Index epochs = 0, batch_size = 0, evaluate_every = 1;
  OptimizerOptions optimizer = {};
  std::optional<GrokAlignOptions> penalty = {};
  std::vector<FilterOptions> filters = {};
  double gradient_clip = 0;
  std::uint64_t seed = 0;
  int threads = 1;
  py::object callback = py::none();
};

// ---- the samples -----------------------------------------------------------------------------------------------

bool holds_whole_numbers(const py::array& y) { return y.dtype().kind() != 'f'; }

Loss loss_of(const std::optional<std::string>& asked, const py::array& y, Index outputs) {
  const bool is_of_classes = y.ndim() == 1 && (outputs > 1 || holds_whole_numbers(y));
  Loss loss = is_of_classes ? Loss::cross_entropy : Loss::mse;
  if (asked) {
    if (*asked != "cross_entropy" && *asked != "mse" && *asked != "bce")
      throw InputError(text("loss: found '", *asked, "', expected 'cross_entropy', 'mse' or 'bce'"));
    loss = *asked == "cross_entropy" ? Loss::cross_entropy : *asked == "mse" ? Loss::mse : Loss::bce;
  }
  if (loss == Loss::cross_entropy && outputs == 1)
    throw InputError(text("loss: found ", asked ? "'cross_entropy'" : "class numbers",
                          " for a network of one output, expected ", asked ? "'mse' or 'bce'" : "loss='bce' or 'mse'"));
  return loss;
}

// Whether y holds class numbers, not numbers to be predicted.
bool is_of_classes(Loss loss, const py::array& y, Index outputs) {
  if (loss == Loss::cross_entropy) return true;
  if (y.ndim() != 1) return false;
  return outputs > 1 || (loss == Loss::bce && holds_whole_numbers(y));
}

template <class T>
Matrix<T> targets_from(const char* name, const py::array& y, Index rows, Index outputs, Loss loss) {
  const MatrixArgument<T> targets(name, as_column(y));
  if (targets.view().rows() != rows || targets.view().cols() != outputs)
    throw InputError(text(name, ": found an array of shape ", shape_text(y), ", expected (", rows, ", ", outputs,
                          "), a row for each of X and a column for each output"));
  if (loss == Loss::bce)
    for (const T value : targets.view().span())
      if (!(value >= 0 && value <= 1))
        throw InputError(text(name, ": found ", value, ", expected numbers from 0 to 1, as the loss is bce"));
  return Matrix<T>(targets.view());
}

// Rows with what the loss compares the outputs with.
template <class T>
struct Samples {
  Dataset<T> data = {};
  Matrix<T> targets = {};

  Samples() = default;
  Samples(const char* x_name, const py::array& x, const char* y_name, const py::array& y, Loss loss,
          const Mlp<T>& network) {
    const MatrixArgument<T> rows(x_name, x);
    const Index n = rows.view().rows(), d = network.options().widths.front(), k = network.options().widths.back();
    if (rows.view().cols() != d)
      throw InputError(text(x_name, ": found an array of shape ", shape_text(x), ", expected ", d,
                            " columns, the inputs of the network"));
    data.inputs = Matrix<T>(rows.view());
    if (!is_of_classes(loss, y, k)) {
      targets = targets_from<T>(y_name, y, n, k, loss);
      data.targets = targets;
      return;
    }
    data.classes = std::max<Index>(k, 2);
    data.labels = labels_argument(y_name, ArrayLike{y}, n, data.classes);
    if (loss == Loss::cross_entropy) return;
    if (k > 1) {
      targets = one_hot<T>(data.labels, k);
      return;
    }
    targets = Matrix<T>(n, 1);
    for (Index i = 0; i < n; ++i) targets(i, 0) = static_cast<T>(data.labels[static_cast<std::size_t>(i)]);
  }
};

// ---- what is found ---------------------------------------------------------------------------------------------

// The network as it is after some epochs.
struct TrainingState {
  Index epoch = 0;
  double seconds = 0;  // of the steps so far
  Evaluation train = {};
  std::optional<Evaluation> test = {};
  std::vector<std::pair<std::string, double>> terms = {};  // of penalties: means over the steps of the last epoch
  std::shared_ptr<Network> network = {};                   // where a callback sees it
};

struct TrainingResult {
  std::shared_ptr<Network> network;
  py::dict history;
};

py::dict history_of(const std::vector<TrainingState>& states) {
  py::dict history;
  const auto add = [&](const char* name, const auto& value_of) { history[name] = array_from_each(states, value_of); };
  add("epoch", [](const TrainingState& at) { return at.epoch; });
  add("train_loss", [](const TrainingState& at) { return at.train.loss; });
  add("train_accuracy", [](const TrainingState& at) { return at.train.accuracy; });
  if (states.front().test) {
    add("test_loss", [](const TrainingState& at) { return at.test->loss; });
    add("test_accuracy", [](const TrainingState& at) { return at.test->accuracy; });
  }
  for (std::size_t i = 0; i < states.front().terms.size(); ++i)
    add(states.front().terms[i].first.c_str(), [i](const TrainingState& at) { return at.terms[i].second; });
  add("seconds", [](const TrainingState& at) { return at.seconds; });
  return history;
}

// ---- the loop --------------------------------------------------------------------------------------------------

// Means of the penalties' terms over the steps of one epoch; nan before the first.
class TermMeans {
 public:
  explicit TermMeans(const std::vector<std::string>& names) : names_(names), sums_(names.size()) {}
  void clear() { *this = TermMeans(names_); }
  void add(std::span<const double> terms) {
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += terms[i];
    ++steps_;
  }
  std::vector<std::pair<std::string, double>> means() const {
    std::vector<std::pair<std::string, double>> result;
    for (std::size_t i = 0; i < sums_.size(); ++i) result.emplace_back(names_[i], sums_[i] / steps_);
    return result;
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> sums_;
  int steps_ = 0;
};

template <class T>
class Training {
 public:
  Training(const Mlp<T>& start, Samples<T> train, std::optional<Samples<T>> test, const TrainingOptions& options)
      : options_(options),
        network_(start),
        train_(std::move(train)),
        test_(std::move(test)),
        optimizer_(optimizer_of<T>(options.optimizer)),
        step_(network_, *optimizer_, step_options()),
        evaluate_(network_, options.loss, options.threads),
        batches_(train_.data, train_.targets, options.batch_size, options.seed),
        terms_(step_.term_names()) {}
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;

  std::vector<TrainingState> run(Progress& progress, const std::function<bool()>& stop) {
    const ThreadLimit limit(options_.threads);
    const StopPoll poll("train", stop);
    std::vector<TrainingState> states;
    for (Index epoch = 0;; ++epoch) {
      if (epoch % options_.evaluate_every == 0 || epoch == options_.epochs) {
        states.push_back(state_at(epoch));
        if (is_ended_by_callback(states.back())) return states;
      }
      progress(epoch, options_.epochs);
      if (epoch == options_.epochs) return states;
      const auto start = Clock::now();
      pass(epoch, poll);
      seconds_ += seconds_since(start);
    }
  }
  Mlp<T> network() && { return std::move(network_); }

 private:
  TrainStepOptions<T> step_options() {
    TrainStepOptions<T> result{.loss = options_.loss,
                               .gradient_clip = options_.gradient_clip,
                               .seed = options_.seed,
                               .threads = options_.threads};
    if (options_.penalty) result.penalties.push_back(&penalty_.emplace(*options_.penalty));
    for (const FilterOptions& filter : options_.filters)
      result.filters.push_back(filters_.emplace_back(filter_of<T>(filter)).get());
    return result;
  }

  void pass(Index epoch, const StopPoll& poll) {
    terms_.clear();
    batches_.pass(epoch, [&](const Batch<T>& batch) {
      poll.check();
      const StepResult found = step_(batch, steps_++);
      require_finite(epoch, "training", found.total);
      terms_.add(found.terms);
    });
  }

  TrainingState state_at(Index epoch) {
    TrainingState state{
        .epoch = epoch, .seconds = seconds_, .train = evaluate_(batches_.all()), .terms = terms_.means()};
    require_finite(epoch, "training", state.train.loss);
    if (test_) {
      state.test = evaluate_({.inputs = test_->data.inputs, .labels = test_->data.labels, .targets = test_->targets});
      require_finite(epoch, "test", state.test->loss);
    }
    return state;
  }

  bool is_ended_by_callback(TrainingState& state) const {
    if (options_.callback.is_none()) return false;
    const py::gil_scoped_acquire lock;
    TrainingState shown = state;
    shown.network = std::make_shared<Network>(network_);
    const py::object answer = options_.callback(std::move(shown));
    // Nothing but True: a function that ends with bar.update(1) is not to end the training.
    return answer.is(py::bool_(true)) ||
           (py::isinstance(answer, py::dtype::of<bool>().attr("type")) && py::bool_(answer));
  }

  static void require_finite(Index epoch, const char* samples, double loss) {
    if (!std::isfinite(loss))
      throw RunError(text("epoch ", epoch, ": the ", samples, " loss is ", loss, "; it must be finite"));
  }

  const TrainingOptions& options_;
  Mlp<T> network_;
  Samples<T> train_;
  std::optional<Samples<T>> test_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  std::optional<GrokAlign<T>> penalty_;
  std::vector<std::unique_ptr<GradientFilter<T>>> filters_;
  TrainStep<T> step_;
  Evaluator<T> evaluate_;
  Batches<T> batches_;
  TermMeans terms_;
  std::uint32_t steps_ = 0;
  double seconds_ = 0;
};

// ---- the function ----------------------------------------------------------------------------------------------

struct TestArguments {
  py::array x, y;
};

template <class T>
TrainingResult trained(const Mlp<T>& start, const py::array& x, const py::array& y,
                       const std::optional<TestArguments>& test, const TrainingOptions& options, Progress& progress) {
  Samples<T> train("X", x, "y", y, options.loss, start);
  std::optional<Samples<T>> on_test;
  if (test) {
    on_test.emplace("X_test", test->x, "y_test", test->y, options.loss, start);
    if (on_test->data.is_regression() != train.data.is_regression())
      throw InputError("y_test: found numbers of another kind than in y, expected class numbers in both or in none");
  }
  Training<T> training(start, std::move(train), std::move(on_test), options);
  const std::vector<TrainingState> states =
      interruptible([&](const std::function<bool()>& stop) { return training.run(progress, stop); }, &progress);
  return {std::make_shared<Network>(std::move(training).network()), history_of(states)};
}

Index at_least_one(const char* name, Index value) {
  if (value < 1) throw InputError(text(name, ": found ", value, ", expected a number from 1 on"));
  return value;
}

std::vector<FilterOptions> filter_arguments(const std::vector<py::object>& filters) {
  std::vector<FilterOptions> result;
  for (const py::object& filter : filters)
    result.push_back(option_argument<FilterOptions>("filters", filter, "objects of GrokFast or OrthoGrad"));
  return result;
}

TrainingResult train(const Network& network, const ArrayLike& x, const ArrayLike& y, Index epochs,
                     const std::optional<ArrayLike>& x_test, const std::optional<ArrayLike>& y_test,
                     const std::optional<std::string>& loss, std::optional<Index> batch_size,
                     const py::object& optimizer, const py::object& penalty, const std::vector<py::object>& filters,
                     double gradient_clip, std::uint64_t seed, Index evaluate_every, const py::object& callback,
                     std::optional<int> threads, const py::object& progress) {
  if (x_test.has_value() != y_test.has_value())
    throw InputError(
        text(x_test ? "y_test" : "X_test", ": found none, expected one, as there is ", x_test ? "X_test" : "y_test"));
  if (!callback.is_none() && !PyCallable_Check(callback.ptr()))
    throw InputError(text("callback: found ", std::string(py::repr(callback)), ", expected a function of the state"));
  const py::array rows = array_of("X", x), answers = array_of("y", y);
  std::optional<TestArguments> test;
  if (x_test) test = {array_of("X_test", *x_test), array_of("y_test", *y_test)};
  TrainingOptions options{.loss = loss_of(loss, answers, network.options().widths.back()),
                          .epochs = at_least_one("epochs", epochs),
                          .batch_size = batch_size ? at_least_one("batch_size", *batch_size) : 0,
                          .evaluate_every = at_least_one("evaluate_every", evaluate_every),
                          .filters = filter_arguments(filters),
                          .gradient_clip = gradient_clip,
                          .seed = seed,
                          .threads = thread_count(threads),
                          .callback = callback};
  if (!optimizer.is_none())
    options.optimizer = option_argument<OptimizerOptions>("optimizer", optimizer, "an AdamW or an SGD");
  if (!penalty.is_none())
    options.penalty = option_argument<GrokAlignOptions>("penalty", penalty, "a GrokAlign or None");
  Progress shown(progress, "epoch", epochs);
  return network.as_stored(
      [&]<class T>(const Mlp<T>& start) { return trained<T>(start, rows, answers, test, options, shown); });
}

void bind_state(py::module_& module) {
  py::class_<TrainingState>(module, "TrainingState", printed(), "What a callback sees: the network after some epochs.")
      .def_readonly("epoch", &TrainingState::epoch, "How many epochs it has been trained for.")
      .def_readonly("seconds", &TrainingState::seconds, "Of the steps so far.")
      .def_property_readonly(
          "train_loss", [](const TrainingState& at) { return at.train.loss; }, "On all of X, without the penalty.")
      .def_property_readonly(
          "train_accuracy", [](const TrainingState& at) { return at.train.accuracy; },
          "Per cent of X that is right; of numbers 100 R^2.")
      .def_property_readonly(
          "test_loss", [](const TrainingState& at) { return at.test ? std::optional(at.test->loss) : std::nullopt; },
          "The same of X_test; None without it.")
      .def_property_readonly(
          "test_accuracy",
          [](const TrainingState& at) { return at.test ? std::optional(at.test->accuracy) : std::nullopt; },
          "The same of X_test; None without it.")
      .def_property_readonly(
          "terms",
          [](const TrainingState& at) { return std::map<std::string, double>(at.terms.begin(), at.terms.end()); },
          "The penalty's terms without its weight, means over the steps of the last epoch; nan before the first.")
      .def_readonly("network", &TrainingState::network, "The Network as it is now; training does not change it.")
      .def(printed_method, [](const TrainingState& at) {
        std::string test;
        if (at.test) test = text(", test_loss=", at.test->loss, ", test_accuracy=", at.test->accuracy);
        return text("TrainingState(epoch=", at.epoch, ", train_loss=", at.train.loss,
                    ", train_accuracy=", at.train.accuracy, test, ")");
      });
}

}  // namespace

void bind_training(py::module_& module) {
  bind_state(module);
  py::class_<TrainingResult>(module, "TrainingResult", printed(),
                             "What `train` found: the network, and how it came there.")
      .def_readonly("network", &TrainingResult::network, "The trained Network.")
      .def_readonly("history", &TrainingResult::history, R"(
A dict of arrays with a value for each evaluated epoch: 'epoch', 'train_loss', 'train_accuracy', with test rows
'test_loss' and 'test_accuracy', the penalty's terms ('jacobian_norm', 'offset_norm') and 'seconds', as TrainingState
has them.)")
      .def(py::pickle([](const TrainingResult& found) { return py::make_tuple(found.network, found.history); },
                      [](const py::tuple& state) {
                        return TrainingResult{state[0].cast<std::shared_ptr<Network>>(), state[1]};
                      }))
      .def(printed_method, [](const TrainingResult& found) {
        return text("TrainingResult(", std::string(py::repr(py::cast(found.network))), ", ",
                    found.history["epoch"].cast<py::array>().size(), " evaluated epochs)");
      });
  module.def("train", &train, "net"_a, "X"_a, "y"_a, py::kw_only(), "epochs"_a, "X_test"_a = py::none(),
             "y_test"_a = py::none(), "loss"_a = py::none(), "batch_size"_a = py::none(), "optimizer"_a = py::none(),
             "penalty"_a = py::none(), "filters"_a = py::tuple(), "gradient_clip"_a = 0.0, "seed"_a = 0,
             "evaluate_every"_a = 1, "callback"_a = py::none(), "threads"_a = py::none(), "progress"_a = py::none(), R"(
Trains a copy of a network, in its dtype, and returns a TrainingResult with the `network` and the `history`.

X (n, d): the samples. y: class numbers (n,), or numbers to predict (n, k), (n,) for one output. epochs: passes over X.
X_test, y_test: samples of the same kind that are evaluated and not trained on.
loss: 'cross_entropy' of class numbers, 'mse', the mean squared error to numbers or, of class numbers and several
outputs, to one-hot rows, or 'bce', the binary cross entropy of sigmoid(f). None: cross_entropy where y has one
dimension and the network several outputs, else mse.
batch_size: samples of a step, shuffled for each epoch; None: all of them. optimizer: an AdamW or SGD; None: AdamW().
penalty: a GrokAlign, or None. filters: of GrokFast and OrthoGrad, applied to gradients in this order. gradient_clip: a
longer gradient is scaled down to this; 0: never.
seed: of shuffles and of the penalty's draws. The bits are the same at any number of threads, and as in C++.
evaluate_every: so many epochs, and after the last; the untrained network is epoch 0.
callback: a function that is called with the TrainingState at each evaluated epoch; training ends where it returns
True, at whatever epoch `history` then ends with.
progress: True for a bar (tqdm), or a function of (epochs done, all).

Ctrl-C ends the training between steps; what a callback kept is there. Raises RunError, which names the epoch, where a loss is not finite.)");
}

}  // namespace normalign::python
