#include "geometry/certificates/least_distance.hpp"

#include <optional>

#include "base/infinity.hpp"
#include "geometry/linear_program.hpp"
#include "support/catch.hpp"
#include "support/distances.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// Half-spaces at random, some of which have no point in common, every third of them with an equality, and a point.
struct RandomSet {
  explicit RandomSet(std::uint64_t seed)
      : slopes(random_matrix({3 + static_cast<Index>(seed % 9), 2 + static_cast<Index>(seed % 4)}, seed)),
        offsets(random_matrix({1, slopes.rows()}, seed + 500, -1, 0.5)),
        x(random_matrix({1, slopes.cols()}, seed + 900, -3, 3)),
        set{.slopes = slopes, .offsets = offsets, .equalities = static_cast<Index>(seed % 3 == 0)} {}
  RandomSet(const RandomSet&) = delete;  // the set borrows

  M slopes, offsets, x;
  HalfSpaces set;
};

bool is_inside(const HalfSpaces& set, const M& z, double tolerance) {
  for (Index i = 0; i < set.slopes.rows(); ++i) {
    const M row(set.slopes.row_block(i, 1));
    const double value = inner_product(row, z) + set.offsets(0, i);
    const double allowed = tolerance * std::max(1.0, std::sqrt(inner_product(row, row)));
    if (value < -allowed || (i < set.equalities && value > allowed)) return false;
  }
  return true;
}

// The point next to x where these rows are 0, by elimination on their products; nothing where they depend on each
// other.
std::optional<M> projection_on_flat(const HalfSpaces& set, const std::vector<Index>& rows, const M& x) {
  const auto count = static_cast<Index>(rows.size());
  M system(count, count + 1), z = x;
  const auto row = [&](Index i) { return M(set.slopes.row_block(rows[static_cast<std::size_t>(i)], 1)); };
  for (Index i = 0; i < count; ++i) {
    for (Index j = 0; j < count; ++j) system(i, j) = inner_product(row(i), row(j));
    system(i, count) = -inner_product(row(i), x) - set.offsets(0, rows[static_cast<std::size_t>(i)]);
  }
  for (Index i = 0; i < count; ++i) {
    if (system(i, i) < 1e-7) return std::nullopt;
    for (Index other = 0; other < count; ++other) {
      if (other == i) continue;
      const double factor = system(other, i) / system(i, i);
      for (Index j = i; j <= count; ++j) system(other, j) -= factor * system(i, j);
    }
  }
  for (Index i = 0; i < count; ++i)
    for (Index k = 0; k < x.cols(); ++k) z(0, k) += system(i, count) / system(i, i) * row(i)(0, k);
  return z;
}

// The nearest of all points of the set that are projections on where some of its rows are 0; infinite without any.
double nearest_by_faces(const HalfSpaces& set, const M& x) {
  double nearest = infinity;
  for (unsigned subset = 0; subset < 1u << set.slopes.rows(); ++subset) {
    std::vector<Index> rows;
    for (Index i = 0; i < set.slopes.rows(); ++i)
      if (subset >> i & 1) rows.push_back(i);
    if (static_cast<Index>(rows.size()) > x.cols()) continue;
    const auto z = projection_on_flat(set, rows, x);
    if (z && is_inside(set, *z, 1e-9)) nearest = std::min(nearest, distance(*z, x, Norm::l2));
  }
  return nearest;
}

bool has_a_point(const HalfSpaces& set) {
  const Index m = set.slopes.rows(), d = set.slopes.cols(), e = set.equalities;
  M rows(m + e, d), limits(1, m + e), low(1, d), high(1, d);
  for (Index i = 0; i < m + e; ++i) {
    for (Index k = 0; k < d; ++k) rows(i, k) = i < m ? -set.slopes(i, k) : set.slopes(i - m, k);
    limits(0, i) = i < m ? set.offsets(0, i) : -set.offsets(0, i - m);
  }
  std::ranges::fill(low.span(), -1e3);
  std::ranges::fill(high.span(), 1e3);
  return LinearProgram(rows, limits, low, high).maximise(M(1, d)).status == LinearStatus::optimal;
}

TEST_CASE("the Euclidean projection is the nearest point of all faces, or the set is empty") {
  LeastDistance project;
  int found = 0, empty = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const RandomSet random(seed);
    const HalfSpaces& set = random.set;
    const M& x = random.x;
    const NearestPoint projection = project(set, x);
    REQUIRE((projection.status == NearestStatus::found) == has_a_point(set));
    if (projection.status != NearestStatus::found) {
      ++empty;
      CHECK(project(set, x, 2).status != NearestStatus::found);
      continue;
    }
    ++found;
    CHECK(is_inside(set, projection.point, 1e-9));
    CHECK_THAT(distance(projection.point, x, Norm::l2), WithinAbs(projection.distance, 1e-9));
    const double nearest = nearest_by_faces(set, x);
    CHECK_THAT(projection.distance, WithinAbs(nearest, 1e-9 * std::max(1.0, nearest)));
    // A limit just above it changes nothing, one just below ends the search.
    CHECK(project(set, x, projection.distance * 1.001 + 1e-9).distance == projection.distance);
    if (projection.distance > 0) CHECK(project(set, x, projection.distance * 0.999).status == NearestStatus::beyond);
  }
  CHECK(found > 100);
  CHECK(empty > 30);
}

TEST_CASE("the projection in the maximum norm is in the set, and smaller cubes do not meet it") {
  int found = 0, empty = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    const RandomSet random(seed);
    const HalfSpaces& set = random.set;
    const M& x = random.x;
    const NearestPoint projection = least_linf_distance(set, x);
    REQUIRE((projection.status == NearestStatus::found) == has_a_point(set));
    if (projection.status != NearestStatus::found) {
      ++empty;
      continue;
    }
    ++found;
    CHECK(is_inside(set, projection.point, 1e-8));
    CHECK_THAT(distance(projection.point, x, Norm::linf), WithinAbs(projection.distance, 1e-9));
    if (projection.distance == 0) continue;
    const Index m = set.slopes.rows(), d = set.slopes.cols();
    M all(m + 2 * d, d), all_offsets(1, m + 2 * d);
    std::ranges::copy(set.slopes.span(), all.data());
    std::ranges::copy(set.offsets.span(), all_offsets.data());
    for (Index k = 0; k < d; ++k)
      for (const Index side : {0, 1}) {
        all(m + 2 * k + side, k) = side == 0 ? 1 : -1;
        all_offsets(0, m + 2 * k + side) = 0.9999 * projection.distance - (side == 0 ? 1 : -1) * x(0, k);
      }
    CHECK_FALSE(has_a_point({.slopes = all, .offsets = all_offsets, .equalities = set.equalities}));
    CHECK_THAT(least_linf_distance(set, x, projection.distance * 1.001).distance, WithinRel(projection.distance, 1e-9));
    CHECK(least_linf_distance(set, x, projection.distance * 0.999).status == NearestStatus::beyond);
  }
  CHECK(found > 30);
  CHECK(empty > 10);
}

TEST_CASE("rows that coincide, oppose each other, or are zero do no harm") {
  LeastDistance project;
  const M slopes{{1, 0}, {2, 0}, {-1, 0}, {0, 0}, {1e-9, 0}}, offsets{{-1, -2, 1, 0, -1e-9}}, x{{3, 4}};
  const HalfSpaces flat{.slopes = slopes, .offsets = offsets};
  for (const NearestPoint& projection : {project(flat, x), least_linf_distance(flat, x)}) {
    CHECK(projection.status == NearestStatus::found);
    CHECK_THAT(projection.distance, WithinAbs(2, 1e-12));
    CHECK_THAT(projection.point(0, 0), WithinAbs(1, 1e-12));
  }
  const M failing{{-1, -2, 1, -0.1, -1e-9}}, apart{{-1, -2, 0.5, 0, -1e-9}};
  for (const M& other : {failing, apart}) {
    const HalfSpaces empty{.slopes = slopes, .offsets = other};
    CHECK(project(empty, x).status == NearestStatus::empty);
    CHECK(least_linf_distance(empty, x).status == NearestStatus::empty);
  }
  // The same equality twice, and one that can not hold as well.
  const M lines{{1, 1}, {2, 2}, {0, 1}}, same{{-1, -2, 0}}, other{{-1, -3, 0}};
  const HalfSpaces line{.slopes = lines, .offsets = same, .equalities = 2};
  CHECK_THAT(project(line, x).distance, WithinAbs(std::sqrt(18.0), 1e-12));
  CHECK_THAT(least_linf_distance(line, x).distance, WithinAbs(3, 1e-12));
  const HalfSpaces no_line{.slopes = lines, .offsets = other, .equalities = 2};
  CHECK(project(no_line, x).status == NearestStatus::empty);
  CHECK(least_linf_distance(no_line, x).status == NearestStatus::empty);
  // A point inside is its own projection, a set without rows is everything.
  CHECK(project({.slopes = M(0, 2), .offsets = M(1, 0)}, x).distance == 0);
  CHECK(least_linf_distance({.slopes = M(0, 2), .offsets = M(1, 0)}, x).point == x);
}

TEST_CASE("cones with many rows through one corner have their nearest point there") {
  LeastDistance project;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    const Index d = 6, m = 60;
    M slopes = random_matrix({m, d}, seed), offsets(1, m);
    // The sum of all rows points away from x: the origin is the nearest point of the cone as soon as -x is a
    // combination of rows with positive weights.
    M x(1, d);
    for (Index i = 0; i < m; ++i)
      for (Index k = 0; k < d; ++k) {
        if (k == 0) slopes(i, 0) = std::abs(slopes(i, 0)) + 0.2;
        slopes(i, k) = std::round(8 * slopes(i, k)) / 8;
        x(0, k) -= slopes(i, k) / m;
      }
    const NearestPoint projection = project({.slopes = slopes, .offsets = offsets}, x);
    REQUIRE(projection.status == NearestStatus::found);
    CHECK_THAT(projection.distance, WithinAbs(distance(x, M(1, d), Norm::l2), 1e-9));
  }
}

TEST_CASE("half-spaces and limits that do not fit are refused") {
  LeastDistance project;
  const M two(2, 3), offsets(1, 2), x(1, 3);
  CHECK(message_of<InputError>([&] { project({.slopes = two, .offsets = x}, x); }) ==
        "LeastDistance: slopes are 2x3, offsets 1x3 and x 1x3; they must be m x d, 1 x m and 1 x d");
  CHECK(message_of<InputError>([&] { project({.slopes = two, .offsets = offsets, .equalities = 3}, x); }) ==
        "LeastDistance: equalities is 3; it must be from 0 to 2");
  CHECK(message_of<InputError>([&] { least_linf_distance({.slopes = two, .offsets = offsets}, x, -1); }) ==
        "LeastDistance: limit is -1; it must not be negative");
}

TEST_CASE("in the maximum norm a search begun at the basis of other half-spaces has the same answer") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const M rows = random_matrix({9, 30}, seed), offsets = random_matrix({1, 9}, seed + 50, -3, 1), x(1, 30);
    const HalfSpaces eight{.slopes = rows.view().row_block(0, 8), .offsets = {offsets.data(), 1, 8}};
    const NearestPoint first = least_linf_distance(eight, x);
    // The same rows with the ninth in the place of the fourth.
    M moved(rows), moved_offsets(offsets);
    for (Index i = 8; i > 3; --i) {
      std::ranges::copy(rows.row(i - 1), moved.row(i).begin());
      moved_offsets(0, i) = offsets(0, i - 1);
    }
    std::ranges::copy(rows.row(8), moved.row(3).begin());
    moved_offsets(0, 3) = offsets(0, 8);
    const HalfSpaces nine{.slopes = moved, .offsets = moved_offsets};
    const auto start = detail::with_row(first.basis, 30, 3);
    const NearestPoint cold = least_linf_distance(nine, x),
                       warm = least_linf_distance(nine, x, infinity, infinity, start);
    REQUIRE(warm.status == cold.status);
    CHECK_THAT(warm.distance, WithinRel(cold.distance, 1e-9));
    CHECK(warm.basis.size() == 30 + 1 + 9);
  }
  CHECK(detail::with_row({}, 30, 3).empty());
}

TEST_CASE("a search for the nearest point of many half-spaces ends when stopped, in both norms") {
  const M slopes = random_matrix({200, 60}, 1), x(1, 60);
  M offsets(1, 200);
  std::ranges::fill(offsets.span(), -0.5);
  const HalfSpaces set{.slopes = slopes, .offsets = offsets};
  const StopPoll stop("test", [] { return true; });
  LeastDistance least_distance;
  CHECK(message_of<Stopped>([&] { least_distance(set, x, infinity, stop); }) == "test: stopped");
  CHECK(message_of<Stopped>([&] { least_linf_distance(set, x, infinity, infinity, {}, stop); }) == "test: stopped");
}

}  // namespace
}  // namespace normalign::tests
