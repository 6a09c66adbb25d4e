#include "experiments/training/grokking.hpp"

#include "experiments/training/epoch_loop.hpp"
#include "experiments/training/measurements.hpp"
#include "experiments/training/run_identity.hpp"
#include "nn/batches.hpp"

namespace normalign {
namespace {

// Means of the penalties' terms over the steps of one epoch, as the steps met them.
class TermMeans {
 public:
  explicit TermMeans(const std::vector<std::string>& names) : names_(names), sums_(names.size()) {}
  void add(std::span<const double> terms) {
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += terms[i];
    ++steps_;
  }
  void clear() { *this = TermMeans(names_); }
  void append_to(MetricRow& row) const {
    if (steps_ == 0) return;
    for (std::size_t i = 0; i < sums_.size(); ++i) row.extras.emplace_back("step_" + names_[i], sums_[i] / steps_);
  }

 private:
  std::vector<std::string> names_;
  std::vector<double> sums_;
  int steps_ = 0;
};

// What one unit of each target is, as the network sees it, in the units of the table; none where they are the same.
std::vector<double> target_units(const RunLog& log) {
  return log.dataset.is_object() ? log.dataset.value("target_deviations", std::vector<double>())
                                 : std::vector<double>();
}

}  // namespace

bool is_logged(Index epoch, Index last_epoch, Index every) {
  const Index of_grid = epoch < 100 ? 1 : epoch < 1000 ? 10 : epoch < 10000 ? 100 : 1000;
  return epoch % (every > 0 ? every : of_grid) == 0 || epoch == last_epoch;
}

template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer) {
  check(config);
  const auto seed = static_cast<std::uint64_t>(config.seed);
  TrainingParts<T> parts = training_parts<T>(config, data.train.inputs.cols(), data.train.outputs());
  const Split<T> in_coordinates = config.coordinates == "span" ? enter_span(parts, config, data) : Split<T>();
  const Split<T>& split = parts.coordinates ? in_coordinates : data;
  TrainStep<T> step(parts.network, *parts.optimizer, parts.step_options(config, threads));
  Evaluator<T> evaluate(parts.network, parts.loss, threads);
  Batches<T> train(split.train, targets_of(config, split.train), config.batch_size, seed);
  const Batches<T> test(split.test, targets_of(config, split.test), 0, seed);
  Measurements<T> measure(config, parts.network, parts.loss, train.all(), test.all(), data.train.inputs.cols(),
                          threads);
  TermMeans terms(step.term_names());
  RunLog begun = new_log(config, threads);
  const std::vector<double> units = target_units(begun);

  const EpochProtocol protocol{
      .epochs = config.epochs,
      .is_logged = [&](Index epoch) { return is_logged(epoch, config.epochs, config.eval_every); },
      .measure =
          [&](MetricRow& row, const StopPoll& stop) {
            measure_accuracies(row, evaluate, train.all(), test.all(), units);
            terms.append_to(row);
            measure.append_to(row, stop);
          },
      // Noise that decides it is measured, and said in the row, only where the rest is met.
      .meets_criterion =
          [&](MetricRow& row) {
            if (!(row.train_acc > config.train_criterion && row.test_acc > config.test_criterion)) return false;
            if (config.noise_criterion == 0) return true;
            const std::string name = noise_metric(config.noise_criterion_level);
            if (!metric(row, name))
              row.extras.emplace_back(name, measure.noise_accuracy(row.epoch, config.noise_criterion_level));
            return *metric(row, name) > config.noise_criterion;
          },
      .ends_when_grokked = config.stop == "grokked",
      .pass =
          [&](Index epoch, std::uint32_t& number, const StopPoll& stop) {
            if (parts.input_noise) train.draw_noise(epoch, parts.input_noise(evaluate(train.all()).accuracy));
            terms.clear();
            train.pass(epoch, [&](const Batch<T>& batch) {
              stop.check();
              const StepResult found = step(batch, number++);
              require_finite_step(epoch, found.total);
              terms.add(found.terms);
            });
          }};
  return epoch_loop(std::move(begun), parts, protocol, observer);
}

template RunLog grokking_run(const RunConfig&, const Split<float>&, int, const RunObserver&);
template RunLog grokking_run(const RunConfig&, const Split<double>&, int, const RunObserver&);

}  // namespace normalign
