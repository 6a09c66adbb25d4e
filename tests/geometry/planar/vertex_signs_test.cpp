#include "geometry/planar/vertex_signs.hpp"

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

// Two vertices at (0, 0) and (4, 0) with 66 functions: 1 and -3 first, zero at both ends second, 2 and 2 last.
VertexSet two_vertices() {
  VertexSet set{.points = {{0, 0}, {4, 0}},
                .values = LargeVector<double>(132, 0.0),
                .sizes = {1, 2},
                .positive = std::vector<std::uint64_t>(4),
                .negative = std::vector<std::uint64_t>(4)};
  set.values[0] = 1;
  set.values[66] = -3;
  set.values[65] = set.values[131] = 2;
  return set;
}

TEST_CASE("signs are those of values beyond rounding, and what is within is made zero") {
  const ZeroTest zero{.slopes = std::vector<double>(66, 1), .offsets = std::vector<double>(66, 0), .sizes = {}};
  VertexSet shared = two_vertices(), own;
  shared.values[1] = 1.5e-12;   // beyond the bound 1e-12 of size 1
  shared.values[67] = 1.5e-12;  // within that of size 2
  for (std::size_t v : {0, 1}) Vertices::classify(shared, v, 66, zero);
  const Vertices vertices(66, zero, shared, own);
  CHECK(vertices.words() == 2);
  CHECK(vertices.sign(0, 0) == 1);
  CHECK(vertices.sign(1, 0) == -1);
  CHECK(vertices.sign(0, 1) == 1);
  CHECK(vertices.sign(1, 1) == 0);
  CHECK(shared.values[67] == 0);
  CHECK(vertices.sign(0, 65) == 1);
  CHECK(vertices.sign(0, 64) == 0);
}

TEST_CASE("a crossing is where the function is zero, with the other functions in between") {
  const ZeroTest zero{.slopes = std::vector<double>(66, 1), .offsets = std::vector<double>(66, 0), .sizes = {}};
  VertexSet shared = two_vertices(), own;
  for (std::size_t v : {0, 1}) Vertices::classify(shared, v, 66, zero);
  Vertices vertices(66, zero, shared, own);
  CHECK(vertices.crossing(0, 1, 0) == 2);  // numbered after the shared ones
  CHECK(own.points[0] == Point{1, 0});
  CHECK(own.values[0] == 0);
  CHECK(own.values[1] == 0);
  CHECK(own.values[65] == 2);
  CHECK(own.sizes[0] == 2);
  CHECK(vertices.sign(2, 0) == 0);
  CHECK(vertices.sign(2, 65) == 1);

  std::vector<VertexSet> blocks = {own, own};
  CHECK(append(shared, blocks) == std::vector<std::size_t>{2, 3});
  CHECK(shared.count() == 4);
  CHECK(shared.values.size() == 4 * 66);
  CHECK(shared.positive.size() == 8);
  CHECK(blocks[0].count() == 0);
}

}  // namespace
}  // namespace normalign::tests
