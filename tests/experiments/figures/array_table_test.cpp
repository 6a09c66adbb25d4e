#include "experiments/figures/array_table.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/npz_arrays.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using ArrayRows = nlohmann::ordered_json;

ArrayTable array_table(const char* json) { return table_of("rows", ArrayRows::parse(json)); }

std::string rows_refusal(const char* json) {
  return message_of([&] { array_table(json); });
}

template <class T>
std::vector<T> values_of(const NamedArray& array) {
  REQUIRE(std::holds_alternative<std::vector<T>>(array.values));
  return std::get<std::vector<T>>(array.values);
}

TEST_CASE("a column has the narrowest type that holds its values, and what is missing makes it numbers") {
  const ArrayTable table = array_table(R"([
    {"int": 9007199254740993, "bool": true, "text": "a", "some_int": 1, "some_bool": true, "mixed": true, "none": null},
    {"int": -1, "bool": false, "some_int": null, "none": null, "mixed": 2, "late": 0.5, "some_bool": null}])");
  REQUIRE(table.rows == 2);
  std::vector<std::string> names;
  for (const NamedArray& column : table.columns) {
    names.push_back(column.name);
    CHECK(column.shape == std::vector<Index>{2});
  }
  CHECK(names == std::vector<std::string>{"int", "bool", "text", "some_int", "some_bool", "mixed", "none", "late"});
  CHECK(values_of<std::int64_t>(table.columns[0]) == std::vector<std::int64_t>{9007199254740993, -1});
  CHECK(values_of<std::uint8_t>(table.columns[1]) == std::vector<std::uint8_t>{1, 0});
  CHECK(values_of<std::string>(table.columns[2]) == std::vector<std::string>{"a", ""});
  CHECK(values_of<double>(table.columns[3])[0] == 1);
  CHECK(std::isnan(values_of<double>(table.columns[3])[1]));
  CHECK(values_of<double>(table.columns[4])[0] == 1);
  CHECK(values_of<double>(table.columns[5]) == std::vector<double>{1, 2});
  CHECK(std::isnan(values_of<double>(table.columns[6])[0]));
  CHECK(std::isnan(values_of<double>(table.columns[7])[0]));
  CHECK(values_of<double>(table.columns[7])[1] == 0.5);
  CHECK(as_csv(table) ==
        "int,bool,text,some_int,some_bool,mixed,none,late\n"
        "9007199254740993,1,a,1.0,1.0,1.0,,\n"
        "-1,0,,,,2.0,,0.5\n");
  // Beyond 64 bits with a sign a whole number is a number.
  CHECK(values_of<double>(array_table(R"([{"a": 18446744073709551615}])").columns[0])[0] == 0x1p64);
}

TEST_CASE("lists are arrays of one shape, keys of objects are joined, and a code is an array of booleans") {
  const ArrayTable table = array_table(R"([
    {"at": null, "inner": {"map": [[1, 2], [3, 4], [5, null]], "deep": {"x": 1}}, "code": "011"},
    {"at": [1.5, 2], "code": "100"}])");
  REQUIRE(table.columns.size() == 4);
  CHECK(table.columns[0].shape == std::vector<Index>{2, 2});
  CHECK(table.columns[1].name == "inner_map");
  CHECK(table.columns[1].shape == std::vector<Index>{2, 3, 2});
  CHECK(table.columns[2].name == "inner_deep_x");
  CHECK(values_of<std::uint8_t>(table.columns[3]) == std::vector<std::uint8_t>{0, 1, 1, 1, 0, 0});
  CHECK(as_csv(table) ==
        "at_0,at_1,inner_map_0_0,inner_map_0_1,inner_map_1_0,inner_map_1_1,inner_map_2_0,inner_map_2_1,inner_deep_x,"
        "code_0,code_1,code_2\n"
        ",,1.0,2.0,3.0,4.0,5.0,,1.0,0,1,1\n"
        "1.5,2.0,,,,,,,,1,0,0\n");

  const TemporaryFolder folder;
  NpzWriter file(folder / "a.npz");
  add(file, table);
  add(file, NamedArray{.name = "rows/single", .values = std::vector<double>{7}});
  file.finish();
  const auto arrays = npz_arrays(folder / "a.npz");
  CHECK(arrays.size() == 5);
  CHECK(arrays.at("rows/inner_map").shape == std::vector<Index>{2, 3, 2});
  CHECK(arrays.at("rows/inner_map").numbers(0, 4) == 5);
  CHECK(std::isnan(arrays.at("rows/inner_map").numbers(1, 0)));
  CHECK(arrays.at("rows/code").numbers == Matrix<double>{{0, 1, 1}, {1, 0, 0}});
  CHECK(arrays.at("rows/single").numbers == Matrix<double>{{7}});
  CHECK(array_name("", "x") == "x");
}

TEST_CASE("infinities in CSV are inf, and texts that need it are quoted") {
  const ArrayTable table{.rows = 2,
                         .columns = {{.name = "x", .shape = {2}, .values = std::vector<double>{INFINITY, -INFINITY}},
                                     {.name = "a,b", .shape = {2}, .values = std::vector<std::string>{"c,\"d\"", ""}}}};
  CHECK(as_csv(table) == "x,\"a,b\"\ninf,\"c,\"\"d\"\"\"\n-inf,\n");
}

TEST_CASE("what is no table is refused by row and key") {
  CHECK(rows_refusal("{}") == "rows: found {}, expected a list of objects");
  CHECK(rows_refusal("[{}, 3]") == "rows[1]: found 3, expected an object");
  CHECK(rows_refusal(R"([{"a": [1, 2]}, {"a": [1, 2, 3]}])") ==
        "rows[1].a: found a list of 3, expected a list of 2, as in other rows");
  CHECK(rows_refusal(R"([{"a": {"b": [[1], 2]}}])") == "rows[0].a.b: found 2, expected a list of 1, as in other rows");
  CHECK(rows_refusal(R"([{"a": 1}, {"a": [1]}])") ==
        "rows[1].a: found a list of 1, expected a value, as in other rows");
  CHECK(rows_refusal(R"([{"a": "x"}, {"a": 1}])") == "rows[1].a: found 1, expected a text, as in other rows");
  CHECK(rows_refusal(R"([{"a": [1, 2]}, {"a": [1, "x"]}])") ==
        "rows[1].a: found \"x\", expected a number, as in other rows");
  CHECK(rows_refusal(R"([{"code": "01"}, {"code": "0"}])") == "rows[1].code: found \"0\", expected 2 digits 0 and 1");
  CHECK(rows_refusal(R"([{"code": "2"}])") == "rows[0].code: found \"2\", expected digits 0 and 1");
  CHECK(rows_refusal(R"([{"code": "1"}, {}])") == "rows[1].code: found nothing, expected a code, as in other rows");
  const ArrayTable empty = array_table("[]");
  CHECK(empty.rows == 0);
  CHECK(empty.columns.empty());
}

}  // namespace
}  // namespace normalign::tests
