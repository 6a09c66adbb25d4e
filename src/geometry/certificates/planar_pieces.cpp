#include "geometry/certificates/planar_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "geometry/certificates/rounding.hpp"
#include "geometry/planar/slice.hpp"

namespace normalign::detail {
namespace {

// So many of the nearest pieces are computed in long double, which takes three times as long.
constexpr std::size_t most_sharpened = 1000;
constexpr Index followed_jumps = 24;

// Ends what takes too long, or would be rounded.
struct Unsuited {};

double largest_size(const Point& p) { return std::max(std::abs(p.x), std::abs(p.y)); }

double cross_product(const Point& p, const Point& q) { return p.x * q.y - p.y * q.x; }

// The margins with steps in units of 2^exponent, and of one input with a second one that nothing depends on.
PiecewiseAffineNetwork planar_network(const PiecewiseAffineNetwork& network, int exponent) {
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  Matrix<double> weight(layers.front().weight.rows(), 2);
  for (Index k = 0; k < weight.rows(); ++k)
    for (Index i = 0; i < network.inputs(); ++i) {
      const double given = layers.front().weight(k, i);
      weight(k, i) = std::ldexp(given, exponent);
      if (std::ldexp(weight(k, i), -exponent) != given) throw Unsuited{};
    }
  layers.front().weight = std::move(weight);
  return PiecewiseAffineNetwork(std::move(layers));
}

// At most the distance of the origin from the segment. Whatever the rounding of the point next to the origin, it is
// off by a few roundings of the ends.
double distance_below(const Point& p, const Point& q, Norm norm) {
  const Point way{q.x - p.x, q.y - p.y};
  const auto length_at = [&](double share) {
    const Point at = between(p, q, std::clamp(share, 0.0, 1.0));
    return norm == Norm::l2 ? std::hypot(at.x, at.y) : largest_size(at);
  };
  double least = std::min(length_at(0), length_at(1));
  const auto try_share = [&](double share) {
    if (std::isfinite(share)) least = std::min(least, length_at(share));
  };
  if (norm == Norm::l2) {
    try_share(-(p.x * way.x + p.y * way.y) / (way.x * way.x + way.y * way.y));
  } else {
    // The larger of two sizes is least at an end, where one is 0, or where they are the same.
    try_share(-p.x / way.x);
    try_share(-p.y / way.y);
    try_share((p.y - p.x) / (way.x - way.y));
    try_share(-(p.x + p.y) / (way.x + way.y));
  }
  return std::max(0.0, least - rounding_of<double>(32) * (largest_size(p) + largest_size(q)));
}

// The same of a convex polygon; 0 where it may hold the origin: where that is on the same side of all edges, and the
// points are around it. The latter tells polygons that are next to a point, or in line with the origin, from such.
double distance_below(std::span<const Point> polygon, Norm norm) {
  double least = infinity, size = 0;
  Point low = polygon[0], high = polygon[0];
  bool is_left = true, is_right = true;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point &p = polygon[i], &q = polygon[(i + 1) % polygon.size()];
    least = std::min(least, distance_below(p, q, norm));
    const double side = cross_product(p, q), rounding = rounding_of<double>(8) * largest_size(p) * largest_size(q);
    is_left &= side >= -rounding;
    is_right &= side <= rounding;
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    size = std::max(size, largest_size(p));
  }
  const double off = rounding_of<double>(16) * size;
  const bool is_around = low.x <= off && high.x >= -off && low.y <= off && high.y >= -off;
  return is_around && (is_left || is_right) ? 0 : least;
}

// What is left of the triangle where the function of these values at its corners is >= 0, or a little more.
template <class T>
std::vector<Point> positive_part(std::span<const Point, 3> corners, std::span<const T, 3> values) {
  std::vector<Point> result;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::size_t j = (i + 1) % 3;
    if (values[i] >= 0) result.push_back(corners[i]);
    if ((values[i] >= 0) == (values[j] >= 0)) continue;
    const std::size_t in = values[i] >= 0 ? i : j, out = in == i ? j : i;
    const T share = values[in] / (values[in] - values[out]) * (1 + rounding_of<double>(8));
    result.push_back(between(corners[in], corners[out], std::min(1.0, static_cast<double>(share))));
  }
  return result;
}

// The margins on cells of the partition, one after the other, computed in numbers of type T.
//
// What a unit's value anywhere in a cell may differ from the mean of its values at the corners, taken through layers by
// the cell's code: where the unit's own sign may be another, its layer's jump; where an earlier unit's was, what later
// layers make of that; and rounding. A few of the jumps are followed with their signs, each through the maps behind it
// (`jumps_`). All else is added up by sizes, which grow from layer to layer more than need be (`errors_`).
template <class T>
class CellMargins {
 public:
  // `network` is that of `planar_network`, and so are corners; the radius is in the margins' units.
  CellMargins(const CentredMargins& margins, const PiecewiseAffineNetwork& network, double radius, Index most_jumps)
      : margins_(margins), network_(network), most_jumps_(most_jumps) {
    constexpr bool is_wide = sizeof(T) > sizeof(double);
    for (std::size_t k = 0; k < margins.first_rate().size(); ++k) {
      // The corners of a square of two coordinates are at most so far away in either norm.
      const T far = T{1.5} * radius * margins.first_rate()[k];
      first_bias_.push_back(margins.network().layers().front().bias.span()[k] +
                            (is_wide ? margins.first_rest()[k] : 0));
      first_errors_.push_back(far + (is_wide ? margins.first_rest_error()[k] : margins.first_constant()[k]));
    }
  }

  // The margins at the corners, c x k, raised by what the means of corners may be off anywhere in the cell.
  MatrixView<T> raised(std::span<const Point> corners, std::span<const std::uint8_t> code) {
    values_.resize(static_cast<Index>(corners.size()), 2);
    for (std::size_t c = 0; c < corners.size(); ++c) {
      values_(static_cast<Index>(c), 0) = corners[c].x;
      values_(static_cast<Index>(c), 1) = corners[c].y;
    }
    errors_.assign(2, 0);
    jumps_.resize(0, 2);
    for (Index l = 0;; ++l) {
      advance_layer(l);
      if (l == network_.hidden_layers()) break;
      activate_layer(network_.layers()[static_cast<std::size_t>(l)].slope,
                     code.subspan(static_cast<std::size_t>(network_.first_unit(l))));
    }
    for (Index c = 0; c < values_.rows(); ++c)
      for (Index j = 0; j < values_.cols(); ++j)
        values_(c, j) += error_of(j) + rounding_of<T>(2) * std::abs(values_(c, j));
    return values_;
  }

 private:
  T error_of(Index unit) const {
    T result = errors_[static_cast<std::size_t>(unit)];
    for (Index g = 0; g < jumps_.rows(); ++g) result += std::abs(jumps_(g, unit));
    return result * (1 + rounding_of<T>(jumps_.rows() + 2));
  }

  static T product(std::span<const double> weights, std::span<const T> z, T offset) {
    T sum = offset;
#pragma omp simd reduction(+ : sum)
    for (std::size_t i = 0; i < z.size(); ++i) sum += weights[i] * z[i];
    return sum;
  }

  // The pre-activations of a layer and what means of them may be off, out of those of what comes in.
  void advance_layer(Index l) {
    const auto& [weight, bias, slope] = network_.layers()[static_cast<std::size_t>(l)];
    const bool is_last = l == network_.hidden_layers();
    const Matrix<double>& sizes = is_last ? margins_.last_weight_sizes() : weight;
    const Matrix<double>& bias_sizes = is_last ? margins_.last_bias_sizes() : bias;
    const T rounding = rounding_of<T>(weight.cols() + 16) + (is_last ? rounding_of<double>(2) : 0);
    std::vector<T> shares(errors_.size());
    for (std::size_t i = 0; i < shares.size(); ++i) {
      const auto unit = static_cast<Index>(i);
      T largest = error_of(unit);
      for (Index c = 0; c < values_.rows(); ++c) largest = std::max(largest, std::abs(values_(c, unit)));
      shares[i] = errors_[i] + 2 * rounding * largest;
    }
    next_.resize(values_.rows(), weight.rows());
    next_jumps_.resize(jumps_.rows(), weight.rows());
    errors_.resize(static_cast<std::size_t>(weight.rows()));
    for (Index k = 0; k < weight.rows(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const std::span<const double> w = weight.row(k), w_size = sizes.row(k);
      const T offset = l == 0 ? first_bias_[at] : static_cast<T>(bias(0, k));
      for (Index c = 0; c < values_.rows(); ++c) next_(c, k) = product(w, std::as_const(values_).row(c), offset);
      for (Index g = 0; g < jumps_.rows(); ++g) next_jumps_(g, k) = product(w, std::as_const(jumps_).row(g), 0);
      T error = rounding * std::abs(static_cast<T>(bias_sizes(0, k))) + (l == 0 ? first_errors_[at] : 0);
#pragma omp simd reduction(+ : error)
      for (std::size_t i = 0; i < shares.size(); ++i) error += std::abs(w_size[i]) * shares[i];
      errors_[at] = error * (1 + rounding) + underflow_of<T>(weight.cols() + 16);
    }
    std::swap(values_, next_);
    std::swap(jumps_, next_jumps_);
  }

  // Every unit has the slope of the code; one that may have the other sign somewhere in the cell jumps.
  void activate_layer(double slope, std::span<const std::uint8_t> code) {
    const T jump = std::abs(1 - T{slope}) * (1 + rounding_of<T>(8));
    std::vector<std::pair<Index, T>> jumping;
    for (Index k = 0; k < values_.cols(); ++k) {
      const auto at = static_cast<std::size_t>(k);
      const T own_slope = code[at] ? 1 : slope, bound = error_of(k);
      T least = infinity;  // on the code's side
      for (Index c = 0; c < values_.rows(); ++c) {
        least = std::min(least, code[at] ? values_(c, k) : -values_(c, k));
        values_(c, k) *= own_slope;
      }
      errors_[at] *= std::abs(own_slope);
      for (Index g = 0; g < jumps_.rows(); ++g) jumps_(g, k) *= own_slope;
      if (least >= bound) continue;
      const T size = jump * (bound + std::max(T{0}, -least));
      if (jumps_.rows() + static_cast<Index>(jumping.size()) < most_jumps_)
        jumping.emplace_back(k, size);
      else
        errors_[at] += size;
    }
    const Index before = jumps_.rows();
    next_jumps_ = Matrix<T>(before + static_cast<Index>(jumping.size()), values_.cols());
    std::ranges::copy(jumps_.span(), next_jumps_.data());
    for (std::size_t g = 0; g < jumping.size(); ++g)
      next_jumps_(before + static_cast<Index>(g), jumping[g].first) = jumping[g].second;
    std::swap(jumps_, next_jumps_);
  }

  const CentredMargins& margins_;
  const PiecewiseAffineNetwork& network_;
  Index most_jumps_;
  std::vector<T> first_bias_, first_errors_;
  Matrix<T> values_, next_;       // at the corners, one column for each unit of a layer
  std::vector<T> errors_;         // of each unit
  Matrix<T> jumps_, next_jumps_;  // one row for each jump: at most its size, times one number in [-1, 1]
};

// Corners on the border of the window lie on it, or the cells might not fill it.
bool is_whole(const PlanarComplex& complex, double half_width) {
  return std::ranges::all_of(complex.edges, [&](const PlanarEdge& edge) {
    if (edge.left != no_cell && edge.right != no_cell) return true;
    const Point &p = complex.point(edge.from), &q = complex.point(edge.to);
    return (p.x == q.x && std::abs(p.x) == half_width) || (p.y == q.y && std::abs(p.y) == half_width);
  });
}

// At most the distance of the cell's points where a function may be >= 0, by its raised values at the corners; infinite
// where there is none.
template <class T>
double distance_below(std::span<const Point> corners, MatrixView<T> raised, Index output, Norm norm) {
  double least = infinity;
  for (std::size_t i = 2; i < corners.size(); ++i) {
    const Point triangle[] = {corners[0], corners[i - 1], corners[i]};
    const auto row = static_cast<Index>(i);
    const T values[] = {raised(0, output), raised(row - 1, output), raised(row, output)};
    const std::vector<Point> part = positive_part<T>(triangle, values);
    if (!part.empty()) least = std::min(least, distance_below(part, norm));
  }
  return least;
}

// The pieces of some cells that may be within the radius.
template <class T>
std::vector<PlanarPiece> pieces_of(CellMargins<T>& margins, const Slice& found, std::span<const Index> cells, Norm norm,
                                   double radius, const std::function<bool()>& is_late) {
  std::vector<PlanarPiece> result;
  for (const Index cell : cells) {
    if (is_late()) throw Unsuited{};
    const std::vector<Point> corners = found.complex.polygon(cell);
    if (distance_below(corners, norm) > radius) continue;
    const ActivationCode code = found.code(cell);
    const MatrixView<T> raised = margins.raised(corners, code);
    for (Index j = 0; j < raised.cols(); ++j) {
      const double distance = distance_below<T>(corners, raised, j, norm);
      if (distance <= radius) result.push_back({.distance = distance, .output = j, .cell = cell, .code = code});
    }
  }
  std::ranges::sort(result, {}, &PlanarPiece::distance);
  return result;
}

// The cells of the first pieces of the list, which are then left out of it.
std::vector<Index> take_first(std::vector<PlanarPiece>& pieces, std::size_t count) {
  std::vector<Index> cells;
  for (std::size_t i = 0; i < std::min(count, pieces.size()); ++i) cells.push_back(pieces[i].cell);
  std::ranges::sort(cells);
  cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
  std::erase_if(pieces, [&](const PlanarPiece& piece) { return std::ranges::binary_search(cells, piece.cell); });
  return cells;
}

}  // namespace

std::optional<std::vector<PlanarPiece>> planar_pieces(const CentredMargins& margins, Norm norm, double radius,
                                                      Index max_regions, const std::function<bool()>& is_late) {
  // In a unit next to the radius, which is a power of two so that nothing is rounded.
  int exponent = 0;
  const double scaled = std::frexp(radius, &exponent);
  std::vector<PlanarPiece> result;
  try {
    const PiecewiseAffineNetwork network = planar_network(margins.network(), exponent);
    const Slice found =
        slice(network, input_plane(), {.window = square(scaled), .max_regions = max_regions, .stop = is_late});
    if (!is_whole(found.complex, scaled)) return {};
    CellMargins<double> fast(margins, network, radius, 0);
    std::vector<Index> cells(static_cast<std::size_t>(found.regions()));
    std::iota(cells.begin(), cells.end(), 0);
    result = pieces_of(fast, found, cells, norm, scaled, is_late);
    // The nearest pieces decide.
    CellMargins<long double> sharp(margins, network, radius, followed_jumps);
    cells = take_first(result, most_sharpened);
    std::vector<PlanarPiece> nearest = pieces_of(sharp, found, cells, norm, scaled, is_late);
    std::ranges::move(nearest, std::back_inserter(result));
  } catch (const Unsuited&) {
    return {};
  } catch (const InputError&) {
    is_late();  // which throws again what it has thrown
    return {};
  } catch (const RunError&) {
    is_late();
    return {};
  }
  for (PlanarPiece& piece : result) piece.distance = std::ldexp(piece.distance, exponent);
  std::ranges::sort(result, {}, &PlanarPiece::distance);
  return result;
}

}  // namespace normalign::detail
