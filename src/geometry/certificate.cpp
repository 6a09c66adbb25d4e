#include "geometry/certificate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <queue>

#include "geometry/code_table.hpp"
#include "geometry/least_distance.hpp"
#include "geometry/region_rows.hpp"
#include "geometry/row_space.hpp"
#include "geometry/steepness.hpp"
#include "linalg/reduce.hpp"
#include "nn/row_blocks.hpp"

namespace normalign {
namespace {

double dual_length(std::span<const double> a, Norm norm) {
  if (norm == Norm::l2) return std::sqrt(dot(a, a));
  double sum = 0;
  for (const double value : a) sum += std::abs(value);
  return sum;
}

double distance(ConstView<double> a, ConstView<double> b, Norm norm) {
  double sum = 0, largest = 0;
  for (Index i = 0; i < a.cols(); ++i) {
    const double difference = std::abs(a(0, i) - b(0, i));
    sum += difference * difference;
    largest = std::max(largest, difference);
  }
  return norm == Norm::l2 ? std::sqrt(sum) : largest;
}

// The network whose outputs are >= 0 just where the class is not that of x: every other output less that of the class;
// of one output, its negative where it is positive at x.
PiecewiseAffineNetwork margins(const PiecewiseAffineNetwork& network, ConstView<double> x) {
  const Matrix<double> f = network(x);
  const Index winner = std::ranges::max_element(f.span()) - f.span().begin(), k = network.outputs();
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  auto& [weight, bias, slope] = layers.back();
  if (k == 1) {
    const double sign = f(0, 0) > 0 ? -1 : 1;
    for (double& value : weight.span()) value *= sign;
    bias(0, 0) *= sign;
    return PiecewiseAffineNetwork(std::move(layers));
  }
  Matrix<double> differences(k - 1, weight.cols()), offsets(1, k - 1);
  for (Index j = 0; j < k - 1; ++j) {
    const Index other = j < winner ? j : j + 1;
    for (Index i = 0; i < weight.cols(); ++i) differences(j, i) = weight(other, i) - weight(winner, i);
    offsets(0, j) = bias(0, other) - bias(0, winner);
  }
  weight = std::move(differences);
  bias = std::move(offsets);
  return PiecewiseAffineNetwork(std::move(layers));
}

// The search around one input for the nearest point where an output of `margins` is 0.
class Search {
 public:
  Search(const PiecewiseAffineNetwork& network, ConstView<double> x, Norm norm)
      : network_(network),
        x_(x),
        norm_(norm),
        rows_(network_),
        code_(network_.codes(x).front()),
        seen_(static_cast<Index>(code_.size())) {}

  // Looks for near points of another class along the outputs' slopes, and around one that is known already.
  void attack();
  bool start_from(Matrix<double> point);
  Certificate run(Index regions, double seconds);

 private:
  struct Entry {
    double key;      // no point of the region is nearer
    Index region;    // in seen_
    bool projected;  // the key is its distance
    bool operator<(const Entry& other) const { return key != other.key ? key > other.key : region > other.region; }
  };

  NearestPoint project(Index count) {
    const HalfSpaces set{.slopes = rows_.slopes().row_block(0, count), .offsets = {rows_.offsets().data(), 1, count}};
    return norm_ == Norm::l2 ? least_distance_(set, x_, found_.upper) : least_linf_distance(set, x_, found_.upper);
  }
  double value_at(ConstView<double> z, Index row) const {
    return dot(rows_.slopes().row(row), z.span()) + rows_.offsets()(0, row);
  }
  void enter(std::span<const std::uint8_t> code) {
    std::ranges::copy(code, code_.begin());
    rows_.compute(code_);
  }
  bool is_adversarial(ConstView<double> z) const {
    const Matrix<double> f = network_(z);
    return std::ranges::max(f.span()) >= 0;
  }
  bool cross(double key);
  void improve();
  void expand(double key);
  bool is_dead_end(const NearestPoint& nearest);

  PiecewiseAffineNetwork network_;
  ConstView<double> x_;
  Norm norm_;
  RegionRows rows_;
  ActivationCode code_;  // of the region that rows_ are of
  CodeTable seen_;
  std::priority_queue<Entry> queue_;
  LeastDistance least_distance_;
  Certificate found_;
  double steep_radius_ = -1;
  std::vector<double> steepest_;
};

// The nearest points of the region whose rows are there where an output is 0; whether one is nearer than all before. No
// point of the region is nearer than the key.
bool Search::cross(double key) {
  bool better = false;
  for (Index j = 0; j < network_.outputs(); ++j) {
    const Index row = rows_.output(j);
    const double value = value_at(x_, row), length = dual_length(rows_.slopes().row(row), norm_);
    const double least = std::max(key, value < 0 ? -value / length : 0);
    if (!(least < found_.upper)) continue;
    rows_.choose(j);
    NearestPoint nearest = project(rows_.units() + 1);
    if (nearest.status != NearestStatus::found || !(nearest.distance < found_.upper)) continue;
    found_.upper = nearest.distance;
    found_.adversarial = std::move(nearest.point);
    better = true;
  }
  return better;
}

// From the best point so far, and the region it was found in, to better ones in regions next to it.
void Search::improve() {
  for (bool better = true; better;) {
    better = false;
    const ActivationCode here = code_;
    std::vector<Index> walls;
    for (Index u = 0; u < rows_.units(); ++u) {
      const double length = dual_length(rows_.slopes().row(u), Norm::l2);
      if (length > 0 && std::abs(value_at(found_.adversarial, u)) <= 1e-7 * length) walls.push_back(u);
    }
    for (const Index u : walls) {
      ActivationCode there = here;
      there[static_cast<std::size_t>(u)] ^= 1;
      enter(there);
      if (cross(0)) {
        better = true;
        break;
      }
    }
  }
}

// False when the point is of the same class.
bool Search::start_from(Matrix<double> point) {
  if (!is_adversarial(point)) return false;
  Matrix<double> near(x_), middle(x_);
  const auto halve = [&] {
    for (Index i = 0; i < x_.cols(); ++i) middle(0, i) = 0.5 * (near(0, i) + point(0, i));
    (is_adversarial(middle) ? point : near) = middle;
  };
  for (int step = 0; step < 40; ++step) halve();
  const double upper = distance(point, x_, norm_);
  if (!(upper < found_.upper)) return true;
  found_.upper = upper;
  found_.adversarial = point;
  enter(network_.codes(point).front());
  cross(0);
  improve();
  return true;
}

void Search::attack() {
  for (Index j = 0; j < network_.outputs(); ++j) {
    Matrix<double> y(x_);
    for (int step = 0; step < 30; ++step) {
      if (start_from(y)) break;
      enter(network_.codes(y).front());
      // A little beyond where output j would be 0, were the network affine.
      const auto slope = rows_.slopes().row(rows_.output(j));
      const double length = dual_length(slope, norm_);
      if (length == 0) break;
      const double way = -1.02 * value_at(y, rows_.output(j)) / length;
      for (Index i = 0; i < y.cols(); ++i) {
        const double v = slope[static_cast<std::size_t>(i)];
        y(0, i) += way * (norm_ == Norm::l2 ? v / length : v > 0 ? 1 : v < 0 ? -1 : 0);
      }
    }
  }
}

// Looks at the region whose rows are there: its pieces of the decision boundary, and its neighbours.
void Search::expand(double key) {
  ++found_.regions;
  const ActivationCode here = code_;
  if (cross(key)) {
    improve();
    enter(here);
  }
  for (Index u = 0; u < rows_.units(); ++u) {
    const double length = dual_length(rows_.slopes().row(u), norm_);
    if (length == 0) continue;
    const double least = std::max(key, value_at(x_, u) / length);
    if (!(least < found_.upper)) continue;
    code_[static_cast<std::size_t>(u)] ^= 1;
    const auto [region, is_new] = seen_.insert(code_);
    code_[static_cast<std::size_t>(u)] ^= 1;
    if (is_new) queue_.push({.key = least, .region = region, .projected = false});
  }
}

// Whether no straight way from x through the region, the nearest point of which is given, can reach another class
// within the upper bound.
bool Search::is_dead_end(const NearestPoint& nearest) {
  if (!std::isfinite(found_.upper)) return false;
  if (steep_radius_ != found_.upper) {
    steepest_ = steepness(network_, x_, found_.upper, norm_);
    steep_radius_ = found_.upper;
  }
  const double d = nearest.distance, left = found_.upper - d;
  for (Index j = 0; j < network_.outputs(); ++j) {
    const Index row = rows_.output(j);
    const std::span<const double> slope = rows_.slopes().row(row);
    const double steepest = steepest_[static_cast<std::size_t>(j)];
    double most;
    if (norm_ == Norm::l2) {
      const double squared = dot(slope, slope);
      double along = 0;
      for (Index i = 0; i < x_.cols(); ++i)
        along += slope[static_cast<std::size_t>(i)] * (nearest.point(0, i) - x_(0, i));
      along = d > 0 ? along / d : 0;
      const double across = std::max(0.0, squared - along * along);
      most = value_at(nearest.point, row) + steepest * found_.upper -
             d * std::sqrt(std::max(0.0, steepest * steepest - across));
    } else {
      most = value_at(x_, row) + dual_length(slope, norm_) * d + steepest * left;
    }
    if (most >= -1e-9 * (1 + steepest * found_.upper)) return false;
  }
  return true;
}

Certificate Search::run(Index regions, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  queue_.push({.key = 0, .region = seen_.insert(network_.codes(x_).front()).first, .projected = true});
  found_.lower = found_.upper;
  while (!queue_.empty()) {
    const Entry next = queue_.top();
    if (next.key >= found_.upper) break;
    if (found_.regions >= regions || std::chrono::duration<double>(Clock::now() - start).count() > seconds) {
      found_.lower = next.key;
      return std::move(found_);
    }
    queue_.pop();
    seen_.read(next.region, code_);
    rows_.compute(code_);
    double key = next.key;
    if (!next.projected) {
      const NearestPoint nearest = project(rows_.units());
      if (nearest.status != NearestStatus::found) continue;
      key = std::max(key, nearest.distance);
      if (is_dead_end(nearest)) continue;
      if (!queue_.empty() && key > queue_.top().key) {
        queue_.push({.key = key, .region = next.region, .projected = true});
        continue;
      }
    }
    expand(key);
  }
  found_.exact = true;
  found_.lower = found_.upper;
  return std::move(found_);
}

}  // namespace

std::vector<Certificate> certificates(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                      const CertificateOptions& options, int threads) {
  if (threads < 1) throw InputError(text("certificates: threads is ", threads, "; it must be at least 1"));
  if (options.regions < 0 || !(options.seconds >= 0))
    throw InputError(text("certificates: regions is ", options.regions, " and seconds ", options.seconds,
                          "; they must not be negative"));
  const ConstView<double> given = options.adversarial;
  if (given.size() > 0 && given.shape() != x.shape())
    throw InputError(text("certificates: adversarial is ", given.shape(), " but x ", x.shape()));
  if (x.cols() != network.inputs())
    throw InputError(text("certificates: x is ", x.shape(), "; it must have ", network.inputs(), " columns"));
  std::optional<RowSpaceNetwork> reduced;
  if (options.norm == Norm::l2) reduced = row_space_network(network);
  std::vector<Certificate> result(static_cast<std::size_t>(x.rows()));
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, x.rows(), failures, [&](Index i) {
    const Matrix<double> here(x.row_block(i, 1)), coordinates = reduced ? reduced->coordinates(here) : here;
    Search search(margins(reduced ? reduced->network : network, coordinates), coordinates, options.norm);
    if (given.size() > 0) {
      const Matrix<double> there(given.row_block(i, 1));
      if (!search.start_from(reduced ? reduced->coordinates(there) : there))
        throw InputError(text("certificates: row ", i, " of adversarial is classified as that of x is"));
    }
    search.attack();
    Certificate& found = result[static_cast<std::size_t>(i)];
    found = search.run(options.regions, options.seconds);
    if (reduced && !found.adversarial.empty()) found.adversarial = reduced->point(found.adversarial, here);
  });
  return result;
}

}  // namespace normalign
