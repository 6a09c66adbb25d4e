#include "base/error.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("text is its parts one after the other") { CHECK(text("a ", 1, ' ', 0.5, std::string()) == "a 1 0.5"); }

TEST_CASE("items are joined by what is between them") {
  CHECK(joined(std::vector<std::string>{}, ", ").empty());
  CHECK(joined(std::vector<std::string>{"a"}, ", ") == "a");
  CHECK(joined(std::vector<std::string>{"", "b", "c"}, ", ") == ", b, c");
  CHECK(joined(std::vector{1, 2}, "+", [](int number) { return text('x', number); }) == "x1+x2");
}

TEST_CASE("what is refused within something is refused by its name; other errors and results pass") {
  CHECK(within("file: ", [] { return 3; }) == 3);
  CHECK(message_of<InputError>([] {
          within(
              "file: ", [] { throw InputError("line 2"); }, "; see --help");
        }) == "file: line 2; see --help");
  CHECK(message_of<RunError>([] { within("file: ", [] { throw RunError("no memory"); }); }) == "no memory");
}

TEST_CASE("a whole number out of its range is refused by its name, with the range") {
  for (const int inside : {2, 3, 5}) check_whole("rings", inside, 2, 5);
  for (const int outside : {1, 6})
    CHECK(message_of<InputError>([&] { check_whole("rings", outside, 2, 5); }) ==
          text("rings: found ", outside, ", expected a whole number from 2 to 5"));
}

TEST_CASE("text from outside is shown on one line of plain ASCII of bounded length") {
  CHECK(one_line("layers.0.weight ~") == "layers.0.weight ~");
  CHECK(one_line("") == "");
  CHECK(one_line(std::string_view("a\nb\r\t\0\x1b\x7f\xc3\xa9", 10)) == "a?b???????");
  CHECK(one_line(std::string(60, 'x')) == std::string(60, 'x'));
  CHECK(one_line(std::string(61, 'x')) == text(std::string(60, 'x'), "..."));
}

}  // namespace normalign::tests
