#include "robustness/class_attack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "base/nearest_name.hpp"
#include "robustness/apgd.hpp"
#include "robustness/pgd.hpp"

namespace normalign {
namespace {

constexpr std::array all_kinds = {AttackKind::pgd, AttackKind::apgd_ce, AttackKind::apgd_targeted, AttackKind::apgd};

constexpr std::int32_t every_class = -1;  // no target: the loss is the log odds against the label

// f becomes the derivative of the loss in the outputs; returns the loss.
template <class T>
double take_derivative(std::span<T> f, std::int32_t label, std::int32_t target) {
  if (f.size() == 1) {
    const T way = label == 1 ? T(-1) : T(1);
    return static_cast<double>(way * std::exchange(f[0], way));
  }
  const auto y = static_cast<std::size_t>(label);
  const double own = static_cast<double>(f[y]);
  if (target != every_class) {
    const double other = static_cast<double>(f[static_cast<std::size_t>(target)]);
    std::ranges::fill(f, T(0));
    f[static_cast<std::size_t>(target)] = T(1);
    f[y] = T(-1);
    return other - own;
  }
  std::size_t best = y == 0 ? 1 : 0;  // of the other classes
  for (std::size_t j = best + 1; j < f.size(); ++j)
    if (j != y && f[j] > f[best]) best = j;
  const double largest = static_cast<double>(f[best]);
  const auto ratio = [&](std::size_t j) { return std::exp(static_cast<double>(f[j]) - largest); };
  double rest = 0;  // sum of ratios but that of the best, which is 1
  for (std::size_t j = 0; j < f.size(); ++j)
    if (j != y && j != best) rest += ratio(j);
  for (std::size_t j = 0; j < f.size(); ++j) f[j] = j == y ? T(-1) : static_cast<T>(ratio(j) / (1 + rest));
  return largest - own + std::log1p(rest);
}

template <class T>
class ClassAttack {
 public:
  ClassAttack(ConstView<T> inputs, std::span<const std::int32_t> labels, const ClassAttackOptions& options,
              const PullBack<T>& classifier, std::span<const Index> samples)
      : inputs_(inputs),
        labels_(labels),
        options_(options),
        classifier_(classifier),
        samples_(samples),
        stop_("attack", options.stop) {
    const auto n = static_cast<std::size_t>(inputs.rows());
    found_ = {.points = Matrix<T>(inputs), .is_fooled = std::vector<std::uint8_t>(n)};
    order_.resize(n);
    look_at_inputs();
  }

  // What is found within the radius and the smaller ones of earlier calls.
  const ClassAttackResult<T>& within(double radius) {
    const bool has_targets = options_.kind == AttackKind::apgd_targeted || options_.kind == AttackKind::apgd;
    bool is_first = true;
    const auto attack = [&](Index target) {
      climb(radius, target, is_first);
      is_first = false;
    };
    if (options_.kind != AttackKind::apgd_targeted) attack(every_class);
    // Two classes have one other, and then the log odds are the difference to it.
    if (has_targets && (is_first || targets_ > 1))
      for (Index target = 0; target < targets_; ++target) attack(target);
    return found_;
  }

 private:
  // The rows that are right without an attack, and the order of their other classes, the likeliest first.
  void look_at_inputs() {
    Matrix<T> ignored(inputs_.rows(), inputs_.cols());
    if (inputs_.rows() == 0) return;
    classifier_(
        inputs_,
        [&](Index first, MatrixView<T> outputs) {
          stop_.check();
          const Index classes = std::max<Index>(outputs.cols(), 2);
          for (Index r = 0; r < outputs.rows(); ++r) {
            const Index i = first + r;
            const std::int32_t label = labels_[static_cast<std::size_t>(i)];
            if (label < 0 || label >= classes)
              throw InputError(text("attack: label ", i, " is ", label, "; it must be from 0 to ", classes - 1));
            check_outputs(outputs.row(r), i);
            found_.is_fooled[static_cast<std::size_t>(i)] = !is_right<T>(outputs.row(r), label);
            order_[static_cast<std::size_t>(i)] = other_classes(outputs.row(r), label);
            std::ranges::fill(outputs.row(r), T(0));
          }
        },
        ignored);
    targets_ = std::min(options_.targets, static_cast<Index>(order_.front().size()));
  }

  static std::vector<std::int32_t> other_classes(std::span<const T> f, std::int32_t label) {
    if (f.size() == 1) return {1 - label};
    std::vector<std::int32_t> order(f.size());
    std::iota(order.begin(), order.end(), 0);
    order.erase(order.begin() + label);
    std::ranges::stable_sort(order, std::greater(), [&](std::int32_t j) { return f[static_cast<std::size_t>(j)]; });
    return order;
  }

  void check_outputs(std::span<const T> f, Index i) const {
    for (const T value : f)
      if (!std::isfinite(value))
        throw RunError(text("attack: an output at sample ", sample_number(samples_, i), " is ", value));
  }

  // Attacks the rows that are left by one loss: that of their target of that number, or of every class.
  void climb(double radius, Index target, bool is_first) {
    std::vector<Index> left;
    for (Index i = 0; i < inputs_.rows(); ++i)
      if (!found_.is_fooled[static_cast<std::size_t>(i)]) left.push_back(i);
    if (left.empty()) return;
    Matrix<T> inputs(static_cast<Index>(left.size()), inputs_.cols());
    std::vector<Index> samples;
    for (std::size_t j = 0; j < left.size(); ++j) {
      std::ranges::copy(inputs_.row(left[j]), inputs.row(static_cast<Index>(j)).begin());
      samples.push_back(sample_number(samples_, left[j]));
    }
    const auto model = [&](std::span<const Index> rows, ConstView<T> points, const PointLosses<T>& out) {
      classifier_(
          points,
          [&](Index first, MatrixView<T> outputs) {
            stop_.check();
            for (Index r = 0; r < outputs.rows(); ++r) {
              const auto at = static_cast<std::size_t>(first + r);
              const Index i = left[static_cast<std::size_t>(rows[at])];
              const std::int32_t label = labels_[static_cast<std::size_t>(i)];
              check_outputs(outputs.row(r), i);
              out.is_fooled[at] = !is_right<T>(outputs.row(r), label);
              out.losses[at] = take_derivative(outputs.row(r), label, target_of(i, target));
            }
          },
          out.gradients);
    };
    const auto draw = options_.draw + static_cast<std::uint32_t>((target + 1) * options_.restarts);
    const AttackResult<T> result = options_.kind == AttackKind::pgd ? by_pgd(inputs, radius, draw, model, samples)
                                                                    : by_apgd(inputs, radius, draw, model, samples);
    for (std::size_t j = 0; j < left.size(); ++j) {
      if (!is_first && !result.is_fooled[j]) continue;
      found_.is_fooled[static_cast<std::size_t>(left[j])] = result.is_fooled[j];
      std::ranges::copy(result.points.row(static_cast<Index>(j)), found_.points.row(left[j]).begin());
    }
  }

  std::int32_t target_of(Index i, Index target) const {
    return target == every_class ? every_class : order_[static_cast<std::size_t>(i)][static_cast<std::size_t>(target)];
  }

  AttackResult<T> by_apgd(ConstView<T> inputs, double radius, std::uint32_t draw, const LossAndGradient<T>& model,
                          std::span<const Index> samples) const {
    return apgd<T>(inputs,
                   {.norm = options_.norm,
                    .radius = radius,
                    .steps = options_.steps,
                    .restarts = options_.restarts,
                    .seed = options_.seed,
                    .draw = draw,
                    .clamp = options_.clamp},
                   model, samples);
  }

  // The last iterate of each restart in turn, for all rows: the first that is fooled counts, else the last.
  AttackResult<T> by_pgd(ConstView<T> inputs, double radius, std::uint32_t draw, const LossAndGradient<T>& model,
                         std::span<const Index> samples) const {
    const auto n = static_cast<std::size_t>(inputs.rows());
    std::vector<Index> rows(n);
    std::iota(rows.begin(), rows.end(), Index{0});
    std::vector<double> losses(n);
    std::vector<std::uint8_t> is_fooled(n);
    Matrix<T> gradients(inputs.rows(), inputs.cols());
    AttackResult<T> result{.points = Matrix<T>(inputs), .losses = losses, .is_fooled = is_fooled};
    for (int restart = 0; restart < options_.restarts; ++restart) {
      const Matrix<T> last = pgd<T>(
          inputs,
          {.norm = options_.norm,
           .radius = radius,
           .step = radius / 10,
           .steps = options_.steps,
           .seed = options_.seed,
           .draw = draw + static_cast<std::uint32_t>(restart),
           .clamp = options_.clamp},
          [&](ConstView<T> points, MatrixView<T> out) {
            model(rows, points, {.losses = losses, .gradients = out, .is_fooled = is_fooled});
          },
          samples);
      model(rows, last, {.losses = losses, .gradients = gradients, .is_fooled = is_fooled});
      for (std::size_t j = 0; j < n; ++j) {
        if (result.is_fooled[j]) continue;
        result.is_fooled[j] = is_fooled[j];
        result.losses[j] = losses[j];
        std::ranges::copy(last.row(static_cast<Index>(j)), result.points.row(static_cast<Index>(j)).begin());
      }
    }
    return result;
  }

  const ConstView<T> inputs_;
  const std::span<const std::int32_t> labels_;
  const ClassAttackOptions& options_;
  const PullBack<T>& classifier_;
  const std::span<const Index> samples_;
  const StopPoll stop_;
  std::vector<std::vector<std::int32_t>> order_;  // of each row, its other classes
  Index targets_ = 0;
  ClassAttackResult<T> found_;
};

}  // namespace

template <class T>
std::int32_t predicted_class(std::span<const T> f) {
  if (f.size() == 1) return f[0] > 0;
  return static_cast<std::int32_t>(std::ranges::max_element(f) - f.begin());
}

template <class T>
bool is_right(std::span<const T> f, std::int32_t label) {
  if (f.size() == 1) return label == 1 ? f[0] > 0 : f[0] < 0;
  const auto at = static_cast<std::size_t>(label);
  for (std::size_t j = 0; j < f.size(); ++j)
    if (!(j < at ? f[j] < f[at] : f[j] <= f[at])) return false;
  return true;
}

std::string_view name(AttackKind kind) {
  switch (kind) {
    case AttackKind::pgd:
      return "pgd";
    case AttackKind::apgd_ce:
      return "apgd_ce";
    case AttackKind::apgd_targeted:
      return "apgd_targeted";
    case AttackKind::apgd:
      return "apgd";
  }
  throw std::logic_error("name: not an attack");
}

AttackKind attack_kind(const char* field, std::string_view wanted) {
  std::vector<std::string> names;
  for (const AttackKind kind : all_kinds) {
    if (wanted == name(kind)) return kind;
    names.emplace_back(name(kind));
  }
  refuse_name(field, std::string(wanted), names);
}

void check(const ClassAttackOptions& options) {
  check("attack", AttackBall{.norm = options.norm, .radius = 0, .clamp = options.clamp});
  if (options.steps < 0) throw InputError(text("attack: steps is ", options.steps, "; it must not be negative"));
  if (options.restarts < 1) throw InputError(text("attack: restarts is ", options.restarts, "; it must be at least 1"));
  if (options.targets < 1) throw InputError(text("attack: targets is ", options.targets, "; it must be at least 1"));
}

template <class T>
double ClassAttackResult<T>::accuracy() const {
  const auto robust = std::ranges::count(is_fooled, std::uint8_t{0});
  return is_fooled.empty() ? 0 : 100 * static_cast<double>(robust) / static_cast<double>(is_fooled.size());
}

template <class T>
std::vector<ClassAttackResult<T>> class_attacks(ConstView<T> inputs, std::span<const std::int32_t> labels,
                                                std::span<const double> radii, const ClassAttackOptions& options,
                                                const std::type_identity_t<PullBack<T>>& classifier,
                                                std::span<const Index> samples) {
  check(options);
  if (static_cast<Index>(labels.size()) != inputs.rows())
    throw InputError(text("attack: inputs are ", inputs.shape(), " and there are ", labels.size(),
                          " labels; there must be one per row"));
  for (const double radius : radii)
    check("attack", AttackBall{.norm = options.norm, .radius = radius, .clamp = options.clamp});
  check_inputs("attack", inputs, samples, AttackBall{.norm = options.norm, .radius = 0, .clamp = options.clamp});
  std::vector<std::size_t> order(radii.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t r) { return radii[r]; });
  ClassAttack<T> attack(inputs, labels, options, classifier, samples);
  std::vector<ClassAttackResult<T>> results(radii.size());
  for (const std::size_t r : order) results[r] = attack.within(radii[r]);
  return results;
}

#define NORMALIGN_INSTANTIATE(T)                                                                               \
  template std::int32_t predicted_class(std::span<const T>);                                                   \
  template bool is_right(std::span<const T>, std::int32_t);                                                    \
  template struct ClassAttackResult<T>;                                                                        \
  template std::vector<ClassAttackResult<T>> class_attacks(ConstView<T>, std::span<const std::int32_t>,        \
                                                           std::span<const double>, const ClassAttackOptions&, \
                                                           const PullBack<T>&, std::span<const Index>);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
