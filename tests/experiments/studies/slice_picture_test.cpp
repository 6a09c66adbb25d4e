#include "experiments/studies/slice_picture.hpp"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::string drawn(const SlicePicture& picture, const std::filesystem::path& path) {
  draw(picture, path);
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_CASE("a slice is drawn by slope, area and class, and as SVG and PNG") {
  const TemporaryFolder folder;
  const Slice found = slice(random_network({2, 12, 10, 3}, 4), input_plane());
  const DecisionBoundary boundary = class_boundary(found);
  SlicePicture picture{
      .slice = found,
      .boundary = boundary,
      .points = {{.t = {0.1, 0.2}, .label = 1, .centroid = Point{0.5, 0.5}}, {.t = {-0.3, 0}, .label = 2}},
      .title = "a title"};
  std::vector<std::string> pictures;
  for (const char* name : {"slope", "area", "class"}) {
    picture.colour = region_colour(name);
    pictures.push_back(drawn(picture, folder.path() / (std::string(name) + ".svg")));
    CHECK(contains(pictures.back(), "</svg>"));
    CHECK(drawn(picture, folder.path() / (std::string(name) + ".png")).starts_with("\x89PNG"));
  }
  CHECK(pictures[0] != pictures[1]);
  CHECK(pictures[0] != pictures[2]);
  // Two discs of points and one of a centroid more than without.
  picture.points.clear();
  picture.colour = RegionColour::label;
  CHECK(pictures[2].size() > drawn(picture, folder.path() / "bare.svg").size());
}

TEST_CASE("a constant network, a single output and a fixed scale can be drawn") {
  const TemporaryFolder folder;
  const PiecewiseAffineNetwork constant({{.weight = {{0, 0}}, .bias = {{1}}, .slope = 1}});
  const Slice flat = slice(constant, input_plane());
  const DecisionBoundary none = class_boundary(flat);
  for (const RegionColour colour : {RegionColour::slope, RegionColour::area, RegionColour::label})
    CHECK(contains(drawn({.slice = flat, .boundary = none, .colour = colour}, folder.path() / "flat.svg"), "</svg>"));
  const Slice bent = slice(random_network({2, 5, 1}, 3), input_plane(), {.window = {{0, 0}, {2, 0}, {0, 0.5}}});
  const DecisionBoundary zero = class_boundary(bent);
  const std::string own = drawn({.slice = bent, .boundary = zero}, folder.path() / "bent.svg");
  const std::string fixed =
      drawn({.slice = bent, .boundary = zero, .scale = std::pair(1e-3, 1e3)}, folder.path() / "bent.svg");
  CHECK(own != fixed);
  CHECK(count(own, "<path") > 3);
}

TEST_CASE("the JSON of a slice holds its regions, from which the network can be evaluated") {
  const PiecewiseAffineNetwork network = random_network({2, 6, 5, 2}, 9);
  const Slice found = slice(network, input_plane());
  const DecisionBoundary boundary = class_boundary(found);
  const SlicePicture picture{
      .slice = found, .boundary = boundary, .points = {{.t = {0.25, -0.5}, .distance = 0.125, .label = 1}}};
  const auto json = nlohmann::json::parse(as_json(picture, true).dump());
  CHECK(json.at("statistics").at("regions") == found.regions());
  CHECK(json.at("regions_after_layer").size() == 2);
  CHECK(json.at("plane").at("u") == nlohmann::json({1, 0}));
  CHECK(json.at("points")[0] == nlohmann::json({{"t", {0.25, -0.5}}, {"distance", 0.125}, {"label", 1}}));
  REQUIRE(json.at("regions").size() == static_cast<std::size_t>(found.regions()));
  double area = 0;
  for (const auto& region : json.at("regions")) {
    area += region.at("area").get<double>();
    CHECK(region.at("code").get<std::string>().size() == 11);
    Point mean;
    const auto n = static_cast<double>(region.at("corners").size());
    for (const auto& corner : region.at("corners")) {
      mean.x += json.at("vertices")[corner.get<std::size_t>()][0].get<double>() / n;
      mean.y += json.at("vertices")[corner.get<std::size_t>()][1].get<double>() / n;
    }
    const Matrix<double> f = network(Matrix<double>{{mean.x, mean.y}});
    for (std::size_t i = 0; i < 2; ++i)
      CHECK_THAT(region.at("slope")[i][0].get<double>() * mean.x + region.at("slope")[i][1].get<double>() * mean.y +
                     region.at("offset")[i].get<double>(),
                 WithinAbs(f.span()[i], 1e-12));
  }
  CHECK_THAT(area, WithinRel(4, 1e-12));
  for (const auto& edge : json.at("edges")) CHECK(edge.size() == 6);
  CHECK_FALSE(as_json(picture, false).contains("regions"));
}

TEST_CASE("an unknown colouring is refused with the known ones") {
  CHECK(message_of<InputError>([] { region_colour("label"); }) ==
        "colour: found 'label', expected one of slope, area, class");
}

}  // namespace
}  // namespace normalign::tests
