// Whether tests can have gnuplot draw, and where it is found.
#pragma once

#include <cstdlib>
#include <string>

#include "experiments/figures/gnuplot.hpp"

namespace normalign::tests {

/// Whether there is a gnuplot in PATH.
inline bool has_gnuplot() { return gnuplot_output("").has_value(); }

/// For a scope, the environment's PATH is another one.
class PathOf {
 public:
  explicit PathOf(const std::string& path) { ::setenv("PATH", path.c_str(), 1); }
  ~PathOf() { ::setenv("PATH", former_.c_str(), 1); }
  PathOf(const PathOf&) = delete;
  PathOf& operator=(const PathOf&) = delete;

 private:
  std::string former_ = std::getenv("PATH") ? std::getenv("PATH") : "";
};

}  // namespace normalign::tests
