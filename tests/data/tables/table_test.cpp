#include "data/tables/table.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("texts are kept as places among the different ones, numbers become texts of the shortest digits") {
  DataColumn column{.name = "k", .place = 2};
  set_texts(column, {"b", std::nullopt, "a", "b"});
  CHECK(column.levels == std::vector<std::string>{"a", "b"});
  CHECK(column.codes == std::vector<std::int32_t>{1, -1, 0, 1});
  CHECK(column.is_text());
  CHECK(column.is_missing(1));
  CHECK_FALSE(column.is_missing(2));
  CHECK(column.called() == "column 2 (k)");
  const DataColumn texts = as_text({.place = 1, .numbers = {0.1, std::numeric_limits<double>::quiet_NaN(), 3, 0.1}});
  CHECK(texts.levels == std::vector<std::string>{"0.1", "3"});
  CHECK(texts.codes == std::vector<std::int32_t>{0, -1, 1, 0});
  CHECK(texts.called() == "column 1");
}

TEST_CASE("a column is found by its name, else by its place in the file") {
  const DataTable table{.source = "f",
                        .columns = {{.name = "b", .place = 2}, {.name = "3", .place = 4}, {.name = "b", .place = 5}},
                        .places = 5};
  CHECK(table.column_at("3", "x") == 1);
  CHECK(table.column_at("2", "x") == 0);
  CHECK(table.column_at("-1", "x") == 2);
  CHECK(message_of<InputError>([&] { table.column_at("b", "x"); }) == "f: x: found more than one 'b', expected one");
  CHECK(message_of<InputError>([&] { table.column_at("1", "x"); }) == "f: x: found 1, expected 1 to 5 or -5 to -1");
  CHECK(message_of<InputError>([&] { table.column_at("0", "x"); }) == "f: x: found 0, expected 1 to 5 or -5 to -1");
  CHECK(message_of<InputError>([&] { table.column_at("c", "x"); }) == "f: x: found no 'c', expected one of b, 3, b");
  const DataTable unnamed{.source = "f", .columns = {{.place = 1}}, .places = 1};
  CHECK(message_of<InputError>([&] { unnamed.column_at("c", "x"); }) ==
        "f: x: found 'c' but no names of columns, expected a whole number");
}

}  // namespace normalign::tests
