// Feature learning against the lazy regime: how far a network's centroid and tangent kernel move when its output is
// scaled up, or its start.
#pragma once

#include "experiments/training/grokking.hpp"

namespace normalign {

/// Epochs 0 = e_1 < e_2 < ... < e_count = last whose logarithms are as evenly spaced as distinct whole numbers allow;
/// every epoch where there are no more than `count`. Throws InputError when last < 0 or count < 2.
std::vector<Index> log_spaced_epochs(Index last, Index count);

/// Trains the network of `config` on two classes with one output and the binary cross entropy of s f, s =
/// config.output_scale, by full-batch SGD, and returns the log: 64 log-spaced epochs, or with config.eval_every those
/// of `is_logged`. None of them ends the run. Steps are learning_rate / s^2, so that s f moves equally fast whatever s
/// (Chizat, Oyallon, Bach, "On lazy training in differentiable programming", 2019). It reads the settings that the task
/// lazy_regime lists.
///
/// Beside accuracies and the losses of s f each row has, at the first training sample x:
/// centroid_norm |mu|, centroid_inner_product <mu, x> and centroid_cosine, where mu = J^T 1 is the centroid of f (a
/// zero centroid has cosine 0); ntk_self K(x, x) and ntk_mean, the mean of K(x, x_i) over the training samples, where K
/// is the empirical tangent kernel of s f; step_change = step * mean_i K(x, x_i) (label_i - sigmoid(s f(x_i))), by how
/// much the next step changes s f(x) to first order; and weight_change |W - W_0| / |W_0| over all parameters.
///
/// Numbers do not depend on `threads`. A loss that is not finite ends the run: the log says so and is `failed`. Throws
/// InputError on settings out of range, a condition other than baseline, an output scale of zero, or data of other than
/// two classes; RunError when the log cannot be written.
template <class T>
RunLog lazy_regime_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer);

}  // namespace normalign
