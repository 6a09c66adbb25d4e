#include "geometry/complex/region_polygons.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

// Where the pieces of each region begin; one more than there are regions.
std::vector<std::size_t> first_pieces(const RegionComplex& complex) {
  std::vector<std::size_t> result(static_cast<std::size_t>(complex.count()) + 1, complex.pieces.size());
  for (std::size_t p = complex.pieces.size(); p-- > 0;) result[static_cast<std::size_t>(complex.pieces[p].region)] = p;
  return result;
}

std::span<const DecisionPiece> pieces_of(const RegionComplex& complex, const std::vector<std::size_t>& first,
                                         std::int32_t region) {
  const auto r = static_cast<std::size_t>(region);
  return std::span(complex.pieces).subspan(first[r], first[r + 1] - first[r]);
}

Index number_of(const PiecewiseAffineNetwork& network, const HiddenUnit& unit) {
  return network.first_unit(unit.layer) + unit.unit;
}

void append(std::vector<RegionPolygon>& all, RegionPolygon polygon) {
  if (!polygon.corners.empty()) all.push_back(std::move(polygon));
}

}  // namespace

RegionClipper::RegionClipper(const PiecewiseAffineNetwork& network, double box)
    : rows_(network),
      box_(box),
      classes_(static_cast<std::int32_t>(std::max<Index>(network.outputs(), 2))),
      has_one_output_(network.outputs() == 1) {
  if (network.inputs() != 3)
    throw InputError(text("polygons of regions: the network has ", network.inputs(), " inputs; it must have 3"));
  if (!(box > 0 && std::isfinite(box)))
    throw InputError(text("polygons of regions: box is ", box, "; it must be finite and above 0"));
}

void RegionClipper::enter(std::span<const std::uint8_t> code) { rows_.compute(code); }

SpacePlane RegionClipper::plane(Index row) const {
  const auto slope = rows_.slopes().row(row);
  return {{slope[0], slope[1], slope[2]}, rows_.offsets()(0, row)};
}

// By how much a class leads another.
SpacePlane RegionClipper::lead(std::int32_t label, std::int32_t other) const {
  if (has_one_output_) return label == 1 ? plane(rows_.output(0)) : -plane(rows_.output(0));
  const SpacePlane a = plane(rows_.output(label)), b = plane(rows_.output(other));
  return {{a.normal[0] - b.normal[0], a.normal[1] - b.normal[1], a.normal[2] - b.normal[2]}, a.offset - b.offset};
}

SpacePolygon RegionClipper::section(const SpacePlane& cutting) const {
  SpacePolygon result = plane_in_box(cutting, box_);
  for (Index unit = 0; unit < rows_.units() && !result.empty(); ++unit) result = clipped(result, plane(unit));
  return result;
}

SpacePolygon RegionClipper::wall(Index unit) const { return section(plane(unit)); }

SpacePolygon RegionClipper::tie(std::int32_t i, std::int32_t j) const { return won(section(lead(i, j)), i); }

SpacePolygon RegionClipper::won(SpacePolygon polygon, std::int32_t label) const {
  for (std::int32_t other = 0; other < classes_ && !polygon.empty(); ++other)
    if (other != label) polygon = clipped(polygon, lead(label, other));
  return polygon;
}

std::vector<RegionPolygon> wall_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                         double box) {
  RegionClipper clipper(network, box);
  std::vector<RegionPolygon> result;
  std::int32_t entered = -1;
  for (const RegionFacet& facet : complex.facets) {
    if (facet.first != entered) clipper.enter(complex.code(entered = facet.first));
    append(result, {.corners = clipper.wall(number_of(network, complex.flips(facet).front())),
                    .first = facet.first,
                    .second = facet.second});
  }
  return result;
}

std::vector<RegionPolygon> decision_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                             double box) {
  RegionClipper clipper(network, box), across(network, box);
  const std::vector<std::size_t> first = first_pieces(complex);
  std::vector<RegionPolygon> result;
  for (std::int32_t r = 0; r < static_cast<std::int32_t>(complex.count()); ++r) {
    const std::span<const DecisionPiece> pieces = pieces_of(complex, first, r);
    if (pieces.size() < 2) continue;
    clipper.enter(complex.code(r));
    for (std::size_t a = 0; a < pieces.size(); ++a)
      for (std::size_t b = a + 1; b < pieces.size(); ++b)
        append(result, {.corners = clipper.tie(pieces[a].label, pieces[b].label),
                        .first = r,
                        .second = r,
                        .one = pieces[a].label,
                        .other = pieces[b].label});
  }
  for (const RegionFacet& facet : complex.facets) {
    if (!facet.is_decision) continue;
    clipper.enter(complex.code(facet.first));
    across.enter(complex.code(facet.second));
    const SpacePolygon wall = clipper.wall(number_of(network, complex.flips(facet).front()));
    for (const DecisionPiece& a : pieces_of(complex, first, facet.first))
      for (const DecisionPiece& b : pieces_of(complex, first, facet.second))
        if (a.label != b.label)
          append(result, {.corners = across.won(clipper.won(wall, a.label), b.label),
                          .first = facet.first,
                          .second = facet.second,
                          .one = std::min(a.label, b.label),
                          .other = std::max(a.label, b.label)});
  }
  return result;
}

std::vector<RegionPolygon> section_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                            double box, const SpacePlane& plane, std::optional<std::int32_t> label) {
  RegionClipper clipper(network, box);
  std::vector<RegionPolygon> result;
  for (std::int32_t r = 0; r < static_cast<std::int32_t>(complex.count()); ++r) {
    clipper.enter(complex.code(r));
    SpacePolygon section = clipper.section(plane);
    if (label) section = clipper.won(std::move(section), *label);
    append(result, {.corners = std::move(section), .first = r, .second = r});
  }
  return result;
}

}  // namespace normalign
