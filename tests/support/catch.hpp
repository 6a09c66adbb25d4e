// Catch2 under one name, whether version 2 or 3 is installed.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace normalign::tests {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

/// Counts a test as skipped, and says why in the run's output; the test returns right after.
void skip(const std::string& reason);

}  // namespace normalign::tests
