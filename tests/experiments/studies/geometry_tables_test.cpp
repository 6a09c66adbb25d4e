#include "experiments/studies/geometry_tables.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/json_text.hpp"
#include "experiments/studies/region_report.hpp"
#include "experiments/studies/sample_details.hpp"
#include "experiments/studies/slice_details.hpp"
#include "support/catch.hpp"
#include "support/damaged_json.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using GeometryJson = nlohmann::ordered_json;

const NamedArray& column_of(const FileTables& found, const std::string& table, const std::string& name) {
  for (const ArrayTable& one : found.tables)
    if (one.name == table)
      for (const NamedArray& column : one.columns)
        if (column.name == name) return column;
  throw std::out_of_range(table + '/' + name);
}

template <class T>
const std::vector<T>& numbers_in(const FileTables& found, const std::string& table, const std::string& name) {
  return std::get<std::vector<T>>(column_of(found, table, name).values);
}

GeometryJson an_inspection() {
  const Mlp<double> mlp({.widths = {2, 4, 2}, .seed = 2});
  const Dataset<double> data{random_matrix({3, 2}, 1), {0, 1, 1}, 2};
  const Inspection found = inspection(mlp, data, {.certificates = 2});
  GeometryJson json = as_json(found);
  add_details(json, found, sample_details(mlp, data.inputs), data.inputs);
  return GeometryJson::parse(json.dump());
}

GeometryJson a_slice() {
  const PiecewiseAffineNetwork network = random_network({2, 4, 2}, 4);
  const Slice found = slice(network, input_plane());
  GeometryJson json = as_json(SlicePicture{.slice = found, .boundary = class_boundary(found)}, true);
  add_details(json, found, network);
  return GeometryJson::parse(json.dump());
}

TEST_CASE("bounds that JSON has as null are infinite in the table, and samples without a certificate have none") {
  const FileTables found = inspection_tables(GeometryJson::parse(R"({"samples": [
    {"label": 1, "certificate": {"exact": true, "lower": null, "upper": null, "parts": 3}},
    {"label": 0, "certificate": {"exact": true, "lower": 0.5, "upper": 0.5, "parts": 1}},
    {"label": 0, "fooled_within": null}]})"));
  REQUIRE(found.tables.size() == 1);
  CHECK(found.tables[0].rows == 3);
  const auto& lower = numbers_in<double>(found, "", "certificate_lower");
  CHECK(lower[0] == INFINITY);
  CHECK(lower[1] == 0.5);
  CHECK(std::isnan(lower[2]));
  CHECK(numbers_in<double>(found, "", "certificate_upper")[0] == INFINITY);
  CHECK(std::isnan(numbers_in<double>(found, "", "fooled_within")[0]));
  CHECK(found.others.empty());
}

TEST_CASE("the regions of all of the input space are tables, with infinite volumes, as long as the file has them") {
  const char* json = R"({"units": [1], "classes": [{"label": 0, "components": 1, "pieces": 2, "volume": null}],
    "regions": [{"code": "1", "inside": [0, 1], "clearance": 1, "volume": null},
                {"code": "0", "inside": [0, -1], "clearance": null, "volume": 4}],
    "facets": [[0, 1, false, true]], "pieces": [[0, 0, 0, null], [1, 0, 0, 4]], "component_labels": [0]})";
  const FileTables found = region_tables(GeometryJson::parse(json));
  CHECK(numbers_in<double>(found, "regions", "volume") == std::vector<double>{INFINITY, 4});
  CHECK(numbers_in<double>(found, "regions", "clearance") == std::vector<double>{1, INFINITY});
  CHECK(numbers_in<double>(found, "pieces", "volume") == std::vector<double>{INFINITY, 4});
  CHECK(numbers_in<double>(found, "classes", "volume") == std::vector<double>{INFINITY});
  CHECK(numbers_in<std::uint8_t>(found, "facets", "is_decision") == std::vector<std::uint8_t>{1});
  CHECK(numbers_in<std::int64_t>(found, "components", "class") == std::vector<std::int64_t>{0});
  REQUIRE(found.others.size() == 1);
  CHECK(found.others[0].name == "units");
  GeometryJson statistics_only = GeometryJson::parse(json);
  for (const char* key : {"regions", "facets", "pieces", "component_labels"}) statistics_only.erase(key);
  CHECK(region_tables(statistics_only).tables.size() == 1);
}

TEST_CASE("the boundary of a level set is that of its output and no other") {
  GeometryJson json = a_slice();
  for (const char* key : {"regions", "vertices", "edges", "outputs", "units"}) json.erase(key);
  json["decision_boundary"]["polylines"] = GeometryJson::parse(
      R"([{"points": [[0, 1], [1, 1]], "classes": [2]}, {"points": [[0, 0], [0.5, 0]], "classes": [2]}])");
  const FileTables found = slice_tables(json);
  REQUIRE(found.tables.size() == 2);
  CHECK(numbers_in<std::int64_t>(found, "boundary", "line") == std::vector<std::int64_t>{0, 0, 1, 1});
  CHECK(numbers_in<std::int64_t>(found, "boundary", "classes") ==
        std::vector<std::int64_t>{2, -1, 2, -1, 2, -1, 2, -1});
  CHECK(column_of(found, "boundary", "t").shape == std::vector<Index>{4, 2});
}

TEST_CASE("a file that is not as its schema says is refused by place") {
  GeometryJson json = a_slice();
  json["regions"][1]["corners"][0] = 1'000'000;
  CHECK(message_of([&] { slice_tables(json); }) ==
        "regions[1].corners: found 1000000; expected the number of a vertex");
  json = a_slice();
  json["outputs"].erase(0);
  CHECK(contains(message_of([&] { slice_tables(json); }), "outputs: found an array; expected a list of "));
  json = a_slice();
  json["plane"].erase("u");
  CHECK(message_of([&] { slice_tables(json); }) == "plane.u: found nothing; expected a list");
  json = an_inspection();
  json["samples"][1]["jacobian"].erase(0);
  CHECK(message_of([&] { inspection_tables(json); }) ==
        "samples[1].jacobian: found a list of 1, expected a list of 2, as in other rows");
  CHECK(message_of([] { robustness_tables(GeometryJson::object()); }) == "entries: found nothing; expected a list");
}

TEST_CASE("damaged files are refused by an InputError or give tables, whatever is wrong with them") {
  const auto check = [](const GeometryJson& json, FileTables (*tables)(GeometryJson)) {
    int refused = 0, taken = 0;
    with_damage(json.dump(), [&](const std::string& content) {
      try {
        const GeometryJson damaged = parsed_json<GeometryJson>(content);
        if (!damaged.is_object()) return;
        for (const ArrayTable& table : tables(damaged).tables) as_csv(table);
        ++taken;
      } catch (const InputError&) {
        ++refused;
      }
    });
    CHECK(refused > 100);
    CHECK(taken > 100);
  };
  check(an_inspection(), inspection_tables);
  check(a_slice(), slice_tables);
}

}  // namespace
}  // namespace normalign::tests
