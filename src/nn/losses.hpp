// Task losses on the tape. Each is a mean over `samples` rows: the rows at hand by default, or the whole batch when
// the rows are one block of it, so that the blocks' losses add up to the batch's.
#pragma once

#include <string_view>

#include "autodiff/ops_reduce.hpp"

namespace normalign {

/// Which loss a network is trained with.
enum class Loss { cross_entropy, mse, bce };

/// The loss's name, as in a config.
std::string_view name(Loss loss);

/// Mean over samples of the softmax cross entropy in nats: logits n x k, labels n x 1 (see Tape::labels). `gradient`
/// says whether its derivative may vanish at samples that are fitted very well. Throws InputError on a misfit or a
/// label that is none.
template <class T>
Var<T> cross_entropy(Var<T> logits, Var<T> labels, Index samples = 0,
                     CrossEntropyGradient gradient = CrossEntropyGradient::subtracted);

/// Mean over samples and outputs of (f - target)^2, without a factor 1/2; both n x k.
template <class T>
Var<T> mse(Var<T> f, Var<T> targets, Index samples = 0);

/// Mean over samples and outputs of the binary cross entropy of sigmoid(f) against targets in [0, 1], in nats:
/// softplus(f) - target f, which does not overflow. Both n x k.
template <class T>
Var<T> bce(Var<T> f, Var<T> targets, Index samples = 0);

/// The loss of that kind; `target` holds labels (n x 1) for cross_entropy, values (n x k) else. `gradient` concerns
/// cross_entropy alone.
template <class T>
Var<T> task_loss(Loss loss, Var<T> f, Var<T> target, Index samples = 0,
                 CrossEntropyGradient gradient = CrossEntropyGradient::subtracted);

}  // namespace normalign
