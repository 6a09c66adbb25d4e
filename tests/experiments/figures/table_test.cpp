#include "experiments/figures/table.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("table: numbers with four digits, a dash for none") {
  CHECK(four_digits(std::nullopt) == "-");
  CHECK(four_digits(0.121698) == "0.1217");
  CHECK(four_digits(300) == "300");
  CHECK(four_digits(-9999.4) == "-9999");
  CHECK(four_digits(123456.7) == "123457");
  CHECK(four_digits(-1.23456e20) == "-1.235e+20");
  CHECK(four_digits(3.14159e-7) == "3.142e-07");
  CHECK(four_digits(std::numeric_limits<double>::max()) == "1.798e+308");
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
  CHECK(aligned_text(std::vector<Cells>{{"|b|²", "1"}, {"abcd", "23"}}) == "|b|²   1\nabcd  23\n");
}

const Table wide_table = {.caption = "a caption",
                          .rows = {{"name", "one: a", "b", "two: a", "b", "c"}, {"x", "1", "22", "333", "4", "5"}},
                          .headings = {{1, "a heading"}},
                          .notes = {"a note of several words"},
                          .joined = {2, 4}};

TEST_CASE("table: without a width, or within it, a table is in one part") {
  const std::string whole =
      "a caption\n"
      "name  one: a   b  two: a  b  c\n"
      "a heading\n"
      "x          1  22     333  4  5\n"
      "a note of several words\n";
  CHECK(as_text(wide_table) == whole);
  CHECK(as_text(wide_table, 30) == whole);
}

TEST_CASE("table: one that is too wide is parted where heads are understood, each part with the first columns") {
  CHECK(as_text(wide_table, 29) ==
        "a caption\n"
        "name  one: a   b  two: a  b\n"
        "a heading\n"
        "x          1  22     333  4\n"
        "\n"
        "name  c\n"
        "a heading\n"
        "x     5\n"
        "a note of several words\n");
  CHECK(as_text(wide_table, 26) ==
        "a caption\n"
        "name  one: a   b\n"
        "a heading\n"
        "x          1  22\n"
        "\n"
        "name  two: a  b  c\n"
        "a heading\n"
        "x        333  4  5\n"
        "a note of several words\n");
  // Every cell is in some part, and no line is longer than it must be.
  for (std::size_t width = 1; width < 40; ++width) {
    CAPTURE(width);
    const std::string parted = as_text(wide_table, width);
    for (const char* cell : {"one: a", "two: a", " 22", " 333", " 4", " 5"}) CHECK(parted.find(cell) != parted.npos);
    std::istringstream in(parted);
    for (std::string line; std::getline(in, line);) CHECK(line.size() <= std::max<std::size_t>(width, 12));
  }
}

TEST_CASE("table: words beneath are broken between words, at 120 characters at most") {
  CHECK(as_text(wide_table, 12).ends_with("\na note of\n  several\n  words\n"));
  const TableSet set{.tables = {{.rows = {{"a"}}}, {.rows = {{"b"}}}}, .remarks = {"r"}, .legend = {"l"}};
  CHECK(as_text(set) == "a\n\nb\n\nr\nl\n");
  CHECK(as_text(TableSet{.tables = {{.rows = {{"a"}}}}}) == "a\n");
  std::string sentence = "word";
  for (int i = 1; i < 30; ++i) sentence += " word";
  CHECK(as_text(TableSet{.legend = {sentence}}) == sentence.substr(0, 119) + "\n  word word word word word word\n");
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
