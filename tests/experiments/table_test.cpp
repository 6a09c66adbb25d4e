#include "experiments/table.hpp"

#include <cstdlib>
#include <limits>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("table: numbers with four digits, a dash for none") {
  CHECK(four_digits(std::nullopt) == "-");
  CHECK(four_digits(0.121698) == "0.1217");
  CHECK(four_digits(300) == "300");
  CHECK(four_digits(-9999.4) == "-9999");
  CHECK(four_digits(123456.7) == "123457");
  CHECK(four_digits(3.14159e-7) == "3.142e-07");
  CHECK(four_digits(std::numeric_limits<double>::max()).size() == 309);
}

TEST_CASE("table: all digits read back the same") {
  CHECK(all_digits(std::nullopt).empty());
  for (const double value : {0.1 + 0.2, 1.0 / 3, -2e300, 5e-324, 110.0})
    CHECK(std::strtod(all_digits(value).c_str(), nullptr) == value);
}

TEST_CASE("table: aligned columns, the first ones flush left") {
  const std::vector<Cells> rows = {{"name", "kind", "n"}, {"a", "xyz", "100"}, {"longer", "", "5"}};
  CHECK(aligned_text(rows) ==
        "name    kind    n\n"
        "a        xyz  100\n"
        "longer          5\n");
  CHECK(aligned_text(rows, 2) ==
        "name    kind    n\n"
        "a       xyz   100\n"
        "longer          5\n");
  CHECK(aligned_text({}).empty());
}

TEST_CASE("table: CSV quotes what would break a field, and nothing else") {
  CHECK(csv_line({"plain words", "", "1.5"}) == "plain words,,1.5\n");
  CHECK(csv_line({"a, \"b\"", "two\nlines", "c\r"}) == "\"a, \"\"b\"\"\",\"two\nlines\",\"c\r\"\n");
}

TEST_CASE("table: LaTeX rows, words, notes and numbers") {
  CHECK(latex_line({"a", "1", "-"}) == "a & 1 & - \\\\\n");
  CHECK(latex_escaped("50% & $x_1$ {#} ~^\\") ==
        "50\\% \\& \\$x\\_1\\$ \\{\\#\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
  CHECK(latex_note("mod_add", "1 run failed: x_1") ==
        "\\par\\noindent{\\footnotesize mod\\_add: 1 run failed: x\\_1.}\n");
  CHECK(latex_number("12.5") == "12.5");
  CHECK(latex_number("-") == "-");
  CHECK(latex_number("3.1e-07") == "$3.1\\cdot10^{-7}$");
  CHECK(latex_number("2e+12") == "$2\\cdot10^{12}$");
}

}  // namespace
}  // namespace normalign::tests
