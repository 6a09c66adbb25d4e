// A convex polygon cut into convex cells: vertices, edges and cells that share them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "geometry/planar/plane.hpp"

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
  /// Edge number `edge`, walked back or not.
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

  /// How many there are.
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

}  // namespace normalign
