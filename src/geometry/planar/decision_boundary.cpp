#include "geometry/planar/decision_boundary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "geometry/planar/vertex_signs.hpp"

namespace normalign {
namespace {

// A function that is affine on the regions, by its values at the vertices; what is within rounding of zero is zero.
template <class Value>
class Signed {
 public:
  Signed(const Slice& slice, const Value& value) : slice_(slice), value_(value) {}
  double at(std::int32_t vertex) const {
    const double found = value_(vertex);
    return std::abs(found) <= 2 * slice_.rounding[static_cast<std::size_t>(vertex)] ? 0 : found;
  }

 private:
  const Slice& slice_;
  const Value& value_;
};

// A point on the border of a region: a share of the way along an edge, the same for both regions beside it.
struct EdgePoint {
  std::int32_t from = 0, to = 0;  // vertices; equal for a corner
  double share = 0;

  double mix(double at_from, double at_to) const { return at_from + share * (at_to - at_from); }
  Point point(const PlanarComplex& complex) const { return between(complex.point(from), complex.point(to), share); }
};

// The chord of a region on which a function is zero, where it has both signs; `zero_everywhere` where it has none.
struct Chord {
  using Ends = std::pair<EdgePoint, EdgePoint>;
  std::optional<Ends> ends;
  bool zero_everywhere = false;
};

template <class Value>
Chord zero_chord(const Slice& slice, Index region, const Value& value) {
  const Signed signed_value(slice, value);
  const PlanarComplex& complex = slice.complex;
  const auto sides = complex.sides_of(region);
  bool above = false, below = false;
  for (const Side side : sides) {
    const double here = signed_value.at(complex.start(side));
    above = above || here > 0;
    below = below || here < 0;
  }
  if (!above || !below) return {.ends = std::nullopt, .zero_everywhere = !above && !below};
  // Around a convex region the sign changes twice: to positive and back, on an edge or at a corner that is zero.
  std::optional<EdgePoint> up, down;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const PlanarEdge& edge = complex.edge_of(sides[i]);
    const std::int32_t a = complex.start(sides[i]), b = sides[i].back() ? edge.from : edge.to;
    const double here = signed_value.at(a), there = signed_value.at(b);
    if ((here < 0 && there > 0) || (here > 0 && there < 0)) {
      (here < 0 ? up : down) =
          EdgePoint{edge.from, edge.to, zero_share(signed_value.at(edge.from), signed_value.at(edge.to))};
    } else if (here == 0 && there > 0) {
      if (!up) up = EdgePoint{a, a, 0};
    } else if (here > 0 && there == 0) {
      if (!down) down = EdgePoint{b, b, 0};
    }
  }
  return {.ends = std::pair(*up, *down)};
}

// The outputs that are largest at a vertex, up to rounding.
std::vector<bool> winners(const Slice& slice, std::int32_t vertex) {
  const auto f = slice.outputs.row(vertex);
  const double largest = *std::ranges::max_element(f);
  std::vector<bool> result;
  for (const double value : f)
    result.push_back(largest - value <= 2 * slice.rounding[static_cast<std::size_t>(vertex)]);
  return result;
}

// Outputs along a straight line between two points of one region, where they are affine.
class OutputsAlong {
 public:
  OutputsAlong(const Slice& slice, const Chord::Ends& ends) : slice_(slice), ends_(ends) {
    for (const EdgePoint& end : {ends.first, ends.second})
      for (const std::int32_t vertex : {end.from, end.to})
        rounding_ = std::max(rounding_, 4 * slice.rounding[static_cast<std::size_t>(vertex)]);
  }
  // By how much output i is above output m at both ends; 0 within rounding.
  std::pair<double, double> lead(Index i, Index m) const {
    const auto at = [&](const EdgePoint& point) {
      const auto output = [&](Index c) {
        return point.mix(slice_.outputs(point.from, c), slice_.outputs(point.to, c));
      };
      const double found = output(i) - output(m);
      return std::abs(found) <= rounding_ ? 0 : found;
    };
    return {at(ends_.first), at(ends_.second)};
  }
  bool tie(Index i, Index m) const { return lead(i, m) == std::pair(0.0, 0.0); }

 private:
  const Slice& slice_;
  const Chord::Ends& ends_;
  double rounding_ = 0;
};

// The part of a line along which classes i and j tie on which they are not below any other, as shares of the way;
// nothing where it is empty.
std::optional<std::pair<double, double>> winning_part(const OutputsAlong& along, Index classes, Index i, Index j) {
  double begin = 0, end = 1;
  for (Index m = 0; m < classes; ++m) {
    if (m == i || m == j) continue;
    const auto [lead_p, lead_q] = along.lead(i, m);
    if (lead_p < 0 && lead_q < 0) return std::nullopt;
    if (lead_p >= 0 && lead_q >= 0) continue;
    const double tie = zero_share(lead_p, lead_q);
    if (lead_p < 0)
      begin = std::max(begin, tie);
    else
      end = std::min(end, tie);
  }
  // What rounding leaves of a single point is no segment.
  return end - begin > 1e-12 ? std::optional(std::pair(begin, end)) : std::nullopt;
}

// Collects the segments of one region or one edge, each line once however many classes tie along it.
class ClassSegments {
 public:
  ClassSegments(const Slice& slice, BoundarySegment place, std::vector<BoundarySegment>& out)
      : slice_(slice), place_(place), out_(out), first_(out.size()) {}

  // Adds the part of a line on which i and j, which tie along it, win.
  void add(const Chord::Ends& ends, Index i, Index j) {
    const OutputsAlong along(slice_, ends);
    const auto part = winning_part(along, slice_.outputs.cols(), i, j);
    if (!part) return;
    for (std::size_t s = first_; s < out_.size(); ++s)
      if (along.tie(i, out_[s].first) && along.tie(i, out_[s].second)) return;
    const Point p = ends.first.point(slice_.complex), q = ends.second.point(slice_.complex);
    // The ends of the whole line stay as they are, to meet those of the neighbours.
    const auto at = [&](double share) { return share <= 0 ? p : share >= 1 ? q : between(p, q, share); };
    BoundarySegment segment = place_;
    segment.from = at(part->first);
    segment.to = at(part->second);
    segment.first = static_cast<std::int32_t>(i);
    segment.second = static_cast<std::int32_t>(j);
    out_.push_back(segment);
  }

 private:
  const Slice& slice_;
  BoundarySegment place_;
  std::vector<BoundarySegment>& out_;
  std::size_t first_;
};

// Whether a function is zero along an edge, and not on the whole of both regions beside it, to which the edge then
// belongs.
template <class Value>
bool zero_along(const Slice& slice, std::int32_t e, const Value& value) {
  const Signed signed_value(slice, value);
  const PlanarEdge& edge = slice.complex.edges[static_cast<std::size_t>(e)];
  return signed_value.at(edge.from) == 0 && signed_value.at(edge.to) == 0 &&
         !(zero_chord(slice, edge.left, value).zero_everywhere && zero_chord(slice, edge.right, value).zero_everywhere);
}

// Calls visit(e, ends, region) for the edges that may carry a boundary: inside the window, and not between two flat
// regions, whatever ties in each. Region is one beside it that is not flat.
template <class Visit>
void for_edges(const Slice& slice, const std::vector<std::int32_t>& flat_regions, const Visit& visit) {
  std::vector<bool> flat(static_cast<std::size_t>(slice.regions()));
  for (const std::int32_t region : flat_regions) flat[static_cast<std::size_t>(region)] = true;
  for (std::size_t e = 0; e < slice.complex.edges.size(); ++e) {
    const PlanarEdge& edge = slice.complex.edges[e];
    if (edge.left == no_cell || edge.right == no_cell) continue;
    const bool left_is_flat = flat[static_cast<std::size_t>(edge.left)];
    if (left_is_flat && flat[static_cast<std::size_t>(edge.right)]) continue;
    visit(static_cast<std::int32_t>(e), Chord::Ends{{edge.from, edge.from, 0}, {edge.to, edge.to, 0}},
          left_is_flat ? edge.right : edge.left);
  }
}

}  // namespace

double DecisionBoundary::length() const {
  double sum = 0;
  for (const BoundarySegment& s : segments) sum += std::hypot(s.to.x - s.from.x, s.to.y - s.from.y);
  return sum;
}

DecisionBoundary level_set(const Slice& slice, Index output, double level) {
  if (output < 0 || output >= slice.outputs.cols())
    throw InputError(text("level_set: output is ", output, "; it must be from 0 to ", slice.outputs.cols() - 1));
  if (!std::isfinite(level)) throw InputError(text("level_set: level is ", level, "; it must be finite"));
  const auto value = [&](std::int32_t vertex) { return slice.outputs(vertex, output) - level; };
  DecisionBoundary result;
  const auto add = [&](const Chord::Ends& ends, std::int32_t region, std::int32_t edge) {
    result.segments.push_back({.from = ends.first.point(slice.complex),
                               .to = ends.second.point(slice.complex),
                               .region = region,
                               .edge = edge,
                               .first = static_cast<std::int32_t>(output)});
  };
  for (Index r = 0; r < slice.regions(); ++r) {
    const Chord chord = zero_chord(slice, r, value);
    const auto region = static_cast<std::int32_t>(r);
    if (chord.zero_everywhere) result.flat_regions.push_back(region);
    if (chord.ends) add(*chord.ends, region, -1);
  }
  for_edges(slice, result.flat_regions, [&](std::int32_t e, const Chord::Ends& ends, std::int32_t region) {
    if (zero_along(slice, e, value)) add(ends, region, e);
  });
  return result;
}

DecisionBoundary class_boundary(const Slice& slice) {
  const Index k = slice.outputs.cols();
  if (k == 1) return level_set(slice, 0);
  DecisionBoundary result;
  std::vector<std::vector<bool>> at_vertex;
  for (std::size_t v = 0; v < slice.complex.vertices.size(); ++v)
    at_vertex.push_back(winners(slice, static_cast<std::int32_t>(v)));
  const auto difference = [&](Index i, Index j) {
    return [&slice, i, j](std::int32_t vertex) { return slice.outputs(vertex, i) - slice.outputs(vertex, j); };
  };
  for (Index r = 0; r < slice.regions(); ++r) {
    Index everywhere = 0;
    for (Index c = 0; c < k; ++c)
      everywhere += std::ranges::all_of(slice.complex.sides_of(r), [&](Side side) {
        return at_vertex[static_cast<std::size_t>(slice.complex.start(side))][static_cast<std::size_t>(c)];
      });
    const auto region = static_cast<std::int32_t>(r);
    if (everywhere > 1) result.flat_regions.push_back(region);
    if (everywhere > 0) continue;
    ClassSegments segments(slice, {.region = region}, result.segments);
    for (Index i = 0; i < k; ++i)
      for (Index j = i + 1; j < k; ++j)
        if (const Chord chord = zero_chord(slice, r, difference(i, j)); chord.ends) segments.add(*chord.ends, i, j);
  }
  for_edges(slice, result.flat_regions, [&](std::int32_t e, const Chord::Ends& ends, std::int32_t region) {
    ClassSegments segments(slice, {.region = region, .edge = e}, result.segments);
    for (Index i = 0; i < k; ++i)
      for (Index j = i + 1; j < k; ++j)
        if (zero_along(slice, e, difference(i, j))) segments.add(ends, i, j);
  });
  return result;
}

std::vector<BoundaryLine> polylines(const DecisionBoundary& boundary) {
  using Key = std::tuple<std::int32_t, std::int32_t, double, double>;
  const auto key = [](const BoundarySegment& s, const Point& p) { return Key{s.first, s.second, p.x, p.y}; };
  std::multimap<Key, std::size_t> at;
  for (std::size_t i = 0; i < boundary.segments.size(); ++i) {
    at.emplace(key(boundary.segments[i], boundary.segments[i].from), i);
    at.emplace(key(boundary.segments[i], boundary.segments[i].to), i);
  }
  std::vector<bool> used(boundary.segments.size());
  // Goes on from the end of a line through segments that were not used yet.
  const auto extend = [&](std::vector<Point>& line, const BoundarySegment& kind) {
    while (true) {
      const auto [first, last] = at.equal_range(key(kind, line.back()));
      const auto next = std::find_if(first, last, [&](const auto& entry) { return !used[entry.second]; });
      if (next == last) return;
      used[next->second] = true;
      const BoundarySegment& segment = boundary.segments[next->second];
      line.push_back(segment.from == line.back() ? segment.to : segment.from);
    }
  };
  std::vector<BoundaryLine> result;
  for (std::size_t i = 0; i < boundary.segments.size(); ++i) {
    if (used[i]) continue;
    used[i] = true;
    std::vector<Point> line = {boundary.segments[i].from, boundary.segments[i].to};
    extend(line, boundary.segments[i]);
    std::ranges::reverse(line);
    extend(line, boundary.segments[i]);
    result.push_back(
        {.points = std::move(line), .first = boundary.segments[i].first, .second = boundary.segments[i].second});
  }
  return result;
}

}  // namespace normalign
