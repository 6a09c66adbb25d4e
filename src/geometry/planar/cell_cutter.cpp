#include "geometry/planar/cell_cutter.hpp"

#include <algorithm>
#include <bit>

namespace normalign::detail {

void CellCutter::cut(Index c) {
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

// The old cell's side as half-edges, one for each piece of its edge.
void CellCutter::add_pieces(Side side) {
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

// cycle_: the half-edges around a piece; positive_, negative_: the functions that have that sign at a vertex of it.
void CellCutter::walk(std::int32_t start) {
  cycle_.clear();
  std::ranges::fill(positive_, 0);
  std::ranges::fill(negative_, 0);
  std::int32_t h = start;
  do {
    cycle_.push_back(h);
    const std::uint64_t *positive = vertices_.positive(at(h).origin), *negative = vertices_.negative(at(h).origin);
    for (std::size_t w = 0; w < positive_.size(); ++w) {
      positive_[w] |= positive[w];
      negative_[w] |= negative[w];
    }
    h = at(h).next;
  } while (h != start);
}

// The first function that has both signs.
std::optional<std::size_t> CellCutter::undecided() const {
  for (std::size_t w = 0; w < positive_.size(); ++w)
    if (const std::uint64_t both = positive_[w] & negative_[w])
      return w * bits_per_word + static_cast<std::size_t>(std::countr_zero(both));
  return std::nullopt;
}

// Cuts the piece in cycle_ along the zero line of function k; both parts are open then.
void CellCutter::split(std::size_t k) {
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
std::int32_t CellCutter::split_edge(std::int32_t h, std::int32_t vertex) {
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
void CellCutter::write() {
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

}  // namespace normalign::detail
