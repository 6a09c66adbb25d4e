// The program under test, as a user runs it.
#pragma once

#include <string>
#include <vector>

#include "support/subprocess.hpp"

namespace normalign::tests {

using Arguments = std::vector<std::string>;

/// For the first line of a test: true, and the test is counted as skipped, when NORMALIGN_PROGRAM names no program.
bool without_program(const std::string& what);

/// The program with these arguments. Throws std::runtime_error where there is none.
Arguments command(const Arguments& arguments);

/// Runs it to its end.
Finished normalign(const Arguments& arguments);

}  // namespace normalign::tests
