#include "geometry/linear_program.hpp"
#include "base/infinity.hpp"

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

M filled(Index n, double value) {
  M result(1, n);
  std::ranges::fill(result.span(), value);
  return result;
}

// The largest value over all corners of {z in the plane : rows z <= limits}; -inf when there is none.
double best_corner(const M& rows, const M& limits, const M& objective) {
  double best = -infinity;
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index j = 0; j < i; ++j) {
      const double det = rows(i, 0) * rows(j, 1) - rows(i, 1) * rows(j, 0);
      if (std::abs(det) < 1e-9) continue;
      const double x = (limits(0, i) * rows(j, 1) - rows(i, 1) * limits(0, j)) / det;
      const double y = (rows(i, 0) * limits(0, j) - limits(0, i) * rows(j, 0)) / det;
      bool inside = true;
      for (Index k = 0; k < rows.rows(); ++k) inside &= rows(k, 0) * x + rows(k, 1) * y <= limits(0, k) + 1e-9;
      if (inside) best = std::max(best, objective(0, 0) * x + objective(0, 1) * y);
    }
  return best;
}

TEST_CASE("maxima in the plane are at the best corner, or there is no point at all") {
  int feasible = 0, infeasible = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const double reach = 3, least = seed % 2 == 0 ? -1 : 0.1;
    const M cuts = random_matrix({6, 2}, seed), cut_limits = random_matrix({1, 6}, seed + 1000, least, 1);
    const M objective = random_matrix({1, 2}, seed + 2000);
    // The bounds as rows, for the corners.
    M rows(10, 2), limits(1, 10);
    std::ranges::copy(cuts.span(), rows.data());
    std::ranges::copy(cut_limits.span(), limits.data());
    for (Index side = 0; side < 4; ++side) {
      rows(6 + side, side / 2) = side % 2 == 0 ? 1 : -1;
      limits(0, 6 + side) = reach;
    }
    const double expected = best_corner(rows, limits, objective);
    LinearProgram program(cuts, cut_limits, filled(2, -reach), filled(2, reach));
    const LinearSolution found = program.maximise(objective);
    if (expected == -infinity) {
      ++infeasible;
      CHECK(found.status == LinearStatus::infeasible);
      continue;
    }
    ++feasible;
    REQUIRE(found.status == LinearStatus::optimal);
    CHECK_THAT(found.value, WithinAbs(expected, 1e-9));
    CHECK_THAT(inner_product(objective, found.point), WithinAbs(expected, 1e-9));
  }
  CHECK(feasible > 100);
  CHECK(infeasible > 10);
}

TEST_CASE("a program solved again under other objectives and limits gives what a new one gives") {
  const Index m = 40, n = 12;
  const M rows = random_matrix({m, n}, 1);
  M limits = random_matrix({1, m}, 2, 0.2, 1);
  const M low = filled(n, -5), high = filled(n, 5);
  LinearProgram again(rows, limits, low, high);
  for (Index i = 0; i < m; ++i) {
    const double kept = limits(0, i);
    const M objective(rows.view().row_block(i, 1));
    limits(0, i) = kept + 1;
    again.set_limit(i, kept + 1);
    LinearProgram fresh(rows, limits, low, high);
    CHECK_THAT(again.maximise(objective).value, WithinAbs(fresh.maximise(objective).value, 1e-9));
    limits(0, i) = kept;
    again.set_limit(i, kept);
  }
}

TEST_CASE("without an end to the objective a program is unbounded, unless it has no point") {
  const M rows{{-1, 0, 0}, {0, 1, 1}}, free_low = filled(3, -infinity), free_high = filled(3, infinity);
  LinearProgram open(rows, M{{1, 2}}, free_low, free_high);
  CHECK(open.maximise(M{{1, 0, 0}}).status == LinearStatus::unbounded);
  CHECK(open.maximise(M{{0, 1, -1}}).status == LinearStatus::unbounded);
  const LinearSolution found = open.maximise(M{{-1, 0.5, 0.5}});
  CHECK(found.status == LinearStatus::optimal);
  CHECK_THAT(found.value, WithinAbs(2, 1e-12));
  LinearProgram empty(M{{0, 1, 0}, {0, -1, 0}}, M{{-1, 0}}, free_low, free_high);
  CHECK(empty.maximise(M{{1, 0, 0}}).status == LinearStatus::infeasible);
  LinearProgram no_rows(M(0, 3), M(1, 0), filled(3, -1), filled(3, 2));
  CHECK(no_rows.maximise(M{{1, -1, 0}}).value == 3);
}

TEST_CASE("rows of zeros and rows of any length do no harm") {
  LinearProgram program(M{{0, 0}, {1e-7, 1e-7}, {1e6, 0}}, M{{0, 1e-7, 5e5}}, filled(2, 0), filled(2, 10));
  CHECK_THAT(program.maximise(M{{2, 1}}).value, WithinAbs(1.5, 1e-9));
  program.set_limit(2, 2.5e5);
  CHECK_THAT(program.maximise(M{{2, 1}}).value, WithinAbs(1.25, 1e-9));
  program.set_limit(0, -1);
  CHECK(program.maximise(M{{2, 1}}).status == LinearStatus::infeasible);
}

TEST_CASE("a program without time has no answer, and has it again with time") {
  const M rows = random_matrix({60, 80}, 3), limits = random_matrix({1, 60}, 4, 0, 1);
  M low(1, 80), high(1, 80);
  std::ranges::fill(low.span(), -1);
  std::ranges::fill(high.span(), 1);
  const M objective = random_matrix({1, 80}, 5);
  LinearProgram program(rows, limits, low, high);
  program.limit_seconds(0);
  CHECK_THROWS_AS(program.maximise(objective), RunError);
  program.limit_seconds(infinity);
  CHECK_THAT(program.maximise(objective).value,
             WithinRel(LinearProgram(rows, limits, low, high).maximise(objective).value, 1e-9));
}

TEST_CASE("programs that make no sense are refused") {
  const M one{{1.0}};
  const auto message = [](const M& rows, const M& limits, const M& low, const M& high) {
    return message_of<InputError>([&] { LinearProgram program(rows, limits, low, high); });
  };
  CHECK(message(M(2, 0), M(1, 2), M(1, 0), M(1, 0)) ==
        "LinearProgram: rows have no columns; there must be at least one variable");
  CHECK(message(M(2, 1), M(1, 1), one, one) ==
        "LinearProgram: rows are 2x1, limits 1x1, low 1x1 and high 1x1; they must be m x n, 1 x m, 1 x n and 1 x n");
  CHECK(message(M{{NAN}}, one, one, one) == "LinearProgram: a row or limit is not finite");
  CHECK(message(one, one, M{{2}}, one) ==
        "LinearProgram: variable 0 has the bounds 2 and 1; the low one must not be above the high one");
  LinearProgram program(one, one, M{{-1}}, one);
  CHECK(message_of<InputError>([&] { program.set_limit(1, 0); }) == "LinearProgram: row is 1; there are 1");
  CHECK(message_of<InputError>([&] { program.set_limit(0, infinity); }) ==
        "LinearProgram: limit is inf; it must be finite");
  CHECK(message_of<InputError>([&] { program.maximise(M(1, 2)); }) ==
        "LinearProgram: objective is 1x2; it must be 1x1");
  CHECK(message_of<InputError>([&] { program.maximise(M{{NAN}}); }) ==
        "LinearProgram: an objective coefficient is not finite");
}

TEST_CASE("a linear program ends at the iteration at which it is stopped, and solves on when it is not") {
  const Index n = 40, m = 120;
  const M rows = random_matrix({m, n}, 1), objective = random_matrix({1, n}, 2);
  M limits(1, m), low(1, n), high(1, n);
  std::ranges::fill(limits.span(), 1);
  std::ranges::fill(low.span(), -10);
  std::ranges::fill(high.span(), 10);
  LinearProgram plain(rows, limits, low, high), asked(rows, limits, low, high), stopped(rows, limits, low, high);
  asked.end_by(StopPoll("test", goes_on));
  stopped.end_by(StopPoll("test", [] { return true; }));
  const LinearSolution expected = plain.maximise(objective), found = asked.maximise(objective);
  CHECK(same_bits(found.point, expected.point));
  CHECK(found.multipliers == expected.multipliers);
  CHECK(message_of<Stopped>([&] { stopped.maximise(objective); }) == "test: stopped");
}

}  // namespace
}  // namespace normalign::tests
