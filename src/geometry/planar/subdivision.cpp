// How a complex is cut. Two passes: first every edge gets its new vertices, shared by the two cells on its sides; then
// each cell is cut by itself, between vertices that are there, so that cells are independent of one another.
#include "geometry/planar/subdivision.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "geometry/planar/cell_cutter.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

using namespace detail;
using Word = std::uint64_t;

constexpr Index edges_per_block = 4096;
constexpr Index cells_per_block = 256;

Index blocks_of(std::size_t count, Index per_block) { return (static_cast<Index>(count) + per_block - 1) / per_block; }

// Calls body(i) for the elements of a block.
template <class Body>
void for_block(Index block, Index per_block, std::size_t count, const Body& body) {
  const auto end = std::min(count, static_cast<std::size_t>((block + 1) * per_block));
  for (auto i = static_cast<std::size_t>(block * per_block); i < end; ++i) body(i);
}

// Cuts every edge by the functions that change their sign along it; the new vertices are appended to `shared`.
EdgeCuts cut_edges(const PlanarComplex& complex, std::size_t functions, const ZeroTest& zero, VertexSet& shared,
                   const SubdivisionOptions& options) {
  const std::size_t edges = complex.edges.size();
  const Index blocks = blocks_of(edges, edges_per_block);
  std::vector<VertexSet> made(static_cast<std::size_t>(blocks));
  std::vector<std::vector<std::int32_t>> chains(made.size());  // of the edges of a block, one after the other
  EdgeCuts result;
  result.first.resize(edges + 1);
  std::vector<std::exception_ptr> failures;
  parallel_for(options.threads, blocks, failures, [&](Index block) {
    options.stop.check();
    Vertices vertices(functions, zero, shared, made[static_cast<std::size_t>(block)]);
    std::vector<std::int32_t> chain;
    for_block(block, edges_per_block, edges, [&](std::size_t e) {
      const auto [from, to] = std::pair(complex.edges[e].from, complex.edges[e].to);
      chain.assign({from, to});
      for (std::size_t w = 0; w < vertices.words(); ++w) {
        Word crossing = (vertices.positive(from)[w] & vertices.negative(to)[w]) |
                        (vertices.negative(from)[w] & vertices.positive(to)[w]);
        for (; crossing; crossing &= crossing - 1) {
          const std::size_t k = w * bits_per_word + static_cast<std::size_t>(std::countr_zero(crossing));
          // Where a vertex of another function is zero for this one too, there is no strict change and nothing new.
          for (std::size_t i = 0; i + 1 < chain.size(); ++i)
            if (vertices.sign(chain[i], k) * vertices.sign(chain[i + 1], k) < 0) {
              const std::int32_t cut = vertices.crossing(chain[i], chain[i + 1], k);
              chain.insert(chain.begin() + static_cast<std::ptrdiff_t>(i) + 1, cut);
              break;
            }
        }
      }
      result.first[e + 1] = static_cast<std::int32_t>(chain.size()) - 2;
      auto& all = chains[static_cast<std::size_t>(block)];
      all.insert(all.end(), chain.begin() + 1, chain.end() - 1);
    });
  });
  for (std::size_t e = 0; e < edges; ++e) result.first[e + 1] += result.first[e];
  const std::size_t old = shared.count();
  const std::vector<std::size_t> before = append(shared, made);
  for (std::size_t block = 0; block < chains.size(); ++block)
    for (const std::int32_t id : chains[block])
      result.cuts.push_back(id + static_cast<std::int32_t>(before[block] - old));
  return result;
}

// All pieces of edges, the cells beside them yet unknown.
std::vector<PlanarEdge> edge_pieces(const PlanarComplex& complex, const EdgeCuts& cuts) {
  std::vector<PlanarEdge> pieces;
  pieces.reserve(cuts.pieces());
  for (std::size_t e = 0; e < complex.edges.size(); ++e) {
    PlanarEdge piece = complex.edges[e];
    piece.left = piece.right = no_cell;
    for (const std::int32_t vertex : cuts.of(e)) {
      piece.to = vertex;
      pieces.push_back(piece);
      piece.from = vertex;
    }
    piece.to = complex.edges[e].to;
    pieces.push_back(piece);
  }
  return pieces;
}

// The blocks' cells as one complex, in their order.
Subdivision joined(std::vector<PlanarEdge> pieces, VertexSet shared, std::vector<CutCells>& blocks,
                   std::size_t functions, const StopPoll& stop) {
  Subdivision result;
  PlanarComplex& complex = result.complex;
  const auto shared_vertices = static_cast<std::int32_t>(shared.count());
  const auto shared_edges = static_cast<std::int32_t>(pieces.size());
  complex.edges = std::move(pieces);
  std::vector<VertexSet> own;
  for (CutCells& block : blocks) own.push_back(std::move(block.vertices));
  const std::vector<std::size_t> vertices_before = append(shared, own);
  complex.vertices = std::move(shared.points);
  result.values = Matrix<double>(static_cast<Index>(complex.vertices.size()), static_cast<Index>(functions),
                                 std::move(shared.values));

  for (std::size_t b = 0; b < blocks.size(); ++b) {
    stop.check();
    CutCells& block = blocks[b];
    const auto cells_before = static_cast<std::int32_t>(complex.cells());
    const auto edge_shift = static_cast<std::int32_t>(complex.edges.size()) - shared_edges;
    const auto vertex_shift = static_cast<std::int32_t>(vertices_before[b]) - shared_vertices;
    for (PlanarEdge& edge : block.edges) {
      if (edge.from >= shared_vertices) edge.from += vertex_shift;
      if (edge.to >= shared_vertices) edge.to += vertex_shift;
      edge.left += cells_before;
      edge.right += cells_before;
      complex.edges.push_back(edge);
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < block.side_counts.size(); ++i) {
      const auto cell = cells_before + static_cast<std::int32_t>(i);
      for (std::int32_t s = 0; s < block.side_counts[i]; ++s) {
        const Side side = block.sides[next++];
        const bool is_shared = side.edge() < shared_edges;
        complex.sides.emplace_back(side.edge() + (is_shared ? 0 : edge_shift), side.back());
        if (!is_shared) continue;
        PlanarEdge& edge = complex.edges[static_cast<std::size_t>(side.edge())];
        (side.back() ? edge.right : edge.left) = cell;
      }
      complex.first.push_back(static_cast<std::int32_t>(complex.sides.size()));
    }
    result.parents.insert(result.parents.end(), block.parents.begin(), block.parents.end());
    result.signs.insert(result.signs.end(), block.signs.begin(), block.signs.end());
    block = {};
  }
  return result;
}

}  // namespace

Subdivision subdivision(const PlanarComplex& complex, Matrix<double> values, ZeroTest zero,
                        const SubdivisionOptions& options) {
  const std::size_t vertices = complex.vertices.size(), functions = zero.slopes.size();
  if (values.shape() != Shape{static_cast<Index>(vertices), static_cast<Index>(functions)} ||
      zero.sizes.size() != vertices || zero.offsets.size() != functions)
    throw InputError(text("subdivision: values are ", values.shape(), ", the zero test has ", zero.sizes.size(),
                          " sizes, ", functions, " slopes and ", zero.offsets.size(), " offsets, and the complex ",
                          vertices, " vertices; values must be vertices x functions"));
  const std::size_t words = sign_words(functions);
  VertexSet shared{.points = complex.vertices,
                   .values = values.take(),
                   .sizes = std::move(zero.sizes),
                   .positive = std::vector<Word>(vertices * words),
                   .negative = std::vector<Word>(vertices * words)};
  std::vector<std::exception_ptr> failures;
  const Index vertex_blocks = blocks_of(vertices, edges_per_block);
  parallel_for(options.threads, vertex_blocks, failures, [&](Index block) {
    options.stop.check();
    for_block(block, edges_per_block, vertices, [&](std::size_t v) { Vertices::classify(shared, v, functions, zero); });
  });
  const EdgeCuts cuts = cut_edges(complex, functions, zero, shared, options);

  const auto cells = static_cast<std::size_t>(complex.cells());
  std::vector<CutCells> blocks(static_cast<std::size_t>(blocks_of(cells, cells_per_block)));
  CellCount count(options);
  parallel_for(options.threads, static_cast<Index>(blocks.size()), failures, [&](Index block) {
    options.stop.check();
    CutCells& out = blocks[static_cast<std::size_t>(block)];
    Vertices block_vertices(functions, zero, shared, out.vertices);
    CellCutter cutter(complex, cuts, block_vertices, options.layer, count, out);
    for_block(block, cells_per_block, cells, [&](std::size_t c) { cutter.cut(static_cast<Index>(c)); });
  });
  return joined(edge_pieces(complex, cuts), std::move(shared), blocks, functions, options.stop);
}

}  // namespace normalign
