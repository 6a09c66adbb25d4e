#include "base/scoped_value.hpp"

#include <stdexcept>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a scoped value ends with its scope, also when it is left by an exception") {
  int depth = 1;
  try {
    const ScopedValue outer(depth, 2);
    CHECK(depth == 2);
    {
      const ScopedValue inner(depth, 3);
      CHECK(depth == 3);
    }
    CHECK(depth == 2);
    throw std::runtime_error("left");
  } catch (const std::runtime_error&) {
  }
  CHECK(depth == 1);
}

}  // namespace
}  // namespace normalign::tests
