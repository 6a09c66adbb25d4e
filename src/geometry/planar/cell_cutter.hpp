// The second pass of a subdivision: how one convex cell is cut.
#pragma once

#include <atomic>
#include <optional>

#include "geometry/planar/subdivision.hpp"

namespace normalign::detail {

/// The vertices that cut edge e are cuts[first[e]], ..., cuts[first[e + 1] - 1], in order from its `from`. It falls
/// into one piece more than that, the first of them numbered e + first[e].
struct EdgeCuts {
  std::vector<std::int32_t> first = {0};
  std::vector<std::int32_t> cuts;

  /// How many pieces all edges have together; the number of the first one of edge e; the vertices that cut edge e.
  std::size_t pieces() const { return first.size() - 1 + cuts.size(); }
  std::int32_t first_piece(std::size_t e) const { return static_cast<std::int32_t>(e) + first[e]; }
  std::span<const std::int32_t> of(std::size_t e) const {
    return std::span(cuts).subspan(static_cast<std::size_t>(first[e]),
                                   static_cast<std::size_t>(first[e + 1] - first[e]));
  }
};

/// Counts the cells that are made, on any thread, refuses more than the limit, and asks now and then whether to stop:
/// one cell may be cut into all that there will be.
class CellCount {
 public:
  /// Refuses more than options.max_cells.
  explicit CellCount(const SubdivisionOptions& options) : options_(options) {}
  /// Throws RunError when there is one too many, and what ends the computation.
  void add_one() {
    const Index made = ++made_;
    if (made > options_.max_cells)
      throw RunError(text("subdivision: more than ", options_.max_cells, " cells in layer ", options_.layer + 1,
                          ", counted from 1"));
    if (made % 256 == 0) options_.stop.check();
  }

 private:
  const SubdivisionOptions& options_;
  std::atomic<Index> made_ = 0;
};

/// What the cells of one block become. Vertices and edges of its own are numbered after the shared ones.
struct CutCells {
  VertexSet vertices = {};
  std::vector<PlanarEdge> edges = {};  ///< inside of old cells; left and right are numbered within the block
  std::vector<Side> sides = {};
  std::vector<std::int32_t> side_counts = {};  ///< one for each new cell
  std::vector<std::int32_t> parents = {};      ///< one for each new cell: the old one
  std::vector<std::uint64_t> signs = {};       ///< as in Subdivision
};

/// Cuts one cell after the other into convex pieces. While a cell is being cut its pieces are cycles of half-edges, so
/// that a vertex on an edge between two of them is there for both.
class CellCutter {
 public:
  /// All are borrowed; what the cells become is appended to `out`.
  CellCutter(const PlanarComplex& complex, const EdgeCuts& cuts, Vertices& vertices, std::int32_t layer,
             CellCount& count, CutCells& out)
      : complex_(complex),
        cuts_(cuts),
        vertices_(vertices),
        layer_(layer),
        count_(count),
        out_(out),
        positive_(vertices.words()),
        negative_(vertices.words()) {}

  /// Cuts cell c and appends its pieces.
  void cut(Index c);

 private:
  struct HalfEdge {
    std::int32_t origin;  // vertex
    std::int32_t next;    // half-edge that follows around the piece
    std::int32_t twin;    // the same edge as seen from the other side; -1 on the old cell's border
    std::int32_t tag;     // border: the new edge; inside: the function whose line it lies on
    bool back = false;    // border: against the edge's direction
    std::int32_t piece = 0;
  };

  void add_pieces(Side side);
  HalfEdge& at(std::int32_t h) { return half_edges_[static_cast<std::size_t>(h)]; }
  void walk(std::int32_t start);
  std::optional<std::size_t> undecided() const;
  void split(std::size_t k);
  std::int32_t split_edge(std::int32_t h, std::int32_t vertex);
  void write();

  const PlanarComplex& complex_;
  const EdgeCuts& cuts_;
  Vertices& vertices_;
  std::int32_t layer_;
  CellCount& count_;
  CutCells& out_;
  std::vector<std::uint64_t> positive_, negative_;
  std::vector<HalfEdge> half_edges_;
  std::vector<std::int32_t> open_, leaves_, cycle_;
  std::vector<int> signs_;
};

}  // namespace normalign::detail
