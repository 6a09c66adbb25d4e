// How a complex is cut. Two passes: first every edge gets its new vertices, shared by the two cells on its sides; then
// each cell is cut by itself, between vertices that are there, so that cells are independent of one another.
#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>
#include <utility>

#include "geometry/planar_complex.hpp"
#include "nn/row_blocks.hpp"

namespace normalign {
namespace {

constexpr std::size_t word_bits = 64;
using Word = std::uint64_t;

// Vertices with everything that is known of them. Ids are relative to the vertex set that they are in.
struct VertexSet {
  std::vector<Point> points;
  std::vector<double> values;            // n for each
  std::vector<double> sizes;             // of the ZeroTest
  std::vector<Word> positive, negative;  // bit k: the sign of function k; neither bit where it is zero

  std::size_t count() const { return points.size(); }
};

// The vertices of the old complex and its edges are `shared`; those that are made inside the cells of one block are its
// `own`, numbered after the shared ones.
class Vertices {
 public:
  Vertices(std::size_t functions, const ZeroTest& zero, const VertexSet& shared, VertexSet& own)
      : n_(functions), words_((functions + word_bits - 1) / word_bits), zero_(zero), shared_(shared), own_(own) {}

  std::size_t words() const { return words_; }
  const Word* positive(std::int32_t v) const { return data(v, &VertexSet::positive, words_); }
  const Word* negative(std::int32_t v) const { return data(v, &VertexSet::negative, words_); }
  // The sign of function k: 1, 0 or -1.
  int sign(std::int32_t v, std::size_t k) const {
    const std::size_t word = k / word_bits, bit = k % word_bits;
    return static_cast<int>(positive(v)[word] >> bit & 1) - static_cast<int>(negative(v)[word] >> bit & 1);
  }

  // A new vertex where function k, of opposite signs at a and b, is zero between them.
  std::int32_t crossing(std::int32_t a, std::int32_t b, std::size_t k) {
    const std::size_t at = own_.values.size();
    own_.values.resize(at + n_);
    const double *t0 = data(a, &VertexSet::values, n_), *t1 = data(b, &VertexSet::values, n_);
    double* t = own_.values.data() + at;
    const double share = t0[k] / (t0[k] - t1[k]);
    // What is zero at both ends stays exactly zero.
    for (std::size_t j = 0; j < n_; ++j) t[j] = t0[j] + share * (t1[j] - t0[j]);
    t[k] = 0;
    const Point p = *data(a, &VertexSet::points, 1), q = *data(b, &VertexSet::points, 1);
    own_.points.push_back({p.x + share * (q.x - p.x), p.y + share * (q.y - p.y)});
    own_.sizes.push_back(std::max(*data(a, &VertexSet::sizes, 1), *data(b, &VertexSet::sizes, 1)));
    own_.positive.resize(own_.positive.size() + words_);
    own_.negative.resize(own_.negative.size() + words_);
    classify(own_, own_.count() - 1, n_, zero_);
    return static_cast<std::int32_t>(shared_.count() + own_.count() - 1);
  }

  // Sets the signs of vertex v of a set, and what counts as zero to zero.
  static void classify(VertexSet& set, std::size_t v, std::size_t n, const ZeroTest& zero) {
    const std::size_t words = (n + word_bits - 1) / word_bits;
    double* t = set.values.data() + v * n;
    const double size = 1e-12 * set.sizes[v];
    for (std::size_t w = 0; w < words; ++w) {
      Word positive = 0, negative = 0;
      const std::size_t begin = w * word_bits, end = std::min(n, begin + word_bits);
      for (std::size_t k = begin; k < end; ++k) {
        const double bound = zero.slopes[k] * size + 1e-12 * zero.offsets[k];
        const bool above = t[k] > bound, below = t[k] < -bound;
        positive |= static_cast<Word>(above) << (k - begin);
        negative |= static_cast<Word>(below) << (k - begin);
        t[k] = above || below ? t[k] : 0;
      }
      set.positive[v * words + w] = positive;
      set.negative[v * words + w] = negative;
    }
  }

 private:
  template <class T>
  const T* data(std::int32_t v, std::vector<T> VertexSet::*member, std::size_t stride) const {
    const auto id = static_cast<std::size_t>(v);
    return id < shared_.count() ? (shared_.*member).data() + id * stride
                                : (own_.*member).data() + (id - shared_.count()) * stride;
  }

  std::size_t n_, words_;
  const ZeroTest& zero_;
  const VertexSet& shared_;
  VertexSet& own_;
};

// Appends block sets in order; returns for each the number of vertices before it.
std::vector<std::size_t> append(VertexSet& to, std::vector<VertexSet>& blocks) {
  std::vector<std::size_t> before;
  for (VertexSet& block : blocks) {
    before.push_back(to.count());
    const auto move_to = [&](auto member) {
      (to.*member).insert((to.*member).end(), (block.*member).begin(), (block.*member).end());
      (block.*member) = {};
    };
    move_to(&VertexSet::points);
    move_to(&VertexSet::values);
    move_to(&VertexSet::sizes);
    move_to(&VertexSet::positive);
    move_to(&VertexSet::negative);
  }
  return before;
}

// The vertices that cut edge e are cuts[first[e]], ..., cuts[first[e + 1] - 1], in order from its `from`. It falls into
// one piece more than that, the first of them numbered e + first[e].
struct EdgeCuts {
  std::vector<std::int32_t> first = {0};
  std::vector<std::int32_t> cuts;

  std::size_t pieces() const { return first.size() - 1 + cuts.size(); }
  std::int32_t first_piece(std::size_t e) const { return static_cast<std::int32_t>(e) + first[e]; }
  std::span<const std::int32_t> of(std::size_t e) const {
    return std::span(cuts).subspan(static_cast<std::size_t>(first[e]),
                                   static_cast<std::size_t>(first[e + 1] - first[e]));
  }
};

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
                   int threads) {
  const std::size_t edges = complex.edges.size();
  const Index blocks = blocks_of(edges, edges_per_block);
  std::vector<VertexSet> made(static_cast<std::size_t>(blocks));
  std::vector<std::vector<std::int32_t>> chains(made.size());  // of the edges of a block, one after the other
  EdgeCuts result;
  result.first.resize(edges + 1);
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index block) {
    Vertices vertices(functions, zero, shared, made[static_cast<std::size_t>(block)]);
    std::vector<std::int32_t> chain;
    for_block(block, edges_per_block, edges, [&](std::size_t e) {
      const auto [from, to] = std::pair(complex.edges[e].from, complex.edges[e].to);
      chain.assign({from, to});
      for (std::size_t w = 0; w < vertices.words(); ++w) {
        Word crossing = (vertices.positive(from)[w] & vertices.negative(to)[w]) |
                        (vertices.negative(from)[w] & vertices.positive(to)[w]);
        for (; crossing; crossing &= crossing - 1) {
          const std::size_t k = w * word_bits + static_cast<std::size_t>(std::countr_zero(crossing));
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

// Counts the cells that are made, on any thread, and refuses more than the limit.
class CellCount {
 public:
  explicit CellCount(const SubdivisionOptions& options) : options_(options) {}
  void add_one() {
    if (++made_ > options_.max_cells)
      throw RunError(text("subdivision: more than ", options_.max_cells, " cells in layer ", options_.layer));
  }

 private:
  const SubdivisionOptions& options_;
  std::atomic<Index> made_ = 0;
};

// What the cells of one block become. Vertices and edges of its own are numbered after the shared ones.
struct CutCells {
  VertexSet vertices;
  std::vector<PlanarEdge> edges;  // inside of old cells; left and right are numbered within the block
  std::vector<Side> sides;
  std::vector<std::int32_t> side_counts, parents;
  std::vector<Word> signs;
};

// Cuts one cell after the other into convex pieces. While a cell is being cut its pieces are cycles of half-edges, so
// that a vertex on an edge between two of them is there for both.
class CellCutter {
 public:
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

  // Cuts cell c and appends its pieces.
  void cut(Index c) {
    half_edges_.clear();
    for (const Side side : complex_.sides_of(c)) add_pieces(side);
    half_edges_.back().next = 0;
    leaves_.clear();
    open_.assign({0});
    while (!open_.empty()) {
      const std::int32_t start = open_.back();
      open_.pop_back();
      walk(start);
      if (const auto k = undecided()) {
        split(*k);
      } else {
        count_.add_one();
        leaves_.push_back(start);
        out_.signs.insert(out_.signs.end(), positive_.begin(), positive_.end());
        out_.parents.push_back(static_cast<std::int32_t>(c));
      }
    }
    write();
  }

 private:
  struct HalfEdge {
    std::int32_t origin;  // vertex
    std::int32_t next;    // half-edge that follows around the piece
    std::int32_t twin;    // the same edge as seen from the other side; -1 on the old cell's border
    std::int32_t tag;     // border: the new edge; inside: the function whose line it lies on
    bool back = false;    // border: against the edge's direction
    std::int32_t piece = 0;
  };

  // The old cell's side as half-edges, one for each piece of its edge.
  void add_pieces(Side side) {
    const auto e = static_cast<std::size_t>(side.edge());
    const std::span<const std::int32_t> cuts = cuts_.of(e);
    const PlanarEdge& edge = complex_.edges[e];
    const std::size_t pieces = cuts.size() + 1;
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::size_t p = side.back() ? pieces - 1 - i : i;
      const std::int32_t origin =
          side.back() ? (p + 1 == pieces ? edge.to : cuts[p]) : (p == 0 ? edge.from : cuts[p - 1]);
      half_edges_.push_back({.origin = origin,
                             .next = static_cast<std::int32_t>(half_edges_.size()) + 1,
                             .twin = -1,
                             .tag = cuts_.first_piece(e) + static_cast<std::int32_t>(p),
                             .back = side.back()});
    }
  }

  HalfEdge& at(std::int32_t h) { return half_edges_[static_cast<std::size_t>(h)]; }

  // cycle_: the half-edges around a piece; positive_, negative_: the functions that have that sign at a vertex of it.
  void walk(std::int32_t start) {
    cycle_.clear();
    std::ranges::fill(positive_, 0);
    std::ranges::fill(negative_, 0);
    std::int32_t h = start;
    do {
      cycle_.push_back(h);
      const Word *positive = vertices_.positive(at(h).origin), *negative = vertices_.negative(at(h).origin);
      for (std::size_t w = 0; w < positive_.size(); ++w) {
        positive_[w] |= positive[w];
        negative_[w] |= negative[w];
      }
      h = at(h).next;
    } while (h != start);
  }

  // The first function that has both signs.
  std::optional<std::size_t> undecided() const {
    for (std::size_t w = 0; w < positive_.size(); ++w)
      if (const Word both = positive_[w] & negative_[w])
        return w * word_bits + static_cast<std::size_t>(std::countr_zero(both));
    return std::nullopt;
  }

  // Cuts the piece in cycle_ along the zero line of function k; both parts are open then.
  void split(std::size_t k) {
    signs_.clear();
    for (std::size_t i = 0; i < cycle_.size(); ++i) {
      const std::int32_t h = cycle_[i];
      const int here = vertices_.sign(at(h).origin, k), there = vertices_.sign(at(at(h).next).origin, k);
      signs_.push_back(here);
      if (here * there < 0) {
        const std::int32_t half = split_edge(h, vertices_.crossing(at(h).origin, at(at(h).next).origin, k));
        cycle_.insert(cycle_.begin() + static_cast<std::ptrdiff_t>(++i), half);
        signs_.push_back(0);
      }
    }
    // Between the positive and the negative vertices there is a zero one on either side: where the positive ones begin
    // (the last zero before) and where they end (the first after). So neither part has fewer than three vertices.
    const std::size_t n = cycle_.size();
    std::size_t first = 0;
    while (!(signs_[first] <= 0 && signs_[(first + 1) % n] > 0)) ++first;
    std::size_t last = (first + 1) % n;
    while (signs_[last] > 0) last = (last + 1) % n;
    const auto forth = static_cast<std::int32_t>(half_edges_.size()), back = forth + 1;
    const std::int32_t a = cycle_[first], b = cycle_[last];
    const auto tag = static_cast<std::int32_t>(k);
    half_edges_.push_back({.origin = at(b).origin, .next = a, .twin = back, .tag = tag});   // closes the positive part
    half_edges_.push_back({.origin = at(a).origin, .next = b, .twin = forth, .tag = tag});  // and the other
    at(cycle_[(last + n - 1) % n]).next = forth;
    at(cycle_[(first + n - 1) % n]).next = back;
    open_.push_back(back);
    open_.push_back(forth);
  }

  // Puts a vertex on an edge, for the pieces on both sides; returns the half-edge after it on h's side.
  std::int32_t split_edge(std::int32_t h, std::int32_t vertex) {
    const auto half = static_cast<std::int32_t>(half_edges_.size());
    const std::int32_t twin = at(h).twin;
    half_edges_.push_back({.origin = vertex, .next = at(h).next, .twin = twin, .tag = at(h).tag});
    at(h).next = half;
    half_edges_.push_back({.origin = vertex, .next = at(twin).next, .twin = h, .tag = at(h).tag});
    at(twin).next = at(h).twin = half + 1;
    at(twin).twin = half;
    return half;
  }

  // Appends the pieces and the edges between them.
  void write() {
    const auto first_piece = static_cast<std::int32_t>(out_.side_counts.size());
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      std::int32_t h = leaves_[i];
      do at(h).piece = first_piece + static_cast<std::int32_t>(i);
      while ((h = at(h).next) != leaves_[i]);
    }
    const auto shared = static_cast<std::int32_t>(cuts_.pieces());
    for (std::size_t i = 0; i < half_edges_.size(); ++i) {
      HalfEdge& edge = half_edges_[i];
      const auto here = static_cast<std::int32_t>(i);
      if (edge.twin < here) continue;  // on the border, or seen from its twin
      HalfEdge& twin = at(edge.twin);
      out_.edges.push_back({.from = edge.origin,
                            .to = twin.origin,
                            .left = edge.piece,
                            .right = twin.piece,
                            .layer = layer_,
                            .unit = edge.tag});
      edge.tag = twin.tag = shared + static_cast<std::int32_t>(out_.edges.size()) - 1;
      twin.back = true;
    }
    for (const std::int32_t leaf : leaves_) {
      std::int32_t h = leaf, count = 0;
      do {
        out_.sides.emplace_back(at(h).tag, at(h).back);
        ++count;
      } while ((h = at(h).next) != leaf);
      out_.side_counts.push_back(count);
    }
  }

  const PlanarComplex& complex_;
  const EdgeCuts& cuts_;
  Vertices& vertices_;
  std::int32_t layer_;
  CellCount& count_;
  CutCells& out_;
  std::vector<Word> positive_, negative_;
  std::vector<HalfEdge> half_edges_;
  std::vector<std::int32_t> open_, leaves_, cycle_;
  std::vector<int> signs_;
};

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
                   std::size_t functions) {
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
  const std::size_t words = (functions + word_bits - 1) / word_bits;
  VertexSet shared{.points = complex.vertices,
                   .values = values.take(),
                   .sizes = std::move(zero.sizes),
                   .positive = std::vector<Word>(vertices * words),
                   .negative = std::vector<Word>(vertices * words)};
  std::vector<std::exception_ptr> failures;
  const Index vertex_blocks = blocks_of(vertices, edges_per_block);
  parallel_for(options.threads, vertex_blocks, failures, [&](Index block) {
    for_block(block, edges_per_block, vertices, [&](std::size_t v) { Vertices::classify(shared, v, functions, zero); });
  });
  const EdgeCuts cuts = cut_edges(complex, functions, zero, shared, options.threads);

  const auto cells = static_cast<std::size_t>(complex.cells());
  std::vector<CutCells> blocks(static_cast<std::size_t>(blocks_of(cells, cells_per_block)));
  CellCount count(options);
  parallel_for(options.threads, static_cast<Index>(blocks.size()), failures, [&](Index block) {
    CutCells& out = blocks[static_cast<std::size_t>(block)];
    Vertices block_vertices(functions, zero, shared, out.vertices);
    CellCutter cutter(complex, cuts, block_vertices, options.layer, count, out);
    for_block(block, cells_per_block, cells, [&](std::size_t c) { cutter.cut(static_cast<Index>(c)); });
  });
  return joined(edge_pieces(complex, cuts), std::move(shared), blocks, functions);
}

}  // namespace normalign
