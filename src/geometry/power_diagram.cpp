#include "geometry/power_diagram.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/reduce.hpp"

namespace normalign {
namespace {

void sort_unique(std::vector<Index>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// On which side of a hyperplane a face has vertices: one of these, both, or 0 for none, when it lies in the hyperplane.
constexpr unsigned above = 1, below = 2, both = above | below;

// A polytope of dimension j by the polytopes of dimension j - 1 around it; a vertex has none.
struct Face {
  std::vector<Index> boundary = {};
  unsigned side = 0;
  // Of a face that the hyperplane divides, which itself becomes the part above:
  Index lower = 0;    // the part below
  Index section = 0;  // the face of dimension j - 1 between the two
};

// Polytopes that fill a box and meet face to face. Every face is there once, whatever the number of cells around it, so
// all of them see the same division of it.
class Arrangement {
 public:
  // The box |x_i| <= half_width in d dimensions as one cell.
  Arrangement(Index d, double half_width, StopPoll stop);

  // Divides every cell that lies on both sides of w x + b = 0. Of cell i, side(i) is where it lay, before that.
  void cut(std::span<const double> w, double b);

  Index cells() const { return static_cast<Index>(faces_.back().size()); }
  unsigned side(Index cell) const { return faces_.back()[at(cell)].side; }
  // The vertices of a cell, m x d.
  Matrix<double> vertices(Index cell) const;

 private:
  static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
  Index add_vertex(std::vector<double> point);
  Index add_face(std::size_t dimension, std::vector<Index> boundary);
  Index add_crossing(const Face& edge);
  void divide(std::size_t dimension, Index face);

  StopPoll stop_;
  double radius_;                            // of the box: no vertex is farther from 0
  std::vector<std::vector<double>> points_;  // of the vertices
  std::vector<double> heights_;              // w x + b at the vertices
  std::vector<std::vector<Face>> faces_;     // by dimension, from 0
};

// Each face of a box is a word over {low, high, whole}, one letter to a coordinate; its boundary has `low` or `high`
// for one `whole`. Words are numbered in base 3, so those of a boundary come first.
Arrangement::Arrangement(Index d, double half_width, StopPoll stop)
    : stop_(std::move(stop)), radius_(half_width * std::sqrt(static_cast<double>(d))), faces_(at(d) + 1) {
  std::vector<Index> numbers;
  const auto words = static_cast<Index>(std::lround(std::pow(3, d)));
  for (Index word = 0; word < words; ++word) {
    std::vector<double> point;
    std::vector<Index> boundary;
    for (Index place = 1; place < words; place *= 3) {
      const Index letter = word / place % 3;
      point.push_back(letter == 0 ? -half_width : half_width);
      if (letter == 2)
        for (Index less : {1, 2}) boundary.push_back(numbers[at(word - less * place)]);
    }
    const std::size_t dimension = boundary.size() / 2;
    numbers.push_back(dimension == 0 ? add_vertex(std::move(point)) : add_face(dimension, std::move(boundary)));
  }
}

Index Arrangement::add_vertex(std::vector<double> point) {
  points_.push_back(std::move(point));
  heights_.push_back(0);
  return add_face(0, {});
}

Index Arrangement::add_face(std::size_t dimension, std::vector<Index> boundary) {
  faces_[dimension].push_back({.boundary = std::move(boundary)});
  return static_cast<Index>(faces_[dimension].size()) - 1;
}

void Arrangement::cut(std::span<const double> w, double b) {
  // Vertices are points between others, so their rounding is that of the box and not of their own size.
  const double rounding = 1e-12 * (std::sqrt(dot(w, w)) * radius_ + std::abs(b));
  for (std::size_t v = 0; v < points_.size(); ++v) {
    heights_[v] = dot<double>(w, points_[v]) + b;
    faces_[0][v].side = heights_[v] > rounding ? above : heights_[v] < -rounding ? below : 0;
  }
  for (std::size_t j = 1; j < faces_.size(); ++j) {
    const auto count = static_cast<Index>(faces_[j].size());
    for (Index i = 0; i < count; ++i) {
      unsigned& side = faces_[j][at(i)].side;
      side = 0;
      for (Index facet : faces_[j][at(i)].boundary) side |= faces_[j - 1][at(facet)].side;
      if (side == both) divide(j, i);
    }
  }
}

Index Arrangement::add_crossing(const Face& edge) {
  const std::size_t a = at(edge.boundary[0]), b = at(edge.boundary[1]);
  const double t = heights_[a] / (heights_[a] - heights_[b]);
  std::vector<double> point = points_[a];
  for (std::size_t i = 0; i < point.size(); ++i) point[i] += t * (points_[b][i] - point[i]);
  return add_vertex(std::move(point));
}

void Arrangement::divide(std::size_t dimension, Index face) {
  stop_.check();
  std::vector<Index> upper, lower, section;
  for (Index i : faces_[dimension][at(face)].boundary) {
    const Face& facet = faces_[dimension - 1][at(i)];
    if (facet.side & above) upper.push_back(i);
    if (facet.side & below) lower.push_back(facet.side == both ? facet.lower : i);
    if (facet.side == both)
      section.push_back(facet.section);
    else  // it may touch the hyperplane
      for (Index touching : facet.boundary)
        if (faces_[dimension - 2][at(touching)].side == 0) section.push_back(touching);
  }
  // Where two facets meet in the hyperplane both have named it.
  sort_unique(section);
  if (dimension == 2 && section.size() != 2)
    throw RunError(text("power_diagram: a hyperplane meets the edges of a polygon in ", section.size(),
                        " points; its sides are within rounding of each other"));

  const Index between = dimension == 1 ? add_crossing(faces_[1][at(face)]) : add_face(dimension - 1, section);
  upper.push_back(between);
  lower.push_back(between);
  const Index rest = add_face(dimension, std::move(lower));
  faces_[dimension][at(face)] = {.boundary = std::move(upper), .side = both, .lower = rest, .section = between};
}

Matrix<double> Arrangement::vertices(Index cell) const {
  std::vector<Index> found{cell};
  for (std::size_t j = faces_.size() - 1; j > 0; --j) {
    std::vector<Index> smaller;
    for (Index i : found) std::ranges::copy(faces_[j][at(i)].boundary, std::back_inserter(smaller));
    sort_unique(smaller);
    found = std::move(smaller);
  }
  Matrix<double> result(static_cast<Index>(found.size()), static_cast<Index>(points_.front().size()));
  for (Index i = 0; i < result.rows(); ++i) std::ranges::copy(points_[at(found[at(i)])], result.row(i).begin());
  return result;
}

const PiecewiseAffineLayer& checked_layer(const PiecewiseAffineNetwork& network, Index layer,
                                          const PowerDiagramOptions& options) {
  if (layer < 0 || layer >= network.hidden_layers())
    throw InputError(text("power_diagram: layer is ", layer, "; it must be a hidden layer, from 0 to ",
                          network.hidden_layers() - 1));
  const PiecewiseAffineLayer& found = network.layers()[static_cast<std::size_t>(layer)];
  if (found.weight.cols() > 3)
    throw InputError(text("power_diagram: layer ", layer, " has ", found.weight.cols(),
                          " inputs; diagrams are enumerated for at most 3"));
  if (found.slope > 1)
    throw InputError(text("power_diagram: layer ", layer, " has slope ", found.slope, "; it must be at most 1"));
  if (!(options.half_width > 0) || !std::isfinite(options.half_width))
    throw InputError(text("power_diagram: half_width is ", options.half_width, "; it must be positive and finite"));
  return found;
}

}  // namespace

PowerCell power_cell(const AffineMap& map) {
  Matrix<double> centroid(1, map.slope.cols());
  for (Index i = 0; i < map.slope.rows(); ++i)
    for (Index j = 0; j < map.slope.cols(); ++j) centroid(0, j) += map.slope(i, j);
  const double radius = dot<double>(centroid.span(), centroid.span()) + 2 * total<double>(map.offset.span());
  return {.centroid = std::move(centroid), .radius = radius};
}

double power_distance(ConstView<double> x, const PowerCell& cell) {
  if (x.shape() != cell.centroid.shape())
    throw InputError(text("power_distance: x is ", x.shape(), "; it must be ", cell.centroid.shape()));
  double squared = 0;
  for (Index j = 0; j < x.cols(); ++j) squared += std::pow(x(0, j) - cell.centroid(0, j), 2);
  return squared - cell.radius;
}

std::vector<DiagramCell> power_diagram(const PiecewiseAffineNetwork& network, Index layer,
                                       const PowerDiagramOptions& options) {
  const PiecewiseAffineLayer& units = checked_layer(network, layer, options);
  const StopPoll stop("power_diagram", options.stop);
  Arrangement arrangement(units.weight.cols(), options.half_width, stop);
  std::vector<ActivationCode> codes(1);
  for (Index k = 0; k < units.weight.rows(); ++k) {
    arrangement.cut(units.weight.row(k), units.bias(0, k));
    for (std::size_t i = 0, count = codes.size(); i < count; ++i) {
      const unsigned side = arrangement.side(static_cast<Index>(i));
      // The parts below were added in the order of the cells.
      if (side == both) {
        codes.push_back(codes[i]);
        codes.back().push_back(0);
      }
      codes[i].push_back((side & above) != 0);
    }
    if (arrangement.cells() > options.max_cells)
      throw RunError(text("power_diagram: layer ", layer, " has ", arrangement.cells(), " cells by unit ", k,
                          "; max_cells is ", options.max_cells));
  }
  std::vector<DiagramCell> result;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    stop.check();
    const Matrix<double> vertices = arrangement.vertices(static_cast<Index>(i));
    result.push_back({.code = codes[i], .site = power_cell(layer_map(units, codes[i])), .vertices = vertices});
  }
  return result;
}

}  // namespace normalign
