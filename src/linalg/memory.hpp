// How much memory there is.
#pragma once

#include <filesystem>

namespace normalign {

/// Bytes that this process can still take without swapping: the least of what the kernel says is available
/// (MemAvailable of /proc/meminfo) and of what the process's control groups, version 1 or 2, leave it, where these can
/// be read; what they hold of files that can be dropped counts as free. Infinite where nothing can be read. All paths
/// are taken below `root`.
double available_memory(const std::filesystem::path& root = "/");

/// Bytes of address space that `ulimit -v` lets this process take in all; infinite where it sets no limit.
double address_space_limit();

/// Bytes of address space that the limit leaves this process now; infinite where there is none.
double address_space_left();

}  // namespace normalign
