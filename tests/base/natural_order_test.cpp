#include "base/natural_order.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("names ascend in natural order, numbers as numbers") {
  const std::vector<std::string> names = {"",
                                          "-1",
                                          "0",
                                          "7",
                                          "10",
                                          "99999999999999999999",
                                          "100000000000000000000",
                                          "a",
                                          "a.2",
                                          "a.10",
                                          "a0",
                                          "a1",
                                          "a1.3",
                                          "a1.20",
                                          "a2",
                                          "a10",
                                          "aa",
                                          "b\x7f",
                                          "b\xff"};
  for (std::size_t i = 0; i < names.size(); ++i)
    for (std::size_t j = 0; j < names.size(); ++j) {
      CAPTURE(names[i], names[j]);
      const int sign = natural_order(names[i], names[j]).sign;
      CHECK((sign > 0) - (sign < 0) == (i > j) - (i < j));
    }
}

TEST_CASE("numbers decide where they are the first difference") {
  for (const auto& [a, b] : {std::pair{"0", "2"}, {"fc2", "fc10"}, {"a.1.z", "a.2.b"}, {"x01", "x2"}})
    CHECK((natural_order(a, b).is_by_number && natural_order(b, a).is_by_number));
  for (const auto& [a, b] :
       {std::pair{"a", "b"}, {"fc", "fc1"}, {"a1.x", "a1.y"}, {"a.1", "b.0"}, {"a", "a"}, {"1", "a"}})
    CHECK_FALSE(natural_order(a, b).is_by_number);
  CHECK(natural_order("x1", "x001").sign == 0);
  CHECK(natural_order("x1a", "x001b").sign < 0);
}

TEST_CASE("a list shows eight names in natural order and says how many more there are") {
  std::vector<std::string> names = {"a\nb", std::string(100, 'x')};
  CHECK(listed(names) == "a?b, " + std::string(60, 'x') + "...");
  CHECK(listed({}).empty());
  CHECK(listed({"n10", "n9", "a"}) == "a, n9, n10");
  names.assign(8, "n");
  CHECK(listed(names) == "n, n, n, n, n, n, n, n");
  names.assign(10, "n");
  CHECK(listed(names) == "n, n, n, n, n, n, n, n and 2 more");
}

}  // namespace
}  // namespace normalign::tests
