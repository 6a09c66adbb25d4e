#include "geometry/planar/cell_cutter.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

// The triangle (0, 0), (2, 0), (0, 2) with the function x - 1, whose zeros (1, 0) and (1, 1) on its sides are vertices
// 3 and 4.
struct Triangle {
  PlanarComplex complex = one_cell({{0, 0}, {2, 0}, {0, 2}});
  ZeroTest zero{.slopes = {1}, .offsets = {1}, .sizes = {}};
  VertexSet shared{.points = {{0, 0}, {2, 0}, {0, 2}, {1, 0}, {1, 1}},
                   .values = {-1, 1, -1, 0, 0},
                   .sizes = {0, 2, 2, 1, 1},
                   .positive = std::vector<std::uint64_t>(5),
                   .negative = std::vector<std::uint64_t>(5)};
  EdgeCuts cuts{.first = {0, 1, 2, 2}, .cuts = {3, 4}};
  CutCells out;

  void cut(const SubdivisionOptions& options) {
    for (std::size_t v = 0; v < 5; ++v) Vertices::classify(shared, v, 1, zero);
    Vertices vertices(1, zero, shared, out.vertices);
    CellCount count(options);
    CellCutter(complex, cuts, vertices, options.layer, count, out).cut(0);
  }
};

TEST_CASE("pieces of edges are numbered edge by edge, one more than there are cuts") {
  const EdgeCuts cuts{.first = {0, 2, 2, 3}, .cuts = {7, 8, 9}};
  CHECK(cuts.pieces() == 6);
  CHECK(cuts.first_piece(0) == 0);
  CHECK(cuts.first_piece(1) == 3);
  CHECK(cuts.first_piece(2) == 4);
  CHECK(cuts.of(0).size() == 2);
  CHECK(cuts.of(1).empty());
  CHECK(cuts.of(2)[0] == 9);
}

TEST_CASE("a cell is cut between the vertices that are on its sides") {
  Triangle triangle;
  triangle.cut({.layer = 3});
  const CutCells& out = triangle.out;
  CHECK(out.vertices.count() == 0);  // both were there
  REQUIRE(out.edges.size() == 1);
  CHECK(std::min(out.edges[0].from, out.edges[0].to) == 3);
  CHECK(std::max(out.edges[0].from, out.edges[0].to) == 4);
  CHECK(out.edges[0].layer == 3);
  CHECK(out.edges[0].unit == 0);
  REQUIRE(out.side_counts.size() == 2);
  CHECK(out.side_counts[0] + out.side_counts[1] == 7);  // five pieces of the border, the new edge twice
  CHECK(out.parents == std::vector<std::int32_t>{0, 0});
  CHECK(out.signs[0] + out.signs[1] == 1);  // one of them is positive
}

TEST_CASE("one cell more than allowed is an error") {
  Triangle triangle;
  CHECK(message_of<RunError>([&] { triangle.cut({.max_cells = 1}); }) ==
        "subdivision: more than 1 cells in layer 1, counted from 1");
}

}  // namespace
}  // namespace normalign::tests
