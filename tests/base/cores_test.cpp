#include "base/cores.hpp"

#include <sched.h>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/system_files.hpp"

namespace normalign::tests {
namespace {

// The affinity of this thread, put back at the end of the scope.
class OneProcessor {
 public:
  OneProcessor() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
      if (CPU_ISSET(i, &before_)) CPU_SET(i, &one);
    ::sched_setaffinity(0, sizeof one, &one);
  }
  ~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_{};
};

}  // namespace

TEST_CASE("cores: without control groups the affinity decides") {
  const TemporaryFolder root;
  CHECK(cores_by_quota(root.path()) == infinity);
  CHECK(usable_cores(root.path()) == cores_by_affinity());
  CHECK(cores_by_affinity() >= 1);
  const OneProcessor bound;
  CHECK(cores_by_affinity() == 1);
  CHECK(usable_cores(root.path()) == 1);
}

TEST_CASE("cores: the least quota of the groups from the process's own to the root counts, rounded down") {
  const TemporaryFolder root;
  put(root, "proc/self/cgroup", "0::/a/b\n");
  put(root, "sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  CHECK(cores_by_quota(root.path()) == infinity);
  put(root, "sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
  CHECK(cores_by_quota(root.path()) == 2.5);
  CHECK(usable_cores(root.path()) == std::min(2, cores_by_affinity()));
  put(root, "sys/fs/cgroup/a/cpu.max", "90000 50000\n");
  CHECK(cores_by_quota(root.path()) == 1.8);
  CHECK(usable_cores(root.path()) == 1);
  put(root, "sys/fs/cgroup/cpu.max", "10000 100000\n");
  CHECK(cores_by_quota(root.path()) == 0.1);
  CHECK(usable_cores(root.path()) == 1);
}

TEST_CASE("cores: control groups of version 1 have other files") {
  const TemporaryFolder root;
  put(root, "proc/self/cgroup", "7:memory:/c\n4:cpu,cpuacct:/c\n1:cpuset:/d\n0::/\n");
  put(root, "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "-1\n");
  put(root, "sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
  CHECK(cores_by_quota(root.path()) == infinity);
  put(root, "sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "300000\n");
  CHECK(cores_by_quota(root.path()) == 3);
}

}  // namespace normalign::tests
