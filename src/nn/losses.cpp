#include "nn/losses.hpp"

#include <utility>

#include "autodiff/ops.hpp"

namespace normalign {
namespace {

template <class T>
void check_targets(const char* caller, const Var<T>& f, const Var<T>& targets) {
  if (f.shape() != targets.shape())
    throw InputError(text(caller, ": f is ", f.shape(), " but targets are ", targets.shape(), "; they must be equal"));
}

double count(Index samples, Index rows, Index outputs) {
  const Index total = (samples ? samples : rows) * outputs;
  if (total < 1) throw InputError("loss: there are no samples; there must be at least one");
  return static_cast<double>(total);
}

}  // namespace

std::string_view name(Loss loss) {
  switch (loss) {
    case Loss::cross_entropy:
      return "cross_entropy";
    case Loss::mse:
      return "mse";
    case Loss::bce:
      return "bce";
  }
  throw std::logic_error("name: not a loss");
}

template <class T>
Var<T> cross_entropy(Var<T> logits, Var<T> labels, Index samples, CrossEntropyGradient gradient) {
  const double n = count(samples, logits.rows(), 1);
  return sum(cross_entropy_rows(std::move(logits), std::move(labels), gradient)) / n;
}

template <class T>
Var<T> mse(Var<T> f, Var<T> targets, Index samples) {
  check_targets("mse", f, targets);
  const double n = count(samples, f.rows(), f.cols());
  return sum(square(std::move(f) - std::move(targets))) / n;
}

template <class T>
Var<T> bce(Var<T> f, Var<T> targets, Index samples) {
  check_targets("bce", f, targets);
  const double n = count(samples, f.rows(), f.cols());
  return sum(softplus(f) - std::move(targets) * f) / n;
}

template <class T>
Var<T> task_loss(Loss loss, Var<T> f, Var<T> target, Index samples, CrossEntropyGradient gradient) {
  switch (loss) {
    case Loss::cross_entropy:
      return cross_entropy(std::move(f), std::move(target), samples, gradient);
    case Loss::mse:
      return mse(std::move(f), std::move(target), samples);
    case Loss::bce:
      return bce(std::move(f), std::move(target), samples);
  }
  throw std::logic_error("task_loss: not a loss");
}

#define NORMALIGN_INSTANTIATE(T)                                              \
  template Var<T> cross_entropy(Var<T>, Var<T>, Index, CrossEntropyGradient); \
  template Var<T> mse(Var<T>, Var<T>, Index);                                 \
  template Var<T> bce(Var<T>, Var<T>, Index);                                 \
  template Var<T> task_loss(Loss, Var<T>, Var<T>, Index, CrossEntropyGradient);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
