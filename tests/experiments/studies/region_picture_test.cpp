#include "experiments/studies/region_picture.hpp"

#include <array>
#include <cmath>
#include <sstream>

#include "geometry/complex/region_polygons.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/message_of.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// What a reader of PLY finds.
struct Ply {
  std::vector<SpacePolygon> faces = {};
  std::vector<std::array<double, 7>> properties = {};  // red, green, blue, alpha, region, |J|, is_wall
};

Ply read_ply(const std::string& content) {
  std::istringstream in(content);
  std::string word, line;
  std::size_t vertices = 0, faces = 0;
  std::getline(in, line);
  REQUIRE(line == "ply");
  std::getline(in, line);
  REQUIRE(line == "format ascii 1.0");
  while (std::getline(in, line) && line != "end_header") {
    std::istringstream words(line);
    words >> word;
    if (word != "element") continue;
    words >> word;
    words >> (word == "vertex" ? vertices : faces);
  }
  std::vector<SpacePoint> corners(vertices);
  for (SpacePoint& x : corners) in >> x[0] >> x[1] >> x[2];
  Ply result;
  for (std::size_t f = 0; f < faces; ++f) {
    std::size_t count = 0, number = 0;
    in >> count;
    SpacePolygon& face = result.faces.emplace_back();
    for (std::size_t i = 0; i < count; ++i) {
      in >> number;
      REQUIRE(number < vertices);
      face.push_back(corners[number]);
    }
    for (double& value : result.properties.emplace_back()) in >> value;
  }
  REQUIRE(!in.fail());
  CHECK_FALSE(in >> word);
  return result;
}

TEST_CASE("a mesh holds the decision boundary, and with walls the facets") {
  const PiecewiseAffineNetwork network = random_network({3, 8, 6, 3}, 4);
  const RegionComplex complex = regions(network, {.box = 1});
  const std::vector<RegionPolygon> decision = decision_polygons(network, complex, 1),
                                   walls = wall_polygons(network, complex, 1);
  const Ply alone = read_ply(as_ply(network, complex, 1, false)), all = read_ply(as_ply(network, complex, 1, true));
  REQUIRE(alone.faces.size() == decision.size());
  REQUIRE(all.faces.size() == decision.size() + walls.size());
  for (std::size_t f = 0; f < all.faces.size(); ++f) {
    const bool is_wall = f >= decision.size();
    const RegionPolygon& polygon = is_wall ? walls[f - decision.size()] : decision[f];
    CHECK(all.faces[f] == polygon.corners);
    CHECK(all.properties[f][3] == (is_wall ? 51 : 255));
    CHECK(all.properties[f][4] == polygon.first);
    CHECK(all.properties[f][5] == complex.regions[static_cast<std::size_t>(polygon.first)].jacobian_norm);
    CHECK(all.properties[f][6] == is_wall);
  }
  // Corners lie where two outputs tie and none is larger.
  double error = 0;
  for (const SpacePolygon& face : alone.faces)
    for (const SpacePoint& x : face) {
      const Matrix<double> outputs = network(Matrix<double>{{x[0], x[1], x[2]}});
      std::vector<double> sorted(outputs.span().begin(), outputs.span().end());
      std::ranges::sort(sorted);
      error = std::max(error, sorted[2] - sorted[1]);
    }
  CHECK(error < 1e-9);
}

TEST_CASE("the body of a class is drawn as SVG and PNG, also where the class wins everywhere or nowhere") {
  const TemporaryFolder folder;
  const PiecewiseAffineNetwork network = random_network({3, 8, 6, 3}, 4);
  const PiecewiseAffineNetwork constant({{.weight = {{0, 0, 0}}, .bias = {{1}}, .slope = 1}});
  for (const auto* one : {&network, &constant}) {
    const RegionComplex complex = regions(*one, {.box = 1});
    RegionPicture picture{.network = *one, .complex = complex, .label = smallest_class(complex), .title = "a title"};
    draw(picture, folder / "a.svg");
    CHECK(contains(read_file(folder / "a.svg"), "</svg>"));
    draw(picture, folder / "a.png");
    CHECK(read_file(folder / "a.png").starts_with("\x89PNG"));
    const std::string before = read_file(folder / "a.svg");
    picture.azimuth = 200;
    picture.elevation = -40;
    draw(picture, folder / "a.svg");
    CHECK(read_file(folder / "a.svg") != before);
    picture.label = 2;
    draw(picture, folder / "a.svg");
    CHECK(contains(read_file(folder / "a.svg"), "</svg>"));
  }
}

TEST_CASE("the class with the smallest volume is the one that is drawn by default") {
  // f = x - 0.5: class 1 has a quarter of the box.
  const PiecewiseAffineNetwork network({{.weight = {{1, 0, 0}}, .bias = {{-0.5}}, .slope = 1}});
  CHECK(smallest_class(regions(network, {.box = 1})) == 1);
}

}  // namespace
}  // namespace normalign::tests
