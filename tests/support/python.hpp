// NumPy as an independent reader of what is written.
#pragma once

#include "support/catch.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {

/// The Python that tests ask.
inline constexpr const char* python = "/usr/bin/python3";

/// For the first line of a test: true, and the test is counted as skipped, when this Python or its NumPy is not there.
inline bool without_numpy() {
  static const bool is_there = std::filesystem::exists(python) && run({python, "-c", "import numpy"}).status == 0;
  if (!is_there) skip(std::string("NumPy: ") + python + " has none");
  return !is_there;
}

/// Runs a Python program with these arguments, which has `np` and `sys`. Returns what it prints; a program that fails
/// fails the test with its last words.
inline std::string numpy_says(const std::string& program, std::vector<std::string> arguments) {
  std::vector<std::string> command = {python, "-c", "import sys\nimport numpy as np\n" + program};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Finished finished = run(command);
  CHECK(finished.err == "");
  CHECK(finished.status == 0);
  return finished.out;
}

}  // namespace normalign::tests
