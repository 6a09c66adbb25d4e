// The protocol of the grokking experiments: train, evaluate on a fixed grid of epochs, stop when the task is grokked.
#pragma once

#include "data/dataset.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/run_observer.hpp"

namespace normalign {

/// Says whether an epoch is evaluated and logged: every `every`-th, and the last. With `every` 0 it is the protocol's
/// grid: below 100 all, below 1000 every 10th, below 10000 every 100th, then every 1000th, and the last.
bool is_logged(Index epoch, Index last_epoch, Index every = 0);

/// Trains the network of `config` on `data` under its condition, on `threads` threads, and returns the log.
///
/// Epoch e is evaluated before its pass over the training set, e = 0 ... config.epochs; every pass shuffles (a full
/// batch is the same in any order and is not) and keeps the last short batch. `opt_time` counts the passes alone. The
/// first logged epoch that meets the criterion is the grokking epoch. The run stops there, or with config.stop "never"
/// goes on to its last epoch. Log and numbers do not depend on `threads`, timings
/// and environment aside. A loss that is not finite ends the run: the log says so, with the epoch, and is `failed`.
/// Throws InputError on settings out of range, when `initial_model` cannot be read or does not fit, or when the model
/// cannot be written, RunError when the log cannot.
template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer);

}  // namespace normalign
