// A convex polygon cut into convex cells: vertices, edges and cells that share them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/plane.hpp"

namespace normalign {

/// Stands for what is outside of the window.
inline constexpr std::int32_t no_cell = -1;

/// A straight edge between two vertices. A cell is on its left as one walks from `from` to `to`.
struct PlanarEdge {
  std::int32_t from = 0;
  std::int32_t to = 0;
  std::int32_t left = no_cell;
  std::int32_t right = no_cell;
  std::int32_t layer = -1;  ///< hidden layer that owns it, from 0; -1 for the border of the window
  std::int32_t unit = -1;   ///< and its unit; -1 for the border
};

/// One edge as a cell sees it: walked from its `from` to its `to`, or back.
class Side {
 public:
  Side(std::int32_t edge, bool back) : code_(2 * edge + (back ? 1 : 0)) {}
  std::int32_t edge() const { return code_ >> 1; }
  bool back() const { return code_ & 1; }

 private:
  std::int32_t code_;
};

/// The cells are convex, share whole edges and whole vertices, and fill the window. 40 bytes per vertex-and-edge pair
/// and about 16 per cell: near 100 bytes per cell where every vertex has degree 4.
struct PlanarComplex {
  std::vector<Point> vertices;
  std::vector<PlanarEdge> edges;
  std::vector<std::int32_t> first = {0};  ///< cell c has sides[first[c]], ..., sides[first[c + 1] - 1]
  std::vector<Side> sides;                ///< of each cell, counter-clockwise

  Index cells() const { return static_cast<Index>(first.size()) - 1; }
  /// The sides of cell c, counter-clockwise.
  std::span<const Side> sides_of(Index c) const {
    const auto i = static_cast<std::size_t>(c);
    return std::span(sides).subspan(static_cast<std::size_t>(first[i]),
                                    static_cast<std::size_t>(first[i + 1] - first[i]));
  }
  const PlanarEdge& edge_of(Side side) const { return edges[static_cast<std::size_t>(side.edge())]; }
  /// The vertex at which a side begins.
  std::int32_t start(Side side) const { return side.back() ? edge_of(side).to : edge_of(side).from; }
  /// The cell across a side, or `no_cell`.
  std::int32_t across(Side side) const { return side.back() ? edge_of(side).left : edge_of(side).right; }
  const Point& point(std::int32_t vertex) const { return vertices[static_cast<std::size_t>(vertex)]; }
  /// The corners of cell c, counter-clockwise.
  std::vector<Point> polygon(Index c) const;
  /// The area of cell c.
  double area(Index c) const;
};

/// The complex of one cell. Throws InputError when the corners are fewer than three or not a convex polygon in
/// counter-clockwise order.
PlanarComplex one_cell(const std::vector<Point>& corners);

/// When a value is zero: |value| at vertex v of function k counts as zero up to 1e-12 (slopes[k] sizes[v] +
/// offsets[k]). For t = w z + b this bounds the rounding of the product with slopes = |w|, sizes = |z|, offsets = |b|
/// by a wide margin; geometry.md section 6 has the evidence that anything between 1e-15 and 1e-9 gives the same cells.
struct ZeroTest {
  std::vector<double> slopes;   ///< one for each function
  std::vector<double> offsets;  ///< one for each function
  std::vector<double> sizes;    ///< one for each vertex

  double bound(std::size_t vertex, std::size_t function) const {
    return 1e-12 * (slopes[function] * sizes[vertex] + offsets[function]);
  }
};

/// A complex cut further by the zero lines of n functions.
struct Subdivision {
  PlanarComplex complex;
  /// V x n: the functions at its vertices, exactly 0 where they count as zero.
  Matrix<double> values;
  std::vector<std::int32_t> parents;  ///< for each cell the one that it was cut from; in order
  /// For each cell ceil(n / 64) words: bit k % 64 of word k / 64 is set where function k is positive inside. A function
  /// that is zero on the whole cell is not.
  std::vector<std::uint64_t> signs;
};

/// How to cut.
struct SubdivisionOptions {
  std::int32_t layer = 0;            ///< of the new edges; function k is their unit
  Index max_cells = Index{1} << 28;  ///< more are an error
  int threads = 1;
};

/// Cuts every cell by the lines on which functions that are affine on each cell are zero; `values` holds them at the
/// vertices, V x n. Every vertex is classified once, and where a line crosses an edge both cells get the same vertex,
/// so that the result is a complex whatever the rounding. Lines through vertices or along edges, lines that coincide
/// and functions that are zero on a cell cut nothing twice. Old vertices keep their numbers. The result depends on the
/// arguments alone, not on the threads.
///
/// Throws InputError when shapes do not fit, RunError when there are more than max_cells.
Subdivision subdivision(const PlanarComplex& complex, Matrix<double> values, ZeroTest zero,
                        const SubdivisionOptions& options = {});

}  // namespace normalign
