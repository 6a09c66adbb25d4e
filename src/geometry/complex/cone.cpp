#include "geometry/complex/cone.hpp"

#include <algorithm>
#include <cmath>

namespace normalign::detail {
namespace {

std::span<const Word> set_at(const std::vector<Word>& sets, std::size_t i, std::size_t words) {
  return std::span(sets).subspan(i * words, words);
}

void intersect(std::span<const Word> a, std::span<const Word> b, std::span<Word> result) {
  for (std::size_t w = 0; w < result.size(); ++w) result[w] = a[w] & b[w];
}

// Calls visit(i) for the sets that no other includes and no earlier one equals.
template <class Visit>
void for_each_maximal(const std::vector<Word>& sets, std::size_t words, const Visit& visit) {
  const std::size_t count = sets.size() / words;
  for (std::size_t i = 0; i < count; ++i) {
    bool is_maximal = true;
    for (std::size_t j = 0; j < count && is_maximal; ++j)
      is_maximal = i == j || !includes(set_at(sets, j, words), set_at(sets, i, words)) ||
                   (i < j && includes(set_at(sets, i, words), set_at(sets, j, words)));
    if (is_maximal) visit(i);
  }
}

// A polytope as simplices that share a vertex with each of its faces: the first vertex of a face and a simplex of one
// of the face's facets that do not have it, again and again (Cohen and Hickey, Two algorithms for determining volumes
// of convex polyhedra, J. ACM 26, 1979).
class Triangulation {
 public:
  Triangulation(ConstView<double> vertices, const ConeFacets& facets)
      : vertices_(vertices),
        words_(words_for(facets.rays)),
        d_(static_cast<std::size_t>(vertices.cols())),
        edges_(d_ * d_),
        facets_(d_ + 1),
        parts_(d_ + 1) {
    std::vector<Word> all(words_);
    for (std::size_t i = 0; i < facets.rays; ++i) assign(all, i, true);
    facets_[0] = facets.members;
    visit(all, 0);
  }

  double volume() const { return volume_; }

 private:
  // A face of dimension d - depth, whose facets are those of that depth.
  void visit(std::span<const Word> face, std::size_t depth) {
    const std::size_t corners = corners_.size();
    if (size_of(face) == d_ - depth + 1) {
      for_each_member(face, [&](std::size_t vertex) { corners_.push_back(vertex); });
      volume_ += simplex();
      corners_.resize(corners);
      return;
    }
    std::size_t first = 0;
    while (!has(face, first)) ++first;
    corners_.push_back(first);
    const std::vector<Word>& facets = facets_[depth];
    for (std::size_t f = 0; f < facets.size() / words_; ++f) {
      const std::span<const Word> facet = set_at(facets, f, words_);
      if (has(facet, first)) continue;
      // The facets of a facet are its largest intersections with the others.
      std::vector<Word>& parts = parts_[depth];
      parts.clear();
      for (std::size_t g = 0; g < facets.size() / words_; ++g) {
        if (g == f) continue;
        parts.resize(parts.size() + words_);
        intersect(facet, set_at(facets, g, words_), std::span(parts).last(words_));
        // Too few vertices for their dimension, d - depth - 2.
        if (size_of(std::span(parts).last(words_)) + depth + 1 < d_) parts.resize(parts.size() - words_);
      }
      std::vector<Word>& largest = facets_[depth + 1];
      largest.clear();
      for_each_maximal(parts, words_, [&](std::size_t i) {
        const auto part = set_at(parts, i, words_);
        largest.insert(largest.end(), part.begin(), part.end());
      });
      visit(facet, depth + 1);
    }
    corners_.resize(corners);
  }

  // The volume of the simplex of the corners: Gaussian elimination on its edges.
  double simplex() {
    const auto at = [&](std::size_t i, std::size_t j) -> double& { return edges_[i * d_ + j]; };
    for (std::size_t i = 0; i < d_; ++i)
      for (std::size_t j = 0; j < d_; ++j)
        at(i, j) = vertices_(static_cast<Index>(corners_[i + 1]), static_cast<Index>(j)) -
                   vertices_(static_cast<Index>(corners_[0]), static_cast<Index>(j));
    double result = 1;
    for (std::size_t column = 0; column < d_; ++column) {
      std::size_t pivot = column;
      for (std::size_t i = column + 1; i < d_; ++i)
        if (std::abs(at(i, column)) > std::abs(at(pivot, column))) pivot = i;
      if (at(pivot, column) == 0) return 0;
      for (std::size_t j = 0; j < d_; ++j) std::swap(at(pivot, j), at(column, j));
      for (std::size_t i = column + 1; i < d_; ++i) {
        const double factor = at(i, column) / at(column, column);
        for (std::size_t j = column; j < d_; ++j) at(i, j) -= factor * at(column, j);
      }
      result *= std::abs(at(column, column)) / static_cast<double>(column + 1);
    }
    return result;
  }

  ConstView<double> vertices_;
  std::size_t words_, d_;
  std::vector<std::size_t> corners_;
  std::vector<double> edges_;
  std::vector<std::vector<Word>> facets_, parts_;  // working memory of each depth
  double volume_ = 0;
};

}  // namespace

ConeCutter::Sides ConeCutter::sides(const Cone& cone, std::size_t wall, std::span<const Word> known) {
  Sides result;
  for (const std::int32_t ray : cone.rays) {
    const int sign = rays_->sign(ray, wall, known);
    result.above |= sign > 0;
    result.below |= sign < 0;
  }
  return result;
}

std::pair<Cone, Cone> ConeCutter::cut(const Cone& cone, std::size_t wall, std::span<const Word> known) {
  const std::size_t words = known.size(), n = cone.rays.size();
  std::pair<Cone, Cone> result;
  auto& [lower, upper] = result;
  above_.clear();
  below_.clear();
  tight_.resize(n * words);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t ray = cone.rays[i];
    intersect(rays_->zero(ray), known, std::span(tight_).subspan(i * words, words));
    const int sign = rays_->sign(ray, wall, known);
    if (sign >= 0) upper.rays.push_back(ray);
    if (sign <= 0) lower.rays.push_back(ray);
    if (sign > 0) above_.push_back(i);
    if (sign < 0) below_.push_back(i);
  }
  // Two rays span an edge when no third lies on all walls that both lie on; walls on which the edge lies are at least
  // dimension - 2.
  std::vector<Word> common(words);
  for (const std::size_t a : above_)
    for (const std::size_t b : below_) {
      intersect(set_at(tight_, a, words), set_at(tight_, b, words), common);
      if (size_of(common) + 2 < dimension_) continue;
      std::size_t third = 0;
      while (third < n && (third == a || third == b || !includes(set_at(tight_, third, words), common))) ++third;
      if (third < n) continue;
      const std::int32_t ray = rays_->crossing(cone.rays[a], cone.rays[b], wall, known);
      lower.rays.push_back(ray);
      upper.rays.push_back(ray);
    }
  return result;
}

ConeFacets ConeCutter::facets(const Cone& cone, std::span<const Word> known) const {
  const std::size_t n = cone.rays.size(), words = words_for(n);
  // The walls that rays lie on, and the rays on each.
  std::vector<Word> touched(known.size());
  for (const std::int32_t ray : cone.rays)
    for (std::size_t w = 0; w < known.size(); ++w) touched[w] |= rays_->zero(ray)[w] & known[w];
  std::vector<std::size_t> walls;
  std::vector<Word> members;
  for_each_member(touched, [&](std::size_t wall) {
    const std::size_t begin = members.size();
    members.resize(begin + words);
    const std::span<Word> on = std::span(members).subspan(begin);
    for (std::size_t i = 0; i < n; ++i)
      if (has(rays_->zero(cone.rays[i]), wall)) assign(on, i, true);
    const std::size_t count = size_of(on);
    // A function that is zero on the whole cone is no wall of it.
    if (count < n && count + 1 >= dimension_)
      walls.push_back(wall);
    else
      members.resize(begin);
  });
  ConeFacets result{.rays = n, .walls = {}, .members = {}};
  for_each_maximal(members, words, [&](std::size_t i) {
    result.walls.push_back(walls[i]);
    const auto on = set_at(members, i, words);
    result.members.insert(result.members.end(), on.begin(), on.end());
  });
  return result;
}

double volume(ConstView<double> vertices, const ConeFacets& facets) { return Triangulation(vertices, facets).volume(); }

}  // namespace normalign::detail
