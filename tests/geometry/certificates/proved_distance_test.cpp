#include "geometry/certificates/proved_distance.hpp"

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

struct Rows {
  Matrix<double> slopes, offsets;
  HalfSpaces set() const { return {.slopes = slopes, .offsets = offsets}; }
};

// Half-spaces that a point holds, some of which the origin does not.
Rows rows_around(const Matrix<double>& inside, std::uint64_t seed) {
  Rows result{random_matrix({9, inside.cols()}, seed), Matrix<double>(1, 9)};
  const Matrix<double> slack = random_matrix({1, 9}, seed + 1, 0, 0.5);
  for (Index i = 0; i < 9; ++i) result.offsets(0, i) = slack(0, i) - dot<double>(result.slopes.row(i), inside.span());
  return result;
}

TEST_CASE("whatever the multipliers, no point of the half-spaces is nearer than what they prove") {
  Index proofs = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      const Matrix<double> inside = random_matrix({1, 4}, seed, -2, 2);
      const Rows rows = rows_around(inside, seed + 100);
      const Matrix<double> multipliers = random_matrix({1, 9}, seed + 7, -0.5, 1);
      const double radius = 10;
      const ProvedDistance proved = proved_distance(rows.set(), multipliers.span(), norm, radius);
      CHECK(proved.distance <= norm_length(inside.span(), norm));
      proofs += proved.distance > 0;
      if (!proved.direction.empty()) CHECK(dot<double>(proved.direction, inside.span()) >= proved.along);
    }
  CHECK(proofs > 10);
}

TEST_CASE("a solver's multipliers prove its distance to within rounding") {
  Index compared = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Matrix<double> inside = random_matrix({1, 4}, seed, -2, 2), origin(1, 4);
    const Rows rows = rows_around(inside, seed + 100);
    for (const Norm norm : {Norm::l2, Norm::linf}) {
      const NearestPoint nearest =
          norm == Norm::l2 ? LeastDistance()(rows.set(), origin) : least_linf_distance(rows.set(), origin);
      REQUIRE(nearest.status == NearestStatus::found);
      if (nearest.distance == 0) continue;
      const double proved = proved_distance(rows.set(), nearest.multipliers, norm, 10).distance;
      CHECK(proved <= nearest.distance * (1 + 1e-12));
      CHECK_THAT(proved, WithinRel(nearest.distance, 1e-8));
      ++compared;
    }
  }
  CHECK(compared > 40);
}

TEST_CASE("half-spaces without a point within the radius are proved to have none there") {
  const Rows rows{Matrix<double>{{1, 0}, {-1, 0}}, Matrix<double>{{-2, 1}}};
  const std::vector<double> both{1, 1}, first{1, 0}, nothing{0, 0}, senseless{-1, std::nan("")};
  CHECK(proved_distance(rows.set(), both, Norm::l2, 100).distance == infinity);
  CHECK(proved_distance(rows.set(), first, Norm::l2, 1.9).distance == infinity);
  CHECK_THAT(proved_distance(rows.set(), first, Norm::linf, 100).distance, WithinRel(2, 1e-13));
  CHECK(proved_distance(rows.set(), first, Norm::linf, 100).distance < 2);
  for (const auto& multipliers : {nothing, senseless})
    CHECK(proved_distance(rows.set(), multipliers, Norm::l2, 100).distance == 0);
}

}  // namespace
}  // namespace normalign::tests
