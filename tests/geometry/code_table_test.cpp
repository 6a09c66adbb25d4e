#include "geometry/code_table.hpp"

#include <map>

#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("codes are numbered in the order in which they come and can be read back") {
  for (const Index units : {0, 5, 12, 63, 64, 65, 200}) {
    CAPTURE(units);
    CodeTable table(units);
    std::map<std::vector<std::uint8_t>, Index> expected;
    const RandomRows random(1, Stream::gradcheck);
    for (std::uint32_t draw = 0; draw < 3000; ++draw) {
      // Only the first and last six units vary, so that codes come again.
      std::vector<std::uint8_t> code(static_cast<std::size_t>(units));
      const std::vector<bool> bits = random.bits(draw, units);
      for (std::size_t u = 0; u < code.size(); ++u) code[u] = (u < 6 || u + 6 >= code.size()) && bits[u];
      const auto next = static_cast<Index>(expected.size());
      const auto [entry, is_new] = expected.emplace(code, next);
      CHECK(table.insert(code) == std::pair(entry->second, is_new));
    }
    CHECK(table.size() == static_cast<Index>(expected.size()));
    for (const auto& [code, number] : expected) {
      std::vector<std::uint8_t> found(code.size());
      table.read(number, found);
      CHECK(found == code);
    }
  }
}

}  // namespace
}  // namespace normalign::tests
