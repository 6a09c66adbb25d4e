#include "geometry/planar/subdivision.hpp"

#include <cmath>
#include <set>

#include "support/catch.hpp"
#include "support/complexes.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// The line a x + b y + c = 0.
struct Line {
  double a, b, c;
  double at(Point p) const { return a * p.x + b * p.y + c; }
};

// A complex cut by lines.
Subdivision cut(const PlanarComplex& complex, const std::vector<Line>& lines, const SubdivisionOptions& options = {}) {
  Matrix<double> values(static_cast<Index>(complex.vertices.size()), static_cast<Index>(lines.size()));
  ZeroTest zero;
  for (const Line& line : lines) {
    zero.slopes.push_back(std::hypot(line.a, line.b));
    zero.offsets.push_back(std::abs(line.c));
  }
  for (Index v = 0; v < values.rows(); ++v) {
    const Point p = complex.vertices[static_cast<std::size_t>(v)];
    zero.sizes.push_back(std::hypot(p.x, p.y));
    for (Index k = 0; k < values.cols(); ++k) values(v, k) = lines[static_cast<std::size_t>(k)].at(p);
  }
  return subdivision(complex, std::move(values), std::move(zero), options);
}

std::vector<Line> random_lines(Index count, std::uint64_t seed) {
  const Matrix<double> draws = random_matrix({count, 3}, seed);
  std::vector<Line> lines;
  for (Index i = 0; i < count; ++i) lines.push_back({draws(i, 0), draws(i, 1), 0.5 * draws(i, 2)});
  return lines;
}

// 1 + lines that meet the window + crossings inside: Euler's count of the cells of generic lines in a convex window.
Index generic_cells(const std::vector<Line>& lines, double r) {
  Index cells = 1;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& [a, b, c] = lines[i];
    cells += std::abs(c) < r * (std::abs(a) + std::abs(b));
    for (std::size_t j = 0; j < i; ++j) {
      const double det = a * lines[j].b - b * lines[j].a;
      const double x = (b * lines[j].c - c * lines[j].b) / det, y = (c * lines[j].a - a * lines[j].c) / det;
      cells += std::max(std::abs(x), std::abs(y)) < r;
    }
  }
  return cells;
}

TEST_CASE("generic lines make as many cells as the formula says, all at once or some after others") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const std::vector<Line> lines = random_lines(70, seed);  // more than fit into one word of signs
    const Subdivision all = cut(one_cell(square(1)), lines);
    check_complex(all.complex, 4);
    CHECK(all.complex.cells() == generic_cells(lines, 1));
    const Subdivision half = cut(one_cell(square(1)), {lines.begin(), lines.begin() + 35});
    const Subdivision whole = cut(half.complex, {lines.begin() + 35, lines.end()}, {.layer = 1});
    check_complex(whole.complex, 4);
    CHECK(whole.complex.cells() == all.complex.cells());
    CHECK(whole.complex.vertices.size() == all.complex.vertices.size());
    CHECK(whole.complex.edges.size() == all.complex.edges.size());
    CHECK(std::ranges::is_sorted(whole.parents));
  }
}

TEST_CASE("signs, values and owners are those of the lines") {
  const std::vector<Line> lines = random_lines(12, 3);
  const Subdivision found = cut(one_cell(square(1)), lines, {.layer = 5});
  double error = 0;
  for (Index v = 0; v < found.values.rows(); ++v)
    for (Index k = 0; k < found.values.cols(); ++k)
      error = std::max(error, std::abs(found.values(v, k) - lines[static_cast<std::size_t>(k)].at(
                                                                found.complex.vertices[static_cast<std::size_t>(v)])));
  CHECK(error < 1e-14);
  for (Index c = 0; c < found.complex.cells(); ++c) {
    Point mean;
    const std::vector<Point> corners = found.complex.polygon(c);
    for (const Point& p : corners) {
      mean.x += p.x / static_cast<double>(corners.size());
      mean.y += p.y / static_cast<double>(corners.size());
    }
    for (std::size_t k = 0; k < lines.size(); ++k)
      CHECK((found.signs[static_cast<std::size_t>(c)] >> k & 1) == (lines[k].at(mean) > 0));
  }
  for (const PlanarEdge& edge : found.complex.edges) {
    if (edge.layer < 0) continue;
    CHECK(edge.layer == 5);
    CHECK(found.values(edge.from, edge.unit) == 0);
    CHECK(found.values(edge.to, edge.unit) == 0);
  }
}

TEST_CASE("lines that coincide, meet in one point, touch corners or are the border cut nothing twice") {
  const PlanarComplex window = one_cell(square(1));
  const auto cells = [&](const std::vector<Line>& lines) {
    const Subdivision found = cut(window, lines);
    check_complex(found.complex, 4);
    return found.complex.cells();
  };
  CHECK(cells({{1, 0, 0.25}, {1, 0, 0.25}, {-2, 0, -0.5}}) == 2);        // one line three times
  CHECK(cells({{1, 0.3, 0}, {0.2, 1, 0}, {1, -1, 0}, {3, 1, 0}}) == 8);  // four through the middle
  CHECK(cells({{1, 1, 0}, {1, -1, 0}}) == 4);                            // both diagonals
  CHECK(cells({{1, 0, 1}, {0, 1, -1}}) == 1);                            // two sides of the window
  CHECK(cells({{1, 1, 2}, {1, 1, 2.5}}) == 1);                           // a corner, and outside
  CHECK(cells({{0, 0, 0}, {0, 0, 1}, {0, 0, -1}}) == 1);                 // no lines at all
  CHECK(cells({}) == 1);
  // Thirds and tenths, which no double is: three lines that meet by rounding alone.
  CHECK(cells({{1, 0, -1.0 / 3}, {0, 1, -0.1}, {0.3, 1, -0.2}, {1, 1, -(1.0 / 3 + 0.1)}}) == 8);
}

TEST_CASE("thin cells are kept, and those within rounding are not made") {
  const PlanarComplex window = one_cell(square(1));
  CHECK(cut(window, {{1, 0, 0}, {1, 0, 1e-9}}).complex.cells() == 3);
  CHECK(cut(window, {{1, 0, 0.5}, {1, 0, 0.5 + 1e-15}}).complex.cells() == 2);
}

TEST_CASE("subdivisions have the same bits at any number of threads") {
  const Subdivision coarse = cut(one_cell(square(1)), random_lines(60, 1));
  const std::vector<Line> lines = random_lines(60, 2);
  const Subdivision one = cut(coarse.complex, lines, {.threads = 1}),
                    three = cut(coarse.complex, lines, {.threads = 3});
  CHECK(coarse.complex.cells() > 512);  // several blocks
  CHECK(one.complex.vertices == three.complex.vertices);
  CHECK(one.parents == three.parents);
  CHECK(one.signs == three.signs);
  CHECK(same_bits(one.values, three.values));
}

TEST_CASE("shapes that do not fit and too many cells are refused") {
  const PlanarComplex window = one_cell(square(1));
  CHECK(message_of<InputError>([&] {
          subdivision(window, Matrix<double>(4, 2), {.slopes = {1}, .offsets = {0}, .sizes = {1, 1, 1, 1}});
        }) ==
        "subdivision: values are 4x2, the zero test has 4 sizes, 1 slopes and 1 offsets, and the complex 4 "
        "vertices; values must be vertices x functions");
  CHECK(message_of<RunError>([&] { cut(window, random_lines(30, 1), {.layer = 2, .max_cells = 20}); }) ==
        "subdivision: more than 20 cells in layer 3, counted from 1");
}

}  // namespace
}  // namespace normalign::tests
