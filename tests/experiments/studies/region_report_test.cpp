#include "experiments/studies/region_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("the JSON of all regions is the complex, from which it can be counted again") {
  const PiecewiseAffineNetwork network = random_network({3, 6, 5, 2}, 9);
  const RegionComplex complex = regions(network, {.box = 1});
  const auto json = as_json({.complex = complex, .statistics = statistics(complex), .box = 1}, true);
  CHECK(json.at("num_regions") == complex.count());
  CHECK(json.at("inputs") == 3);
  CHECK(json.at("units") == nlohmann::ordered_json({6, 5}));
  REQUIRE(static_cast<Index>(json.at("regions").size()) == complex.count());
  double volume = 0, of_classes = 0;
  Index open = 0;
  for (const auto& region : json.at("regions")) {
    volume += region.at("volume").get<double>();
    open += region.at("open").get<bool>();
    CHECK(region.at("code").get<std::string>().size() == 11);
    const auto x = region.at("inside").get<std::vector<double>>();
    const std::vector<ActivationCode> codes = network.codes(Matrix<double>{{x[0], x[1], x[2]}});
    std::string code;
    for (const std::uint8_t bit : codes.front()) code += bit ? '1' : '0';
    CHECK(region.at("code") == code);
  }
  CHECK_THAT(volume, WithinRel(8.0, 1e-12));
  CHECK(json.at("statistics").at("open") == open);
  CHECK(json.at("statistics").at("facets") == json.at("facets").size());
  for (const auto& one : json.at("classes")) of_classes += one.at("volume_share").get<double>();
  CHECK_THAT(of_classes, WithinRel(1.0, 1e-12));
  std::vector<Index> pieces(2);
  for (const auto& piece : json.at("pieces")) ++pieces[piece[1].get<std::size_t>()];
  for (const auto& one : json.at("classes")) CHECK(one.at("pieces") == pieces[one.at("label").get<std::size_t>()]);
  const auto bare = as_json({.complex = complex, .statistics = statistics(complex), .box = 1}, false);
  for (const char* key : {"regions", "facets", "pieces", "component_labels"}) CHECK_FALSE(bare.contains(key));
  CHECK(bare.at("statistics") == json.at("statistics"));
}

TEST_CASE("what is infinite without a box is null in JSON, and no number in the tables") {
  const RegionComplex complex = regions(random_network({2, 6, 2}, 3));
  const RegionReport report{.complex = complex, .statistics = statistics(complex)};
  const auto json = as_json(report, true);
  CHECK(json.at("box").is_null());
  CHECK(json.at("statistics").at("volume").is_null());
  CHECK(json.at("statistics").at("jacobian_norm").at("by_volume").is_null());
  CHECK(json.at("statistics").at("jacobian_norm").at("by_count").is_object());
  const std::string shown = as_text(tables(report));
  CHECK(contains(shown, " linear regions in the whole input space, "));
  CHECK_FALSE(contains(shown, "inf"));
  CHECK_FALSE(contains(shown, "nan"));
}

TEST_CASE("the bytes of a region are those of the lists that hold it") {
  const RegionComplex complex = regions(random_network({4, 10, 8, 2}, 3));
  // 18 units take a word; a facet 12 bytes, a piece 24; see RegionComplex.
  const double expected =
      8 + 8 * 4 + 64 +
      (12 * static_cast<double>(complex.facets.size()) + 24 * static_cast<double>(complex.pieces.size()) +
       4 * static_cast<double>(complex.component_labels.size())) /
          static_cast<double>(complex.count());
  CHECK_THAT(bytes_per_region(complex), WithinRel(expected, 1e-12));
}

}  // namespace
}  // namespace normalign::tests
