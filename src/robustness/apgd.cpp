#include "robustness/apgd.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"

namespace normalign {
namespace {

AttackBall ball_of(const ApgdOptions& options) {
  return {.norm = options.norm, .radius = options.radius, .clamp = options.clamp};
}

// The numbers of steps after which the length of a step is looked at again.
std::vector<int> checkpoints(int steps) {
  std::vector<int> result;
  for (double before = 0, at = 0.22; at <= 1;) {
    const int step = static_cast<int>(std::ceil(at * steps));
    if (step > (result.empty() ? 0 : result.back())) result.push_back(step);
    const double next = at + std::max(at - before - 0.03, 0.06);
    before = at;
    at = next;
  }
  return result;
}

// One row within one start.
struct Climb {
  double length = 0;  // of a step
  double loss = 0, best = -infinity, best_at_checkpoint = -infinity;
  int raised = 0;          // steps since the last checkpoint that raised the loss
  bool is_halved = false;  // there

  // Whether the step is halved at a checkpoint so many steps after the last one.
  bool pass_checkpoint(int steps) {
    const bool is_stuck = raised < 0.75 * steps || (!is_halved && best == best_at_checkpoint);
    if (is_stuck) length /= 2;
    is_halved = is_stuck;
    best_at_checkpoint = best;
    raised = 0;
    return is_stuck;
  }
};

template <class T>
class ApgdAttack {
 public:
  ApgdAttack(ConstView<T> inputs, const ApgdOptions& options, const LossAndGradient<T>& model,
             std::span<const Index> samples)
      : inputs_(inputs),
        options_(options),
        model_(model),
        samples_(samples),
        stop_("apgd", options.stop),
        ball_(ball_of(options)),
        points_(inputs),
        before_(inputs),
        best_points_(inputs),
        gradients_(inputs.rows(), inputs.cols()),
        best_gradients_(inputs.rows(), inputs.cols()),
        perturbation_(static_cast<std::size_t>(inputs.cols() + 2)),
        climbs_(static_cast<std::size_t>(inputs.rows())) {
    const auto n = static_cast<std::size_t>(inputs.rows());
    result_ = {.points = Matrix<T>(inputs),
               .losses = std::vector<double>(n, -infinity),
               .is_fooled = std::vector<std::uint8_t>(n)};
    for (Index i = 0; i < inputs.rows(); ++i) active_.push_back(i);
  }

  AttackResult<T> operator()() && {
    // All starts at radius 0 are the input.
    const int starts = options_.radius == 0 ? 1 : options_.restarts;
    for (int start = 0; start < starts && !active_.empty(); ++start) climb_from(start);
    return std::move(result_);
  }

 private:
  Climb& climb(Index i) { return climbs_[static_cast<std::size_t>(i)]; }
  MovingPoint<T> moving(Index i) { return {ball_, inputs_.row(i), points_.row(i), perturbation_}; }

  void climb_from(int start) {
    const RandomRows random(options_.seed, Stream::attack, options_.draw + static_cast<std::uint32_t>(start));
    for (const Index i : active_) {
      climb(i) = {.length = 2 * options_.radius};
      std::ranges::copy(inputs_.row(i), points_.row(i).begin());
      if (options_.radius > 0 && (options_.random_start || start > 0))
        moving(i).start(random, static_cast<std::uint32_t>(sample_number(samples_, i)));
      std::ranges::copy(points_.row(i), before_.row(i).begin());
    }
    ask(0);
    const int steps = options_.radius == 0 ? 0 : options_.steps;
    const std::vector<int> looks = checkpoints(steps);
    auto look = looks.begin();
    for (int step = 1, last = 0; step <= steps && !active_.empty(); ++step) {
      for (const Index i : active_)
        moving(i).step(gradients_.row(i), climb(i).length, step == 1 ? 1 : 0.75, before_.row(i));
      ask(step);
      if (look == looks.end() || step != *look) continue;
      for (const Index i : active_)
        if (climb(i).pass_checkpoint(step - last)) go_back(i);
      last = *look++;
    }
  }

  void go_back(Index i) {
    climb(i).loss = climb(i).best;
    std::ranges::copy(best_points_.row(i), points_.row(i).begin());
    std::ranges::copy(best_gradients_.row(i), gradients_.row(i).begin());
  }

  // Asks the model about the points of the active rows, and lets go of those that are fooled.
  void ask(int step) {
    stop_.check();
    const auto m = static_cast<Index>(active_.size());
    asked_.resize(m, inputs_.cols());
    answered_.resize(m, inputs_.cols());
    for (Index j = 0; j < m; ++j)
      std::ranges::copy(points_.row(active_[static_cast<std::size_t>(j)]), asked_.row(j).begin());
    losses_.assign(active_.size(), 0);
    is_fooled_.assign(active_.size(), 0);
    model_(active_, asked_, {.losses = losses_, .gradients = answered_, .is_fooled = is_fooled_});
    std::size_t kept = 0;
    for (std::size_t j = 0; j < active_.size(); ++j) {
      const Index i = active_[j];
      if (is_fooled_[j]) {
        keep(i, losses_[j]);
        result_.is_fooled[static_cast<std::size_t>(i)] = 1;
        continue;
      }
      take(i, losses_[j], answered_.row(static_cast<Index>(j)), step);
      active_[kept++] = i;
    }
    active_.resize(kept);
  }

  void take(Index i, double loss, std::span<const T> gradient, int step) {
    const auto refuse = [&](const char* what, auto value) {
      throw RunError(
          text("apgd: the ", what, " at sample ", sample_number(samples_, i), " is ", value, " in step ", step));
    };
    if (!std::isfinite(loss)) refuse("loss", loss);
    for (const T value : gradient)
      if (!std::isfinite(value)) refuse("gradient", value);
    std::ranges::copy(gradient, gradients_.row(i).begin());
    Climb& c = climb(i);
    c.raised += step > 0 && loss > c.loss;
    c.loss = loss;
    if (loss > c.best) {
      c.best = loss;
      std::ranges::copy(points_.row(i), best_points_.row(i).begin());
      std::ranges::copy(gradient, best_gradients_.row(i).begin());
    }
    if (loss > result_.losses[static_cast<std::size_t>(i)]) keep(i, loss);
    if (step == 0) c.best_at_checkpoint = loss;
  }

  void keep(Index i, double loss) {
    result_.losses[static_cast<std::size_t>(i)] = loss;
    std::ranges::copy(points_.row(i), result_.points.row(i).begin());
  }

  const ConstView<T> inputs_;
  const ApgdOptions& options_;
  const LossAndGradient<T>& model_;
  const std::span<const Index> samples_;
  const StopPoll stop_;
  const AttackBall ball_;
  std::vector<Index> active_;                                             // the rows that are not fooled
  Matrix<T> points_, before_, best_points_, gradients_, best_gradients_;  // n x d, of the current start
  std::vector<double> perturbation_;
  std::vector<Climb> climbs_;
  Matrix<T> asked_, answered_;  // of the active rows
  std::vector<double> losses_;
  std::vector<std::uint8_t> is_fooled_;
  AttackResult<T> result_;
};

}  // namespace

void check(const ApgdOptions& options) {
  check("apgd", ball_of(options));
  if (options.steps < 0) throw InputError(text("apgd: steps is ", options.steps, "; it must not be negative"));
  if (options.restarts < 1) throw InputError(text("apgd: restarts is ", options.restarts, "; it must be at least 1"));
}

template <class T>
AttackResult<T> apgd(ConstView<T> inputs, const ApgdOptions& options,
                     const std::type_identity_t<LossAndGradient<T>>& model, std::span<const Index> samples) {
  check(options);
  check_inputs("apgd", inputs, samples, ball_of(options));
  return ApgdAttack<T>(inputs, options, model, samples)();
}

#define NORMALIGN_INSTANTIATE(T) \
  template AttackResult<T> apgd(ConstView<T>, const ApgdOptions&, const LossAndGradient<T>&, std::span<const Index>);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
