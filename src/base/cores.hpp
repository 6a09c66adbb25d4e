// How many cores there are to compute on.
#pragma once

#include <filesystem>

namespace normalign {

/// Returns how many of the machine's processors the scheduler lets this process run on (its affinity, as taskset and
/// batch systems set it); at least 1.
int cores_by_affinity();

/// Returns how many processors' time the control groups, version 1 or 2, grant this process: the least quota over its
/// period, such as 1.5. Infinite where none is set. All paths are taken below `root`.
double cores_by_quota(const std::filesystem::path& root = "/");

/// Returns how many threads can compute at the same time: the affinity or, where that is less, the quota rounded down,
/// since a thread too many makes all of them wait. At least 1. What --threads and --jobs are by default.
int usable_cores(const std::filesystem::path& root = "/");

}  // namespace normalign
