#include "geometry/complex/region_collector.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "geometry/local_geometry.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {
namespace {

// The root of a piece's tree in a union-find forest, paths halved on the way.
std::int32_t root_of(std::vector<std::int32_t>& parents, std::int32_t piece) {
  const auto parent = [&](std::int32_t i) -> std::int32_t& { return parents[static_cast<std::size_t>(i)]; };
  while (parent(piece) != piece) piece = parent(piece) = parent(parent(piece));
  return piece;
}

}  // namespace

RegionCollector::RegionCollector(RegionSearch& search, const PiecewiseAffineNetwork& network, double box)
    : search_(&search),
      numbers_(network),
      box_(box),
      code_words_(words_for(numbers_.units)),
      point_(1, network.inputs()),
      jacobian_(network.outputs(), network.inputs()),
      common_(words_for(numbers_.count())),
      key_(2 * code_words_) {
  for (Index l = 0; l < network.hidden_layers(); ++l) complex_.units.push_back(network.units(l));
}

void RegionCollector::add(const FoundRegion& found) {
  const ConeFacets facets = search_->cutter().facets(found.cone, found.known);
  if (complex_.units.empty() && count() > 0) {
    // Another part of the only region.
    add_pieces(found, facets, static_cast<std::size_t>(complex_.regions.front().label));
    return;
  }
  complex_.codes.insert(complex_.codes.end(), found.code.begin(),
                        found.code.begin() + static_cast<std::ptrdiff_t>(code_words_));
  LinearRegion region;
  const bool is_bounded = place_vertices(found.cone);
  place_point(found.cone);
  inside_.insert(inside_.end(), point_.span().begin(), point_.span().end());
  region.is_open = !is_bounded || is_on_box(found.cone, facets);
  region.clearance = clearance(found, facets);
  region.volume = is_bounded ? volume(vertices_, facets) : infinity;
  measure(region);
  const std::size_t pieces = complex_.pieces.size();
  complex_.regions.push_back(region);
  add_pieces(found, facets, static_cast<std::size_t>(region.label));
  // Where classes tie on the whole region, rounding may have preferred another.
  if (complex_.pieces.size() == pieces + 1) complex_.regions.back().label = complex_.pieces.back().label;
}

// Sets the vertices; returns whether there is no direction.
bool RegionCollector::place_vertices(const Cone& cone) {
  const std::size_t d = numbers_.inputs;
  vertices_.resize(static_cast<Index>(cone.rays.size()), static_cast<Index>(d));
  Index vertices = 0;
  for (const std::int32_t ray : cone.rays) {
    const std::span<const double> x = search_->rays().coordinates(ray);
    if (x[d] <= 0) continue;
    std::ranges::transform(x.first(d), vertices_.row(vertices).begin(), [&](double value) { return value / x[d]; });
    ++vertices;
  }
  vertices_.resize(vertices, static_cast<Index>(d));
  return vertices == static_cast<Index>(cone.rays.size()) && search_->free_directions() == 0;
}

// Sets the point inside from the vertices and the cone's directions.
void RegionCollector::place_point(const Cone& cone) {
  const std::size_t d = numbers_.inputs;
  const Index vertices = vertices_.rows(), directions = static_cast<Index>(cone.rays.size()) - vertices;
  std::vector<double> mean(d), direction(d);
  for (const std::int32_t ray : cone.rays) {
    const std::span<const double> x = search_->rays().coordinates(ray);
    const bool is_vertex = x[d] > 0;
    const double size = is_vertex ? x[d] : euclidean_length(x.first(d));
    for (std::size_t j = 0; j < d; ++j) (is_vertex ? mean : direction)[j] += x[j] / size;
  }
  for (double& value : mean) value /= static_cast<double>(vertices);
  // The step along the directions is as long as the region's bounded part is large.
  double step = 0;
  for (Index v = 0; v < vertices && directions > 0; ++v) {
    std::vector<double> difference(mean);
    for (std::size_t j = 0; j < d; ++j) difference[j] -= vertices_(v, static_cast<Index>(j));
    step = std::max(step, euclidean_length(difference));
  }
  if (step == 0) step = euclidean_length(mean);
  if (step == 0) step = 1;
  for (std::size_t j = 0; j < d; ++j) {
    point_.span()[j] = mean[j];
    if (directions > 0) point_.span()[j] += step * direction[j] / static_cast<double>(directions);
  }
}

// The walls that all rays of a facet lie on.
std::span<const Word> RegionCollector::common_walls(const Cone& cone, std::span<const Word> members) {
  std::ranges::fill(common_, ~Word{0});
  for_each_member(members, [&](std::size_t i) {
    const std::span<const Word> zero = search_->rays().zero(cone.rays[i]);
    for (std::size_t w = 0; w < common_.size(); ++w) common_[w] &= zero[w];
  });
  return common_;
}

bool RegionCollector::is_on_box(const Cone& cone, const ConeFacets& facets) {
  if (std::isinf(box_)) return false;
  for (std::size_t f = 0; f < facets.count(); ++f) {
    const std::span<const Word> walls = common_walls(cone, facets.members_of(f));
    for (std::size_t side = numbers_.box(); side < numbers_.count(); ++side)
      if (has(walls, side)) return true;
  }
  return false;
}

double RegionCollector::clearance(const FoundRegion& found, const ConeFacets& facets) {
  const std::size_t d = numbers_.inputs;
  const std::span<const double> x = point_.span();
  double nearest = infinity;
  for (const std::size_t wall : facets.walls) {
    if (wall >= numbers_.units && wall < numbers_.box()) continue;
    double distance = 0;
    if (wall < numbers_.units) {
      const auto [values, errors] = search_->rows().row(wall);
      std::vector<double> row(values.begin(), values.end());
      // Where terms cancel, little of a row in doubles may be true.
      if (euclidean_length(errors) > 1e-8 * euclidean_length(values.first(d)))
        round_to(search_->rows().exact_row(wall), row);
      const double length = euclidean_length(std::span(row).first(d));
      if (length == 0) continue;
      const double value = std::inner_product(x.begin(), x.end(), row.begin(), row[d]);
      distance = (has(found.code, wall) ? value : -value) / length;
    } else {
      const std::size_t side = wall - numbers_.box();
      distance = box_ + (side % 2 == 0 ? -x[side / 2] : x[side / 2]);
    }
    nearest = std::min(nearest, std::max(distance, 0.0));
  }
  return nearest;
}

void RegionCollector::measure(LinearRegion& region) {
  const std::size_t d = numbers_.inputs, outputs = numbers_.outputs;
  const std::span<const double> x = point_.span();
  std::vector<double> centroid(d);
  double largest = 0;
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::span<const double> row = search_->rows().output(i);
    const double value = std::inner_product(x.begin(), x.end(), row.begin(), row[d]);
    std::ranges::copy(row.first(d), jacobian_.row(static_cast<Index>(i)).begin());
    for (std::size_t j = 0; j < d; ++j) centroid[j] += row[j];
    if (outputs == 1) region.label = value > 0 ? 1 : 0;
    if (i > 0 && value > largest) region.label = static_cast<std::int32_t>(i);
    largest = i == 0 ? value : std::max(largest, value);
  }
  region.jacobian_norm = euclidean_length(jacobian_.span());
  const double lengths = euclidean_length(centroid) * euclidean_length(x);
  if (lengths > 1e-8)
    region.centroid_alignment = std::inner_product(x.begin(), x.end(), centroid.begin(), 0.0) / lengths;
  region.effective_rank = singular_geometry(jacobian_, point_).effective_rank;
}

// The part of the region in which a class wins; without rays where it has no interior. The class most likely to win
// against it, or itself, is the rival.
Cone RegionCollector::part_of(const FoundRegion& found, std::size_t label, std::size_t rival,
                              std::vector<Word>& known) {
  Cone part = found.cone;
  known.assign(found.known.begin(), found.known.end());
  for (std::size_t i = 0; i < numbers_.classes(); ++i) {
    const std::size_t other = i == 0 ? rival : i <= rival ? i - 1 : i;
    if (other == label) continue;
    const bool is_first = label < other;
    const std::size_t wall = numbers_.pair(std::min(label, other), std::max(label, other));
    const auto [above, below] = search_->cutter().sides(part, wall, known);
    // Where two classes are the same function, the first wins.
    if (is_first ? below && !above : !below) return {};
    if (above && below) {
      auto [lower, upper] = search_->cutter().cut(part, wall, known);
      part = std::move(is_first ? upper : lower);
    }
    assign(known, wall, true);
  }
  return part;
}

void RegionCollector::add_pieces(const FoundRegion& found, const ConeFacets& facets, std::size_t inside) {
  const std::int32_t rays = search_->rays().size();
  std::vector<Word> known;
  if (part_of(found, inside, inside, known).rays == found.cone.rays)
    return add_piece(found, found.cone, facets, inside, complex_.regions.back().volume);
  for (std::size_t label = 0; label < numbers_.classes(); ++label) {
    const Cone part = part_of(found, label, inside, known);
    if (!part.rays.empty()) {
      const ConeFacets of_part = search_->cutter().facets(part, known);
      add_piece(found, part, of_part, label, place_vertices(part) ? volume(vertices_, of_part) : infinity);
    }
    search_->rays().truncate(rays);
  }
}

void RegionCollector::add_piece(const FoundRegion& found, const Cone& cone, const ConeFacets& facets, std::size_t label,
                                double volume) {
  const auto piece = static_cast<std::int32_t>(complex_.pieces.size());
  complex_.pieces.push_back({.region = static_cast<std::int32_t>(complex_.count() - 1),
                             .label = static_cast<std::int32_t>(label),
                             .volume = volume});
  for (std::size_t f = 0; f < facets.count(); ++f) {
    if (facets.walls[f] >= numbers_.units) continue;
    const std::span<const Word> walls = common_walls(cone, facets.members_of(f));
    bool is_outer = has(walls, numbers_.infinity());
    for (std::size_t side = numbers_.box(); side < numbers_.count(); ++side) is_outer = is_outer || has(walls, side);
    if (is_outer) continue;
    for (std::size_t w = 0; w < code_words_; ++w) {
      const std::size_t rest = numbers_.units - w * word_bits;
      const Word zero = walls[w] & (rest < word_bits ? (Word{1} << rest) - 1 : ~Word{0});
      key_[2 * w] = zero;
      key_[2 * w + 1] = found.code[w] & ~zero;
    }
    const XXH128_hash_t hash = XXH3_128bits(key_.data(), key_.size() * sizeof(Word));
    faces_.push_back({.key = {hash.low64, hash.high64}, .piece = piece});
  }
}

// The pieces on both sides of one facet.
void RegionCollector::join(std::span<const FaceRecord> face, std::vector<std::int32_t>& parents) {
  const auto piece = [&](const FaceRecord& record) -> const DecisionPiece& {
    return complex_.pieces[static_cast<std::size_t>(record.piece)];
  };
  const std::int32_t first = piece(face.front()).region, second = piece(face.back()).region;
  const auto middle =
      std::ranges::find_if(face, [&](const FaceRecord& record) { return piece(record).region != first; });
  const auto left = std::span(face.begin(), middle), right = std::span(middle, face.end());
  if (right.empty() || piece(right.front()).region != second)
    throw RunError(text("regions: a facet of region ", first, " belongs to no other region, or to more than one"));
  RegionFacet facet{.first = first, .second = second, .is_crossed = left.size() > 1 || right.size() > 1};
  std::size_t joined = 0;
  for (const FaceRecord& a : left)
    for (const FaceRecord& b : right)
      if (piece(a).label == piece(b).label) {
        parents[static_cast<std::size_t>(root_of(parents, a.piece))] = root_of(parents, b.piece);
        ++joined;
      }
  facet.is_decision = joined < left.size() || joined < right.size();
  complex_.facets.push_back(facet);
}

void RegionCollector::join_faces() {
  std::ranges::sort(faces_, std::less<>());
  std::vector<std::int32_t> parents(complex_.pieces.size());
  std::iota(parents.begin(), parents.end(), 0);
  for (std::size_t begin = 0, end = 0; begin < faces_.size(); begin = end) {
    while (end < faces_.size() && faces_[end].is_beside(faces_[begin])) ++end;
    join(std::span(faces_).subspan(begin, end - begin), parents);
  }
  faces_ = {};
  std::ranges::sort(complex_.facets, [](const RegionFacet& a, const RegionFacet& b) {
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  });
  std::vector<std::int32_t> components(complex_.pieces.size(), -1);
  for (std::size_t p = 0; p < complex_.pieces.size(); ++p) {
    std::int32_t& component = components[static_cast<std::size_t>(root_of(parents, static_cast<std::int32_t>(p)))];
    if (component < 0) {
      component = static_cast<std::int32_t>(complex_.component_labels.size());
      complex_.component_labels.push_back(complex_.pieces[p].label);
    }
    complex_.pieces[p].component = component;
  }
}

// The only region of a network without hidden layers was found in parts: one piece for each class.
void RegionCollector::join_parts() {
  std::vector<DecisionPiece>& pieces = complex_.pieces;
  std::ranges::stable_sort(pieces, {}, &DecisionPiece::label);
  std::size_t count = 0;
  for (const DecisionPiece& piece : pieces) {
    if (count > 0 && pieces[count - 1].label == piece.label)
      pieces[count - 1].volume += piece.volume;
    else
      pieces[count++] = piece;
  }
  pieces.resize(count);
}

RegionComplex RegionCollector::take() {
  if (complex_.units.empty()) join_parts();
  join_faces();
  complex_.exact_decisions = search_->rays().exact_decisions();
  complex_.inside = Matrix<double>(complex_.count(), static_cast<Index>(numbers_.inputs), std::move(inside_));
  return std::move(complex_);
}

}  // namespace normalign::detail
