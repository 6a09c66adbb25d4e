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

/// The tags of a test: its own, and the folders below tests/ that its file is in, so that `[geometry]` runs the tests
/// of a folder and `[planar]` those of a room in it.
std::string tags_of(const char* file, const char* name, const char* tags = "");

/// Counts a test as skipped, and says why in the run's output; the test returns right after.
void skip(const std::string& reason);

}  // namespace normalign::tests

// Catch2's macro, with the folder's tags.
#undef TEST_CASE
#define TEST_CASE(...)                                           \
  INTERNAL_CATCH_TESTCASE(NORMALIGN_NAME_OF_TEST(__VA_ARGS__, ), \
                          ::normalign::tests::tags_of(__FILE__, __VA_ARGS__).c_str())
#define NORMALIGN_NAME_OF_TEST(name, ...) name
