#include "geometry/certificates/certificate.hpp"
#include "base/infinity.hpp"

#include "geometry/affine_map.hpp"
#include "geometry/certificates/least_distance.hpp"
#include "geometry/planar/decision_boundary.hpp"
#include "robustness/pgd.hpp"
#include "support/catch.hpp"
#include "support/distances.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// The outputs (of one output f: -f and f) of the classes other than that of x, less that of x, as rows of the map.
AffineMap rivals(const AffineMap& map, const M& f) {
  const Index k = f.cols(), winner = std::ranges::max_element(f.span()) - f.span().begin(), d = map.slope.cols();
  AffineMap result{M(std::max<Index>(k - 1, 1), d), M(1, std::max<Index>(k - 1, 1))};
  for (Index row = 0; row < result.slope.rows(); ++row) {
    const Index other = row < winner || k == 1 ? row : row + 1;
    const double sign = k == 1 && f(0, 0) > 0 ? -1 : 1;
    for (Index i = 0; i < d; ++i)
      result.slope(row, i) = sign * map.slope(other, i) - (k > 1 ? map.slope(winner, i) : 0);
    result.offset(0, row) = sign * map.offset(0, other) - (k > 1 ? map.offset(0, winner) : 0);
  }
  return result;
}

// The largest of the outputs above at z.
double advantage(const PiecewiseAffineNetwork& network, const M& x, const M& z) {
  const M f = network(z);
  const AffineMap at_z = rivals({M(f.cols(), 1), f}, network(x));
  return std::ranges::max(at_z.offset.span());
}

// The distance by looking into every code, whether or not it has a region.
double by_all_codes(const PiecewiseAffineNetwork& network, const M& x, Norm norm) {
  double nearest = infinity;
  LeastDistance least_distance;
  const Index units = network.first_unit(network.hidden_layers());
  const M f = network(x);
  for (unsigned bits = 0; bits < 1u << units; ++bits) {
    ActivationCode code;
    for (Index u = 0; u < units; ++u) code.push_back(bits >> u & 1);
    const AffineMap all = unit_maps(network, code), other = rivals(affine_map(network, code), f);
    M slopes(units + 1, x.cols()), offsets(1, units + 1);
    for (Index u = 0; u < units; ++u) {
      const double sign = code[static_cast<std::size_t>(u)] ? 1 : -1;
      for (Index i = 0; i < x.cols(); ++i) slopes(u, i) = sign * all.slope(u, i);
      offsets(0, u) = sign * all.offset(0, u);
    }
    for (Index row = 0; row < other.slope.rows(); ++row) {
      std::ranges::copy(other.slope.row(row), slopes.row(units).begin());
      offsets(0, units) = other.offset(0, row);
      const HalfSpaces set{.slopes = slopes, .offsets = offsets};
      const NearestPoint found = norm == Norm::l2 ? least_distance(set, x) : least_linf_distance(set, x);
      if (found.status == NearestStatus::found) nearest = std::min(nearest, found.distance);
    }
  }
  return nearest;
}

void check_bounds(const PiecewiseAffineNetwork& network, const M& x, const Certificate& found, Norm norm) {
  CHECK(found.lower <= found.upper);
  if (found.upper < infinity) CHECK(found.exact == (found.upper - found.lower <= 1e-9 * found.upper));
  CHECK(found.adversarial.empty() == (found.upper == infinity));
  if (found.adversarial.empty()) return;
  CHECK_THAT(distance(x, found.adversarial, norm), WithinAbs(found.upper, 1e-9));
  CHECK(advantage(network, x, found.adversarial) >= -1e-9);
}

TEST_CASE("certificates are the distances that a look into every code gives") {
  const std::vector<std::vector<double>> slopes{{0}, {0.1}, {-1}, {0, 0.3}};
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      CAPTURE(seed, norm == Norm::l2);
      const Index d = 2 + static_cast<Index>(seed % 3), k = 1 + static_cast<Index>(seed % 4 == 1) * 2;
      // A coarse grain makes coincident and parallel walls, units that are zero on a region, ties.
      const double grain = seed % 2 == 0 ? 0 : 0.5;
      const PiecewiseAffineNetwork network = random_network({d, 4, 4, k}, seed, slopes[seed % slopes.size()], grain);
      const M x = random_matrix({1, d}, seed + 7, -1.5, 1.5);
      const Certificate found = certificates(network, x, {.norm = norm}).front();
      const double expected = by_all_codes(network, x, norm);
      CHECK(found.exact == (expected < infinity || found.lower == infinity));
      if (expected == infinity)
        CHECK(found.upper == infinity);
      else
        CHECK_THAT(found.upper, WithinAbs(expected, 1e-7));
      check_bounds(network, x, found, norm);
    }
}

TEST_CASE("robust radii at the reference points", "[slow]") {
  for (const ReferenceGeometry& reference : reference_geometries("robust radii at the reference points"))
    for (const auto& point : reference.json.at("points"))
      for (const Norm norm : {Norm::l2, Norm::linf}) {
        if (!point.contains("robust_radius") || point.at("robust_radius").is_null()) continue;
        const auto& radius = point.at("robust_radius").at(norm == Norm::l2 ? "l2" : "linf");
        if (radius.is_null()) continue;
        const M x = row_of(point.at("x"));
        const Certificate found = certificates(reference.network, x, {.norm = norm}).front();
        CAPTURE(reference.name, point.at("x").dump(), norm == Norm::l2, found.lower, found.upper, found.parts);
        CHECK(found.exact);
        CHECK_THAT(found.upper, WithinAbs(radius.get<double>(), 1e-7));
        check_bounds(reference.network, x, found, norm);
      }
}

// The distance of t from a segment, in the norm.
double distance_to_segment(Point t, const BoundarySegment& s, Norm norm) {
  const auto length = [&](double share) {
    const double x = std::abs(s.from.x + share * (s.to.x - s.from.x) - t.x),
                 y = std::abs(s.from.y + share * (s.to.y - s.from.y) - t.y);
    return norm == Norm::l2 ? std::hypot(x, y) : std::max(x, y);
  };
  // Convex along the segment: golden sections.
  double low = 0, high = 1;
  constexpr double golden = 0.6180339887498949;
  for (int i = 0; i < 90; ++i) {
    const double a = high - golden * (high - low), b = low + golden * (high - low);
    (length(a) < length(b) ? high : low) = length(a) < length(b) ? b : a;
  }
  return std::min({length(0), length(1), length((low + high) / 2)});
}

TEST_CASE("in the plane certificates are the distances of the slice's own decision boundary", "[slow]") {
  Index compared = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const PiecewiseAffineNetwork network = random_network({2, 10, 8, 3}, seed, {0, 0.2});
    const DecisionBoundary boundary = class_boundary(slice(network, input_plane(), {.window = square(3)}));
    const Matrix<double> x = random_matrix({5, 2}, seed);
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      const std::vector<Certificate> found = certificates(network, x, {.norm = norm});
      for (Index i = 0; i < x.rows(); ++i) {
        double nearest = INFINITY;
        for (const BoundarySegment& s : boundary.segments)
          nearest = std::min(nearest, distance_to_segment({x(i, 0), x(i, 1)}, s, norm));
        if (nearest > 1.9) continue;  // what is nearer might lie outside of the window
        CAPTURE(seed, i, norm == Norm::l2);
        const Certificate& certificate = found[static_cast<std::size_t>(i)];
        CHECK(certificate.exact);
        CHECK_THAT(certificate.lower, WithinAbs(nearest, 1e-7));
        ++compared;
      }
    }
  }
  CHECK(compared > 20);
}

TEST_CASE("gradient attacks find nothing within the distance, and something not far behind it") {
  const PiecewiseAffineNetwork network = random_network({4, 8, 6, 3}, 4);
  const M x = random_matrix({20, 4}, 3);
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    const std::vector<Certificate> found = certificates(network, x, {.norm = norm});
    int broken = 0;
    for (Index i = 0; i < x.rows(); ++i) {
      const M here(x.view().row_block(i, 1));
      const M f = network(here);
      const Certificate& certificate = found[static_cast<std::size_t>(i)];
      REQUIRE(certificate.exact);
      const auto uphill = [&](ConstView<double> points, MatrixView<double> gradients) {
        const AffineMap other = rivals(affine_map(network, network.codes(points).front()), f);
        const M at = network(points);
        const AffineMap values = rivals({M(at.cols(), 1), at}, f);
        const Index best = std::ranges::max_element(values.offset.span()) - values.offset.span().begin();
        std::ranges::copy(other.slope.row(best), gradients.data());
      };
      bool is_broken = false;
      for (std::uint32_t draw = 0; draw < 5; ++draw)
        for (const double factor : {1 - 1e-9, 1.05}) {
          const double radius = factor * certificate.upper;
          const M attacked = pgd<double>(
              here, {.norm = norm, .radius = radius, .step = radius / 10, .steps = 60, .draw = draw}, uphill);
          const bool success = advantage(network, here, attacked) >= 0;
          if (factor < 1)
            CHECK_FALSE(success);
          else
            is_broken |= success;
        }
      broken += is_broken;
    }
    CHECK(broken >= 10);
  }
}

TEST_CASE("certificates tell how many are done") {
  const PiecewiseAffineNetwork network({{.weight = M{{1, 0}, {0, 1}}, .bias = M{{0, 0}}, .slope = 0},
                                        {.weight = M{{1, -1}}, .bias = M{{0.1}}, .slope = 1}});
  for (const int threads : {1, 3}) {
    std::vector<Index> told;
    certificates(network, M{{1, 2}, {2, 1}, {-1, 3}, {0.5, 0.5}},
                 {.progress = [&](Index done) { told.push_back(done); }}, threads);
    CHECK(told == std::vector<Index>{1, 2, 3, 4});
  }
}

TEST_CASE("a search that is ended early has bounds on both sides of the distance, ever closer") {
  const PiecewiseAffineNetwork network = random_network({4, 10, 8, 3}, 1);
  const M x = random_matrix({1, 4}, 1);
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    const Certificate whole = certificates(network, x, {.norm = norm}).front();
    REQUIRE(whole.exact);
    REQUIRE(whole.parts > 10);
    REQUIRE(whole.upper < infinity);
    double last = 0;
    for (const Index parts : {Index{0}, Index{1}, whole.parts / 4, whole.parts / 2}) {
      const Certificate part = certificates(network, x, {.norm = norm, .parts = parts}).front();
      CHECK(part.parts == parts);
      CHECK_FALSE(part.exact);
      CHECK(part.lower >= last);
      CHECK(part.lower <= whole.lower);
      CHECK(part.upper >= whole.upper);
      check_bounds(network, x, part, norm);
      last = part.lower;
    }
    CHECK(last > 0);
    const Certificate none = certificates(network, x, {.norm = norm, .seconds = 0}).front();
    CHECK(none.parts == 0);
    // The walls of the region of x are looked at whatever the time.
    CHECK(none.lower > 0);
    CHECK(none.lower <= whole.lower);
    // Its own answer, a little further on, as an attack's.
    M further = whole.adversarial;
    for (Index i = 0; i < 4; ++i) further(0, i) += 1e-6 * (further(0, i) - x(0, i));
    const Certificate again = certificates(network, x, {.norm = norm, .adversarial = further}).front();
    CHECK_THAT(again.upper, WithinAbs(whole.upper, 1e-9));
  }
}

TEST_CASE("where all is of one class the distance is infinite, on the boundary zero") {
  const PiecewiseAffineNetwork positive({{M{{1, 0}, {0, 1}}, M{{0, 0}}, 0}, {M{{1, 1}}, M{{1}}, 1}});
  const PiecewiseAffineNetwork dead({{M(3, 2), M(1, 3), 0}, {M{{1, 1, 1}, {0, 0, 0}}, M{{1, 0}}, 1}});
  const PiecewiseAffineNetwork plane({{M{{3, 4}}, M{{-5}}, 1}});
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    for (const PiecewiseAffineNetwork* network : {&positive, &dead}) {
      const Certificate found = certificates(*network, M{{1, 2}}, {.norm = norm}).front();
      CHECK(found.exact);
      CHECK(found.lower == infinity);
      CHECK(found.upper == infinity);
      CHECK(found.adversarial.empty());
    }
    CHECK_THAT(certificates(plane, M{{0, 0}}, {.norm = norm}).front().upper,
               WithinAbs(norm == Norm::l2 ? 1 : 5.0 / 7, 1e-12));
    CHECK(certificates(plane, M{{3, -1}}, {.norm = norm}).front().upper == 0);
  }
  // Where intervals do not prove it, the search ends far away: |x| - |x| / 2 + 1.
  const PiecewiseAffineNetwork peak({{M{{1}, {1}}, M{{0, 0}}, -1}, {M{{1, -0.5}}, M{{1}}, 1}});
  const Certificate far = certificates(peak, M{{1}}).front();
  CHECK_FALSE(far.exact);
  CHECK(far.lower > 1e9);
  CHECK(far.upper == infinity);
  // Output 0 on a whole region, the quadrant x, y < 0: its distance counts.
  const PiecewiseAffineNetwork flat({{M{{1, 0}, {0, 1}}, M{{0, 0}}, 0}, {M{{1, 1}}, M{{0}}, 1}});
  CHECK_THAT(certificates(flat, M{{3, 4}}).front().upper, WithinAbs(5, 1e-9));
  CHECK_THAT(certificates(flat, M{{3, 4}}, {.norm = Norm::linf}).front().upper, WithinAbs(4, 1e-9));
}

TEST_CASE("certificates of many points have the same bits at any number of threads") {
  const PiecewiseAffineNetwork network = random_network({12, 6, 6, 3}, 5);
  const M x = random_matrix({7, 12}, 1);
  const auto one = certificates(network, x, {}, 1), three = certificates(network, x, {}, 3);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CHECK(one[i].upper == three[i].upper);
    CHECK(one[i].parts == three[i].parts);
    CHECK(same_bits(one[i].adversarial, three[i].adversarial));
  }
}

TEST_CASE("options that make no sense are refused") {
  const PiecewiseAffineNetwork network = random_network({2, 3, 1}, 1);
  const M x(1, 2);
  const auto message = [&](const CertificateOptions& options, int threads = 1) {
    return message_of<InputError>([&] { certificates(network, x, options, threads); });
  };
  CHECK(message({}, 0) == "certificates: threads is 0; it must be at least 1");
  CHECK(message({.parts = -1}) == "certificates: parts is -1 and seconds inf; they must not be negative");
  const M two(2, 2);
  CHECK(message({.adversarial = two}) == "certificates: adversarial is 2x2 but x 1x2");
  CHECK(message({.adversarial = x}) == "certificates: row 0 of adversarial is classified as that of x is");
  CHECK(message_of<InputError>([&] { certificates(network, M(1, 3)); }) ==
        "certificates: x is 1x3; it must have 2 columns");
}

TEST_CASE("certificates: the search around one input ends when stopped, whatever it is at, on any thread") {
  const PiecewiseAffineNetwork wide = random_network({60, 80, 80, 3}, 1),
                               plane = random_network({2, 150, 150, 150, 3}, 1),
                               large = random_network({300, 250, 250, 10}, 1);
  for (const auto& [network, rows] : {std::pair{&wide, 1}, {&wide, 3}, {&plane, 1}, {&large, 1}})
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      CAPTURE(network->inputs(), rows, name_of(norm));
      const M x = random_matrix({rows, network->inputs()}, 2);
      check_stops("certificates", [&](const std::function<bool()>& stop) {
        certificates(*network, x, {.norm = norm, .parts = 1'000'000'000, .stop = stop}, rows);
      });
    }
}

TEST_CASE("certificates: a callback that ends nothing leaves the same bits") {
  for (const std::vector<Index>& widths : std::vector<std::vector<Index>>{{2, 12, 9, 3}, {5, 8, 6, 2}})
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      const PiecewiseAffineNetwork network = random_network(widths, 3);
      const M x = random_matrix({4, widths.front()}, 4);
      const auto plain = certificates(network, x, {.norm = norm}),
                 asked = certificates(network, x, {.norm = norm, .stop = goes_on});
      for (std::size_t i = 0; i < plain.size(); ++i) {
        CHECK(plain[i].lower == asked[i].lower);
        CHECK(plain[i].upper == asked[i].upper);
        CHECK(plain[i].parts == asked[i].parts);
        CHECK(same_bits(plain[i].adversarial, asked[i].adversarial));
      }
    }
}

}  // namespace
}  // namespace normalign::tests
