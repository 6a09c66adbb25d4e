#include "base/number_text.hpp"

#include <bit>
#include <cstdint>
#include <limits>

#include "linalg/random.hpp"
#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("a number's text is short, and reads back as the same number") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(10) == "10");
  CHECK(number_text(-0.0) == "-0");
  CHECK(number_text(1e-300) == "1e-300");
  const RandomRows random(1, Stream::gradcheck);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const auto words = random.words(i, 0);
    const double value = std::bit_cast<double>((std::uint64_t{words[0]} << 32) | words[1]);
    if (!std::isfinite(value)) continue;
    const std::optional<double> back = number_in(number_text(value));
    CAPTURE(value);
    REQUIRE(back);
    REQUIRE(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
  }
  for (double extreme : {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                         std::numeric_limits<double>::min(), std::numeric_limits<double>::denorm_min()})
    CHECK(number_in(number_text(extreme)) == extreme);
}

TEST_CASE("text is a number only as a whole, with at most one sign, finite and in the range of double") {
  CHECK(number_in("+2.5") == 2.5);
  CHECK(number_in("-2.5e-1") == -0.25);
  CHECK(number_in(".5") == 0.5);
  CHECK(number_in("7.") == 7);
  for (const char* words : {"",     "+",   "-",  "+-5", "-+5", "++5",  "--5", " 1",   "1 ",       "1,5",   "1x",
                            "0x10", "one", "e5", "1e",  "inf", "-inf", "nan", "+nan", "infinity", "1e400", "-1e400"}) {
    CAPTURE(words);
    CHECK_FALSE(number_in(words));
  }
}

TEST_CASE("a whole number is digits alone") {
  CHECK(whole_number("0") == 0);
  CHECK(whole_number("007") == 7);
  CHECK(whole_number("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  for (const char* words : {"", "-1", "-0", "+1", " 1", "1 ", "1.0", "1e3", "x", "9223372036854775808"}) {
    CAPTURE(words);
    CHECK_FALSE(whole_number(words));
  }
}

TEST_CASE("a number is written by a format of printf, however long") {
  CHECK(formatted("%.2f", 0.125) == "0.12");
  CHECK(formatted("%.3g GiB", 2) == "2 GiB");
  CHECK(formatted("%.2f", -std::numeric_limits<double>::max()).size() == 1 + 309 + 3);
}

}  // namespace normalign::tests
