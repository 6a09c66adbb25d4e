// How much memory the tests have taken.
#pragma once

#include <sys/resource.h>

namespace normalign::tests {

/// The largest memory that the process has had, in bytes.
inline long peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

}  // namespace normalign::tests
