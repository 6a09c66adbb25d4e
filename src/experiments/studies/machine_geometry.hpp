// The local geometry of kernel machines.
#pragma once

#include "data/dataset.hpp"
#include "geometry/local_geometry.hpp"
#include "rfm/kernel_machine.hpp"

namespace normalign {

/// The means of `local_geometry` of a machine over samples (n x d), each over those where it is defined. The same
/// numbers at any number of threads. Throws InputError on a misfit, labels that are no output numbers, no samples or
/// fewer than one thread, and what `stop` throws.
LocalGeometry mean_local_geometry(const KernelMachine<double>& machine, const Dataset<double>& samples, int threads = 1,
                                  const StopPoll& stop = {});

}  // namespace normalign
