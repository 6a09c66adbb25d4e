#include "experiments/figures/table.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/figures/table_json.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

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
                          .columns = {{"name"}, {"one: a"}, {"b", "b", true}, {"two: a"}, {"b", "b", true}, {"c"}},
                          .rows = {{"x", 1, 22, 333, 4, 5}},
                          .headings = {{0, "a heading"}},
                          .notes = {"a note of several words"}};

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
  const TableSet set{.tables = {{.columns = {{"a"}}}, {.columns = {{"b"}}}}, .remarks = {"r"}, .legend = {"l"}};
  CHECK(as_text(set) == "a\n\nb\n\nr\nl\n");
  CHECK(as_text(TableSet{.tables = {{.columns = {{"a"}}}}}) == "a\n");
  std::string sentence = "word";
  for (int i = 1; i < 30; ++i) sentence += " word";
  CHECK(as_text(TableSet{.legend = {sentence}}) == sentence.substr(0, 119) + "\n  word word word word word word\n");
}

TEST_CASE("table: CSV quotes what would break a field, and nothing else") {
  CHECK(csv_line({"plain words", "", "1.5"}) == "plain words,,1.5\n");
  CHECK(csv_line({"a, \"b\"", "two\nlines", "c\r"}) == "\"a, \"\"b\"\"\",\"two\nlines\",\"c\r\"\n");
}

TEST_CASE("table: LaTeX rows, words and numbers") {
  CHECK(latex_line({"a", "1", "-"}) == "a & 1 & - \\\\\n");
  CHECK(latex_escaped("50% & $x_1$ {#} ~^\\") ==
        "50\\% \\& \\$x\\_1\\$ \\{\\#\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{}");
  CHECK(latex_number("12.5") == "12.5");
  CHECK(latex_number("-") == "-");
  CHECK(latex_number("3.1e-07") == "$3.1\\cdot10^{-7}$");
  CHECK(latex_number("2e+12") == "$2\\cdot10^{12}$");
}

TEST_CASE("table: a cell shows words, a whole number, a number in its digits, or a dash") {
  CHECK(shown("words") == "words");
  CHECK(shown(123456) == "123456");
  CHECK(shown(0.121698) == "0.1217");
  CHECK(shown({0.121698, Digits::two_decimals}) == "0.12");
  CHECK(shown({std::optional(3.14159e-7), Digits::two}) == "3.1e-07");
  CHECK(shown(std::optional<double>()) == "-");
  CHECK(csv_line({"words", 3, 0.1 + 0.2, {}, {1.0, Digits::two}}) == "words,3,0.30000000000000004,,1.0\n");
}

// Two tables whose rows share a setting, a hidden column that files have, and one that they do not have.
TableSet two_tables() {
  TableSet set{.key = "settings", .rows_key = "rows", .latex_head = "head \\\\\n"};
  for (const char* setting : {"mod_add", "xor"}) {
    Table& table = set.tables.emplace_back(Table{.caption = setting,
                                                 .detail = "d",
                                                 .shared = 1,
                                                 .left_out = {{"failed", {"x_1"}}, {"untimed", {}, "timeless"}}});
    table.add({{{"setting", ""}, setting},
               {{"name"}, "a_b"},
               {{"n", ""}, 2},
               {{"", "1/2"}, "2/3"},
               {{"in/p", "p"}, {1.25e-7, Digits::two}}});
  }
  set.tables.back().left_out.front().names.clear();
  return set;
}

TEST_CASE("table: text, CSV, LaTeX and JSON follow from one description") {
  CHECK(as_text(two_tables()) ==
        "mod_add, d\nname  1/2        p\na_b   2/3  1.2e-07\n1 run failed: x_1\n\n"
        "xor, d\nname  1/2        p\na_b   2/3  1.2e-07\n");
  CHECK(as_csv(two_tables()) == "setting,name,n,in/p\nmod_add,a_b,2,1.25e-07\nxor,a_b,2,1.25e-07\n");
  CHECK(as_latex(two_tables()) ==
        "% \\usepackage{booktabs}\n\\begin{tabular}{llr}\n\\toprule\nhead \\\\\n"
        "\\midrule\n\\multicolumn{3}{l}{mod\\_add (d)} \\\\\na\\_b & 2/3 & $1.2\\cdot10^{-7}$ \\\\\n"
        "\\midrule\n\\multicolumn{3}{l}{xor (d)} \\\\\na\\_b & 2/3 & $1.2\\cdot10^{-7}$ \\\\\n"
        "\\bottomrule\n\\end{tabular}\n\\par\\noindent{\\footnotesize mod\\_add: 1 run failed: x\\_1.}\n");
  const auto json = as_json(two_tables());
  CHECK(json.dump() ==
        R"({"settings":[{"setting":"mod_add","rows":[{"name":"a_b","n":2,"in":{"p":1.25e-07}}],)"
        R"("failed":["x_1"],"untimed":[]},{"setting":"xor","rows":[{"name":"a_b","n":2,"in":{"p":1.25e-07}}],)"
        R"("failed":[],"untimed":[]}]})");
  TableSet flat = two_tables();
  flat.key = flat.rows_key = flat.latex_head = "";
  CHECK(as_json(flat)[1].dump() == R"({"setting":"xor","name":"a_b","n":2,"in":{"p":1.25e-07}})");
  CHECK(contains(as_latex(flat), "{llrr}\n\\toprule\nsetting & name & n & in/p \\\\\n\\midrule\nmod\\_add & "));
}

TEST_CASE("table: remarks name the runs that are left out, where there are any") {
  CHECK(remarks({"one", "three"}, {"two"}) ==
        std::vector<std::string>{"2 runs unfinished: one, three", "1 run failed: two"});
  CHECK(remarks(std::vector<std::string>{}, {}).empty());
}

}  // namespace
}  // namespace normalign::tests
