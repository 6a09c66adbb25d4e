#include "experiments/report/parts.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("table_part: every cell, heading and note, escaped, in its place") {
  const Table table{.caption = "a < b",
                    .columns = {{"name"}, {"hidden", ""}, {"n"}},
                    .rows = {{"x & y", 0.5, 1}, {"z", 0.25, 2}},
                    .left = 1,
                    .headings = {{0, "first"}, {1, "second"}, {2, "empty"}},
                    .notes = {"a \"note\""}};
  const std::string page = table_part(table).text;
  CHECK(is_well_formed(page));
  std::size_t at = 0;
  for (const char* part : {"<caption>a &lt; b</caption>", "<thead><tr><th>name</th><th>n</th></tr></thead>",
                           "<th colspan=\"2\">first</th>", "<tr><td>x &amp; y</td><td>1</td></tr>", ">second<",
                           "<td>z</td>", ">empty<", "a &quot;note&quot;"}) {
    CAPTURE(part);
    const std::size_t found = page.find(part, at);
    REQUIRE(found != page.npos);
    at = found;
  }
  const std::string set =
      table_part(TableSet{.tables = {table, {.rows = {}}}, .remarks = {"<r>"}, .legend = {"one", "two"}}).text;
  CHECK(is_well_formed(set));
  CHECK(contains(set, "&lt;r&gt;"));
  CHECK(contains(set, "one two"));
}

TEST_CASE("table_of: a row for each object, a column for each key that one of them has a value for") {
  const Json objects = {{{"name", "a"}, {"x_y", 0.123456}, {"none", nullptr}, {"in", {{"deep", 3}}}},
                        {{"name", "b"}, {"late", true}, {"none", nullptr}}};
  const Table table = table_of(objects, 1);
  CHECK(as_text(table) ==
        "name     x y  deep  late\n"
        "a     0.1235     3     -\n"
        "b          -     -  true\n");
  CHECK(table_of(Json::array(), 1).rows.empty());
  CHECK(table_of(Json::array({Json::object()}), 0).rows.size() == 1);
}

TEST_CASE("common_part and difference_from: together they are the object") {
  const std::vector<Json> objects = {{{"a", 1}, {"b", {1, 2}}, {"c", "x"}}, {{"a", 1}, {"b", {1, 3}}, {"d", 0}}};
  const Json common = common_part({&objects[0], &objects[1]});
  CHECK(common == Json{{"a", 1}});
  for (const Json& object : objects) {
    Json whole = common;
    whole.update(difference_from(common, object));
    CHECK(whole.size() == object.size());
    for (const auto& [name, value] : object.items()) CHECK(whole[name] == value);
  }
  CHECK(difference_from(common, objects[1]) == Json{{"b", {1, 3}}, {"d", 0}});
  CHECK(common_part({}).empty());
  CHECK(common_part({&objects[0]}) == objects[0]);
}

TEST_CASE("list_part: names and values, whatever they are") {
  CHECK(list_part(Json::object()).text.empty());
  const std::string page = list_part({{"<n>", "a & b"}, {"list", {1, "\""}}, {"null", nullptr}}).text;
  CHECK(is_well_formed(page));
  for (const char* part : {"&lt;n&gt;", "a &amp; b", "[1,&quot;\\&quot;&quot;]", "null"}) CHECK(contains(page, part));
  CHECK(is_well_formed(list_part({{"bad", "\xFF\x01"}}).text));
}

}  // namespace
}  // namespace normalign::tests
