#include "experiments/runs/table_encoding_json.hpp"

#include "base/json_text.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

const TableEncoding encoding{
    .features = {.columns = {{.name = "w", .place = 2, .fill = 0.1}, {.place = 3, .levels = {"a", "b"}, .fill = 1}},
                 .missing = MissingValues::impute,
                 .scales = ColumnScales{{1.0 / 3, 0, 0.5}, {2, 1, 1e-300}}},
    .label = "kind",
    .class_names = {"x", "y"}};

}  // namespace

TEST_CASE("how a table was read comes back from JSON with the same bits") {
  const std::string written = table_encoding_json(encoding).dump();
  const TableEncoding again = table_encoding(parsed_json<nlohmann::ordered_json>(written));
  CHECK(again.label == "kind");
  CHECK(again.class_names == encoding.class_names);
  CHECK(again.features.missing == MissingValues::impute);
  CHECK(again.features.names() == encoding.features.names());
  CHECK(again.features.columns[0].fill == 0.1);
  CHECK(again.features.columns[1].fill == 1);
  CHECK(again.features.columns[1].place == 3);
  REQUIRE(again.features.scales);
  CHECK(again.features.scales->means == encoding.features.scales->means);
  CHECK(again.features.scales->deviations == encoding.features.scales->deviations);
  CHECK(table_encoding_json(again).dump() == written);
}

TEST_CASE("targets take the place of a label in JSON, with their scales") {
  TableEncoding of_numbers{.features = encoding.features, .targets = {"price", "4"}};
  of_numbers.target_scales = ColumnScales{{1e5, -1.0 / 3}, {2e4, 0.1}};
  const auto json = table_encoding_json(of_numbers);
  CHECK_FALSE(json.contains("label"));
  CHECK_FALSE(json.contains("class_names"));
  const TableEncoding again = table_encoding(parsed_json<nlohmann::ordered_json>(json.dump()));
  CHECK(again.is_regression());
  CHECK(again.targets == of_numbers.targets);
  REQUIRE(again.target_scales);
  CHECK(again.target_scales->means == of_numbers.target_scales->means);
  CHECK(again.target_scales->deviations == of_numbers.target_scales->deviations);

  auto wrong = json;
  wrong["target_deviations"][1] = -1;
  CHECK(contains(message_of<InputError>([&] { table_encoding(wrong); }),
                 "target_deviations: found an array; expected numbers above 0"));
  wrong = json;
  wrong["targets"] = nlohmann::ordered_json::array();
  CHECK(message_of<InputError>([&] { table_encoding(wrong); }) == "targets: found an array; expected one name or more");
}

TEST_CASE("an object that says no way to read a table is refused by field") {
  using Json = nlohmann::ordered_json;
  const auto refusal = [](const auto& change) {
    Json json = table_encoding_json(encoding);
    change(json);
    return message_of<InputError>([&] { table_encoding(json); });
  };
  CHECK(contains(refusal([](Json& j) { j.erase("columns"); }), "columns"));
  CHECK(contains(refusal([](Json& j) { j["class_names"][0] = 3; }), "class_names"));
  CHECK(contains(refusal([](Json& j) { j["missing"] = "ignore"; }), "missing: found 'ignore', expected one of refuse"));
  CHECK(contains(refusal([](Json& j) { j["columns"][1]["fill"] = 2; }), "fill: found 2"));
  CHECK(contains(refusal([](Json& j) { j["columns"][1]["fill"] = 0.5; }), "fill: found 0.5"));
  CHECK(contains(refusal([](Json& j) { j["columns"][1]["levels"] = {"b", "a"}; }), "levels"));
  CHECK(refusal([](Json& j) { j["means"].erase(0); }) == "means: found 2 numbers, expected 3");
  CHECK(contains(refusal([](Json& j) { j["deviations"][0] = 0; }), "deviations"));
}

}  // namespace normalign::tests
