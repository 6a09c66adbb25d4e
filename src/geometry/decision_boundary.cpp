#include "geometry/decision_boundary.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

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
  Point point(const PlanarComplex& complex) const {
    const Point &p = complex.point(from), &q = complex.point(to);
    return {mix(p.x, q.x), mix(p.y, q.y)};
  }
};

// The chord of region r on which a function is zero, where it has both signs; `zero_everywhere` where it has none.
struct Chord {
  std::optional<std::pair<EdgePoint, EdgePoint>> ends;
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
    if (here * there < 0) {
      const double from = signed_value.at(edge.from), to = signed_value.at(edge.to);
      (here < 0 ? up : down) = EdgePoint{edge.from, edge.to, from / (from - to)};
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

// The part of a chord on which classes i and j are not below any other, as shares of the way; nothing where it is
// empty.
std::optional<std::pair<double, double>> winning_part(const Slice& slice, const std::pair<EdgePoint, EdgePoint>& ends,
                                                      Index i, Index j) {
  double begin = 0, end = 1;
  const auto& [p, q] = ends;
  const auto output = [&](const EdgePoint& point, Index c) {
    return point.mix(slice.outputs(point.from, c), slice.outputs(point.to, c));
  };
  const double rounding =
      4 * std::max(slice.rounding[static_cast<std::size_t>(p.from)], slice.rounding[static_cast<std::size_t>(q.from)]);
  for (Index m = 0; m < slice.outputs.cols(); ++m) {
    if (m == i || m == j) continue;
    const double lead_p = output(p, i) - output(p, m), lead_q = output(q, i) - output(q, m);
    const bool loses_p = lead_p < -rounding, loses_q = lead_q < -rounding;
    if (loses_p && loses_q) return std::nullopt;
    if (!loses_p && !loses_q) continue;
    const double tie = lead_p / (lead_p - lead_q);
    if (loses_p)
      begin = std::max(begin, tie);
    else
      end = std::min(end, tie);
  }
  // What rounding leaves of a single point is no segment.
  return end - begin > 1e-12 ? std::optional(std::pair(begin, end)) : std::nullopt;
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
  const auto value = [&](std::int32_t vertex) { return slice.outputs(vertex, output) - level; };
  DecisionBoundary result;
  for (Index r = 0; r < slice.regions(); ++r) {
    const Chord chord = zero_chord(slice, r, value);
    const auto region = static_cast<std::int32_t>(r);
    if (chord.zero_everywhere) result.flat_regions.push_back(region);
    if (chord.ends)
      result.segments.push_back({.from = chord.ends->first.point(slice.complex),
                                 .to = chord.ends->second.point(slice.complex),
                                 .region = region,
                                 .first = static_cast<std::int32_t>(output)});
  }
  const Signed signed_value(slice, value);
  for (std::size_t e = 0; e < slice.complex.edges.size(); ++e) {
    const PlanarEdge& edge = slice.complex.edges[e];
    if (edge.layer >= 0 && signed_value.at(edge.from) == 0 && signed_value.at(edge.to) == 0)
      result.edges.push_back(static_cast<std::int32_t>(e));
  }
  return result;
}

DecisionBoundary class_boundary(const Slice& slice) {
  const Index k = slice.outputs.cols();
  if (k == 1) return level_set(slice, 0);
  DecisionBoundary result;
  std::vector<std::vector<bool>> at_vertex;
  for (std::size_t v = 0; v < slice.complex.vertices.size(); ++v)
    at_vertex.push_back(winners(slice, static_cast<std::int32_t>(v)));
  for (Index r = 0; r < slice.regions(); ++r) {
    Index everywhere = 0;
    for (Index c = 0; c < k; ++c)
      everywhere += std::ranges::all_of(slice.complex.sides_of(r), [&](Side side) {
        return at_vertex[static_cast<std::size_t>(slice.complex.start(side))][static_cast<std::size_t>(c)];
      });
    const auto region = static_cast<std::int32_t>(r);
    if (everywhere > 1) result.flat_regions.push_back(region);
    if (everywhere > 0) continue;
    for (Index i = 0; i < k; ++i)
      for (Index j = i + 1; j < k; ++j) {
        const Chord chord = zero_chord(
            slice, r, [&](std::int32_t vertex) { return slice.outputs(vertex, i) - slice.outputs(vertex, j); });
        if (!chord.ends) continue;
        const auto part = winning_part(slice, *chord.ends, i, j);
        if (!part) continue;
        const Point p = chord.ends->first.point(slice.complex), q = chord.ends->second.point(slice.complex);
        // The ends of the whole chord stay as they are, to meet those of the neighbours.
        const auto at = [&](double share) {
          return share <= 0 ? p : share >= 1 ? q : Point{p.x + share * (q.x - p.x), p.y + share * (q.y - p.y)};
        };
        result.segments.push_back({.from = at(part->first),
                                   .to = at(part->second),
                                   .region = region,
                                   .first = static_cast<std::int32_t>(i),
                                   .second = static_cast<std::int32_t>(j)});
      }
  }
  for (std::size_t e = 0; e < slice.complex.edges.size(); ++e) {
    const auto &from = at_vertex[static_cast<std::size_t>(slice.complex.edges[e].from)],
               &to = at_vertex[static_cast<std::size_t>(slice.complex.edges[e].to)];
    Index common = 0;
    for (std::size_t c = 0; c < from.size(); ++c) common += from[c] && to[c];
    if (common > 1 && slice.complex.edges[e].layer >= 0) result.edges.push_back(static_cast<std::int32_t>(e));
  }
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
