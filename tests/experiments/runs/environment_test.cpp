#include "experiments/runs/environment.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("environment: says where a run took place") {
  const nlohmann::ordered_json json = environment(3);
  CHECK(json["version"].is_string());
  CHECK_THAT(json["compiler"].get<std::string>(), Contains("++ ") && Contains(__VERSION__));
  CHECK_THAT(json["blas"].get<std::string>(), Contains("OpenBLAS"));
  CHECK(json["threads"] == 3);
  CHECK_FALSE(json["host_cpu"].get<std::string>().empty());
  CHECK(json["hardware_threads"].is_number_integer());
}

}  // namespace
}  // namespace normalign::tests
