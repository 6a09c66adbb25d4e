#include "base/memory.hpp"
#include "base/infinity.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/system_files.hpp"

namespace normalign::tests {
namespace {}  // namespace

TEST_CASE("available memory is what the kernel says where no group limits it") {
  const TemporaryFolder root;
  CHECK(available_memory(root.path()) == infinity);
  put(root, "proc/meminfo", "MemTotal:       1000 kB\nMemFree:        10 kB\nMemAvailable:   500 kB\nBuffers: 3 kB\n");
  CHECK(available_memory(root.path()) == 500 * 1024);
  put(root, "proc/self/cgroup", "0::/a/b\n");
  CHECK(available_memory(root.path()) == 500 * 1024);
  put(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
  put(root, "sys/fs/cgroup/a/b/memory.current", "1000\n");
  CHECK(available_memory(root.path()) == 500 * 1024);
}

TEST_CASE("every group from the process's own to the root limits it, files that can be dropped aside") {
  const TemporaryFolder root;
  put(root, "proc/meminfo", "MemAvailable:   500 kB\n");
  put(root, "proc/self/cgroup", "0::/a/b\n");
  put(root, "sys/fs/cgroup/a/b/memory.max", "400000\n");
  put(root, "sys/fs/cgroup/a/b/memory.current", "150000\n");
  CHECK(available_memory(root.path()) == 250000);
  put(root, "sys/fs/cgroup/a/b/memory.stat", "file 90000\ninactive_file 60000\nactive_file 30000\n");
  CHECK(available_memory(root.path()) == 310000);
  put(root, "sys/fs/cgroup/a/memory.max", "300000\n");
  put(root, "sys/fs/cgroup/a/memory.current", "299000\n");
  CHECK(available_memory(root.path()) == 1000);
  put(root, "sys/fs/cgroup/memory.max", "5000\n");
  put(root, "sys/fs/cgroup/memory.current", "6000\n");
  CHECK(available_memory(root.path()) == 0);
}

TEST_CASE("control groups of version 1 have other names") {
  const TemporaryFolder root;
  put(root, "proc/self/cgroup", "12:cpu,cpuacct:/a\nnonsense\n5:hugetlb,memory:/c\n0::/a\n");
  put(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "7000\n");
  put(root, "sys/fs/cgroup/memory/c/memory.usage_in_bytes", "3000\n");
  put(root, "sys/fs/cgroup/memory/c/memory.stat", "inactive_file 5\ntotal_inactive_file 500\n");
  CHECK(available_memory(root.path()) == 4500);
}

TEST_CASE("the process's own limits on addresses and data count too") {
  const TemporaryFolder root;
  put(root, "proc/meminfo", "MemAvailable:   500 kB\n");
  put(root, "proc/self/status", "Name:\tx\nVmPeak:\t 90 kB\nVmSize:\t 80 kB\nVmData:\t 30 kB\n");
  const auto limits = [&](const std::string& addresses, const std::string& data) {
    put(root, "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max data size             " +
            data +
            "            unlimited            bytes     \n"
            "Max address space         " +
            addresses + "            unlimited            bytes     \n");
  };
  limits("unlimited", "unlimited");
  CHECK(available_memory(root.path()) == 500 * 1024);
  limits("102400", "unlimited");
  CHECK(available_memory(root.path()) == 20 * 1024);
  limits("102400", "40960");
  CHECK(available_memory(root.path()) == 10 * 1024);
  limits("1024", "unlimited");
  CHECK(available_memory(root.path()) == 0);
}

TEST_CASE("what does not fit into memory is refused with what it takes and what there is") {
  require_memory(0, "nothing");
  require_memory(1e6, "a little");
  const std::string message = message_of([] { require_memory(1024.0 * 1024 * 1024 * 1e9, "widths: 3-3"); });
  CHECK(message.starts_with("widths: 3-3: takes 1e+09 GiB of memory, expected at most the "));
  CHECK(message.ends_with(" GiB that there are"));
  CHECK(contains(message_of([] { require_memory(infinity, "all"); }), "takes inf GiB"));
}

TEST_CASE("this machine has some memory") { CHECK(available_memory() > 1e6); }

}  // namespace normalign::tests
