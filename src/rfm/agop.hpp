// The average gradient outer product of a predictor, from which a Recursive Feature Machine learns its metric.
#pragma once

#include "rfm/kernel_machine.hpp"

namespace normalign {

/// sum_p w_p J_pᵀ J_p / sum_p w_p over the rows of x (m x d) with weights w (m of them, not negative, not all zero): d
/// x d. J_p is the machine's c x d Jacobian at row p (Radhakrishnan, Beaglehole, Pandit, Belkin, "Mechanism for feature
/// learning in neural networks and backpropagation-free machine learning models", Science 383, 2024). Rows of weight 0
/// cost nothing.
///
/// By blocks of rows, with memory for 256 c d values and a few d x d for each thread, never for m c d; where the n
/// centres are fewer than c times the metric's rank, by pairs of centres, which takes fewer operations and m n values
/// at a time. With the same bits at any number of threads. Throws InputError on a misfit or fewer than one
/// thread, and what `stop` throws.
template <class T>
Matrix<T> agop(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads = 1,
               const StopPoll& stop = {});

/// The same of the centred Jacobians J_p - J: d x d, where J = sum_p w_p J_p / sum_p w_p. This is `agop` less JᵀJ, and
/// 0 where the difference has a trace of less than the root of the machine epsilon times that of `agop`, as for a
/// single row. Costs 2 m n (c + r) flops besides, r the metric's rank. From Mallinar, Beaglehole, Zhu, Radhakrishnan,
/// Pandit, Belkin, "Emergence in non-neural models: grokking modular arithmetic via average gradient outer product",
/// 2024. Throws as `agop` does.
template <class T>
Matrix<T> centred_agop(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads = 1,
                       const StopPoll& stop = {});

}  // namespace normalign
