#include "experiments/runs/status_line.hpp"

#include <cstdlib>
#include <limits>
#include <sstream>

#include "base/infinity.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a duration is minutes and seconds, with hours where there are any, rounded down") {
  CHECK(duration(0) == "0:00");
  CHECK(duration(0.999) == "0:00");
  CHECK(duration(9) == "0:09");
  CHECK(duration(59.9) == "0:59");
  CHECK(duration(60) == "1:00");
  CHECK(duration(754) == "12:34");
  CHECK(duration(3599) == "59:59");
  CHECK(duration(3600) == "1:00:00");
  CHECK(duration(3600 * 25 + 61) == "25:01:01");
  CHECK(duration(-1) == "-");
  CHECK(duration(infinity) == "-");
  CHECK(duration(std::numeric_limits<double>::quiet_NaN()) == "-");
}

TEST_CASE("StatusLine: on a terminal one line that is written over, cut to one column less than there are") {
  ::setenv("COLUMNS", "20", 1);
  if (terminal_columns() != 20) return;  // the tests themselves run on a terminal, whose size counts
  std::ostringstream out;
  StatusLine line(out, true);
  line.show(std::string(30, 'x'));
  CHECK(out.str() == "\r" + std::string(19, 'x'));
  line.show("short");
  CHECK(out.str() == "\r" + std::string(19, 'x') + "\rshort" + std::string(14, ' '));
  out.str("");
  line.clear();
  CHECK(out.str() == "\r     \r");
  line.clear();
  CHECK(out.str() == "\r     \r");
  ::unsetenv("COLUMNS");
  CHECK(terminal_columns() == 80);
  ::setenv("COLUMNS", "no number", 1);
  CHECK(terminal_columns() == 80);
  ::unsetenv("COLUMNS");
}

TEST_CASE("output_columns: of no terminal COLUMNS, and nothing where that tells nothing") {
  ::setenv("COLUMNS", "20", 1);
  if (output_columns() != 20) return;  // the tests themselves run on a terminal, whose size counts
  for (const char* words : {"no number", "0", "-5", ""}) {
    ::setenv("COLUMNS", words, 1);
    CHECK_FALSE(output_columns());
  }
  ::unsetenv("COLUMNS");
  CHECK_FALSE(output_columns());
}

TEST_CASE("StatusLine: elsewhere nothing is shown, and a line does not outlive its scope") {
  std::ostringstream out;
  {
    StatusLine line(out, false);
    line.show("words");
  }
  CHECK(out.str().empty());
  {
    StatusLine line(out, true);
    line.show("ab");
  }
  CHECK(out.str() == "\rab\r  \r");
}

}  // namespace
}  // namespace normalign::tests
