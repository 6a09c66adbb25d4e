// How much memory there is.
#pragma once

#include <filesystem>
#include <string_view>

namespace normalign {

/// Bytes that this process can still take without swapping: the least of what the kernel says is available
/// (MemAvailable of /proc/meminfo), of what the process's control groups, version 1 or 2, leave it, and of what its own
/// limits on addresses and on data leave it (`ulimit -v`, `ulimit -d`), where these can be read; what the groups hold
/// of files that can be dropped counts as free. Infinite where nothing can be read. All paths are taken below `root`.
double available_memory(const std::filesystem::path& root = "/");

/// Bytes of address space that `ulimit -v` lets this process take in all; infinite where it sets no limit.
double address_space_limit();

/// Bytes of address space that the limit leaves this process now; infinite where there is none.
double address_space_left();

/// To be called before something whose size the user chose is made: throws InputError unless so many bytes are
/// available. Its message opens with `what`, the field and what was asked for, and goes on with what that takes and
/// what there is, both in GiB. Less than 16 MiB is not looked at.
void require_memory(double bytes, std::string_view what);

}  // namespace normalign
