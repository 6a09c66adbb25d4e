// Where a run took place, as its log tells it.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace normalign {

/// Where a run took place: version, compiler, blas, threads (the argument: those the run uses), host_cpu,
/// hardware_threads. A CPU whose name the system does not tell is "unknown".
nlohmann::ordered_json environment(int threads);

}  // namespace normalign
