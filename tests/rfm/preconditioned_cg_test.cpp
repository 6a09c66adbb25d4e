#include "rfm/preconditioned_cg.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// The largest |(K + reg I) a - y| / |y| of the columns.
double residual(const MahalanobisPoints<double>& points, const M& a, const M& y, double regularisation) {
  const M product = kernel_product<double>({}, points, points, a);
  double worst = 0;
  for (Index j = 0; j < y.cols(); ++j) {
    double squares = 0, of_y = 0;
    for (Index i = 0; i < y.rows(); ++i) {
      squares += std::pow(product(i, j) + regularisation * a(i, j) - y(i, j), 2);
      of_y += y(i, j) * y(i, j);
    }
    worst = std::max(worst, std::sqrt(squares / of_y));
  }
  return worst;
}

}  // namespace

TEST_CASE("conjugate gradients find the solution of Cholesky, and report the residual that there is", "[rfm]") {
  for (const Index n : {1, 63, 64, 65, 200, 700})
    for (const double regularisation : {10.0, 0.1, 1e-3})
      for (const double memory : {0.0, 2e5, 1e6, 1e9}) {  // nothing is kept, some of K, all of it
        CAPTURE(n, regularisation, memory);
        const MahalanobisPoints<double> points(random_matrix({n, 3}, 1, -3, 3));
        const M y = random_matrix({n, 3}, 2);
        const RidgeOptions options{.regularisation = regularisation, .memory = memory, .tolerance = 1e-6};
        const auto found = ridge_by_conjugate_gradients<double>({}, points, y, options);
        CHECK(found.report.method == RidgeMethod::conjugate_gradients);
        REQUIRE(found.report.converged);
        CHECK(found.report.residual <= 1e-6);
        CHECK(found.report.iterations >= 1);
        // The values kept in float are off by a share of the regularisation.
        CHECK(residual(points, found.coefficients, y, regularisation) <= 1e-6 + 1e-3);
        RidgeOptions direct = options;
        direct.memory = 1e300;
        const auto expected = ridge<double>({}, points, y, direct);
        CHECK(expected.report.method == RidgeMethod::cholesky);
        const M outputs = kernel_product<double>({}, points, points, found.coefficients);
        const M exact = kernel_product<double>({}, points, points, expected.coefficients);
        CHECK(relative_error(outputs, exact) <= 1e-3);
        if (memory > 0) continue;
        // Without memory nothing is rounded to float, and there is no preconditioner.
        CHECK(found.report.rank == 0);
        CHECK(relative_error(found.coefficients, expected.coefficients) <= 1e-5 / regularisation);
        CHECK_THAT(residual(points, found.coefficients, y, regularisation), WithinAbs(found.report.residual, 1e-9));
      }
}

TEST_CASE("columns that depend on each other, and more of them than points, have their solutions", "[rfm]") {
  const M two = random_matrix({90, 2}, 2);
  M y(90, 5);
  for (Index i = 0; i < 90; ++i) {
    y(i, 0) = two(i, 0);
    y(i, 1) = -3 * two(i, 0);
    y(i, 2) = two(i, 1);
    y(i, 3) = two(i, 0) + 1e-3 * two(i, 1);
    y(i, 4) = 1e-12 * two(i, 1);
  }
  const MahalanobisPoints<double> points(random_matrix({90, 3}, 1, -3, 3));
  for (const double memory : {0.0, 1e9}) {
    const RidgeOptions options{.regularisation = 0.1, .memory = memory, .tolerance = 1e-9};
    const auto found = ridge_by_conjugate_gradients<double>({}, points, y, options);
    CAPTURE(memory, found.report.residual);
    CHECK(found.report.converged);
    if (memory == 0) CHECK(residual(points, found.coefficients, y, 0.1) <= 1e-8);
  }
  const MahalanobisPoints<double> few(random_matrix({4, 3}, 1, -3, 3));
  const M wide = random_matrix({4, 11}, 3);
  const auto found = ridge_by_conjugate_gradients<double>({}, few, wide, {.regularisation = 0.1, .tolerance = 1e-9});
  CHECK(found.report.converged);
  CHECK(relative_error(found.coefficients, ridge<double>({}, few, wide, {.regularisation = 0.1}).coefficients) <= 1e-4);
}

TEST_CASE("directions that are solved sooner than others leave the search, and the others go on", "[rfm]") {
  // Far points, whose part of K is the identity, beside near ones.
  M z(120, 2);
  for (Index i = 0; i < 120; ++i) {
    z(i, 0) = i < 60 ? 1e4 * static_cast<double>(i + 1) : random_matrix({120, 1}, 1, -1, 1)(i, 0);
    z(i, 1) = random_matrix({120, 1}, 2, -1, 1)(i, 0);
  }
  M y(120, 3);
  y(3, 0) = 1;
  for (Index i = 60; i < 120; ++i) {
    y(i, 1) = static_cast<double>(i % 7);
    y(i, 2) = static_cast<double>(i % 5);
  }
  const MahalanobisPoints<double> points(z);
  const auto found =
      ridge_by_conjugate_gradients<double>({}, points, y, {.regularisation = 1e-2, .memory = 0, .tolerance = 1e-10});
  CHECK(found.report.converged);
  CHECK(found.report.iterations > 5);
  CHECK(residual(points, found.coefficients, y, 1e-2) <= 1e-9);
}

TEST_CASE("many points take few iterations in place of a factorisation, to the same solution", "[rfm]") {
  const Index n = 6400;
  const MahalanobisPoints<double> points(random_matrix({n, 3}, 1, -3, 3));
  const M y = random_matrix({n, 1}, 2);
  const RidgeOptions options{.regularisation = 0.1, .threads = 2};
  REQUIRE(iterations_worth_it(n, 1) < fewest_iterations);
  RidgeWorkspace<double> workspace;
  const auto found = ridge_by_few_iterations({}, points, y, options, workspace);
  REQUIRE(found);
  CHECK(found->report.method == RidgeMethod::conjugate_gradients);
  CHECK(found->report.iterations <= iterations_worth_it(n, 1));
  CHECK(residual(points, found->coefficients, y, 0.1) <= 1e-10);
  const auto expected = ridge<double>({}, points, y, options);
  CHECK(expected.report.method == RidgeMethod::refined_cholesky);
  CHECK(relative_error(found->coefficients, expected.coefficients) <= 1e-8);
}

TEST_CASE("where iterations are not worth it there are none, and a factorisation does it", "[rfm]") {
  CHECK(iterations_worth_it(0, 1) == 0);
  CHECK(iterations_worth_it(3000, 2) == 0);
  CHECK(iterations_worth_it(20000, 2) > iterations_worth_it(20000, 30));
  CHECK(iterations_worth_it(20000, 2) > 3 * fewest_iterations);
  const MahalanobisPoints<double> points(random_matrix({300, 2}, 1));
  RidgeWorkspace<double> workspace;
  CHECK_FALSE(ridge_by_few_iterations({}, points, random_matrix({300, 1}, 2), {}, workspace));
}

TEST_CASE("a refined solution is the one of a factorisation in double", "[rfm]") {
  RidgeWorkspace<double> workspace;
  for (const Index n : {1, 64, 65, 700})
    for (const double regularisation : {10.0, 0.1, 1e-3}) {
      CAPTURE(n, regularisation);
      const MahalanobisPoints<double> points(random_matrix({n, 3}, 1, -3, 3));
      const M y = random_matrix({n, 3}, 2);
      const RidgeOptions options{.regularisation = regularisation};
      const auto found = ridge_by_refinement({}, points, y, options, workspace);
      REQUIRE(found);
      CHECK(found->report.method == RidgeMethod::refined_cholesky);
      CHECK(found->report.converged);
      CHECK(found->report.residual <= 1e-11);
      CHECK(residual(points, found->coefficients, y, regularisation) <= 1e-10);
      CHECK(relative_error(found->coefficients, ridge<double>({}, points, y, options).coefficients) <= 1e-8);
      RidgeOptions three = options;
      three.threads = 3;
      CHECK(same_bits(ridge_by_refinement({}, points, y, three, workspace)->coefficients, found->coefficients));
    }
}

TEST_CASE("no refined solution where float is too far from the matrix", "[rfm]") {
  M z(60, 2);
  for (Index i = 0; i < 60; ++i) z(i, 0) = static_cast<double>(i / 2);
  RidgeWorkspace<double> workspace;
  const MahalanobisPoints<double> twins(z);
  CHECK_FALSE(ridge_by_refinement({}, twins, random_matrix({60, 1}, 1), {.regularisation = 1e-9}, workspace));
  CHECK(ridge_by_refinement({}, twins, random_matrix({60, 1}, 1), {.regularisation = 1}, workspace));
}

TEST_CASE("many points in double are refined; what cannot be is factorised in double, and says so", "[rfm]") {
  M z = random_matrix({refined_points, 2}, 1);
  const M y = random_matrix({refined_points, 1}, 2);
  CHECK(ridge<double>({}, MahalanobisPoints<double>(z), y, {.regularisation = 1e-2}).report.method ==
        RidgeMethod::refined_cholesky);
  // Twins.
  for (Index i = 0; i < refined_points; i += 2) std::ranges::copy(z.row(i), z.row(i + 1).begin());
  const RidgeReport report = ridge<double>({}, MahalanobisPoints<double>(z), y, {.regularisation = 1e-9}).report;
  CHECK(report.method == RidgeMethod::cholesky);
  CHECK(report.in_double);
}

TEST_CASE("a system that does not fit the memory is solved by conjugate gradients, one that fits by Cholesky",
          "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({100, 2}, 1));
  const M y = random_matrix({100, 1}, 2);
  CHECK(ridge<double>({}, points, y, {.memory = 8 * 100 * 100}).report.method == RidgeMethod::cholesky);
  const auto found = ridge<double>({}, points, y, {.memory = 8 * 100 * 100 - 1});
  CHECK(found.report.method == RidgeMethod::conjugate_gradients);
  CHECK(found.report.converged);
  // A quarter of the memory holds so many rows of 100 doubles.
  CHECK(found.report.rank <= 25);
  const MahalanobisPoints<float> single(random_matrix<float>({100, 2}, 1));
  const auto in_float = random_matrix<float>({100, 1}, 2);
  CHECK(ridge<float>({}, single, in_float, {.memory = 4 * 100 * 100}).report.method == RidgeMethod::cholesky);
  // Twins: float fails, double does not fit.
  Matrix<float> z(100, 2);
  for (Index i = 0; i < 100; ++i) std::ranges::copy(single.coordinates().row(i / 2), z.row(i).begin());
  const auto retried = ridge<float>({}, MahalanobisPoints<float>(z), in_float,
                                    {.regularisation = 1e-9, .memory = 4 * 100 * 100, .most_iterations = 3});
  CHECK(retried.report.method == RidgeMethod::conjugate_gradients);
}

TEST_CASE("the preconditioner makes few iterations of many, also where the system is ill-conditioned", "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({600, 2}, 1, -2, 2));
  const M y = random_matrix({600, 2}, 2);
  const RidgeOptions options{.regularisation = 1e-4, .memory = 1e9};
  const auto found = ridge_by_conjugate_gradients<double>({}, points, y, options);
  RidgeOptions plain = options;
  plain.memory = 0;
  const auto slow = ridge_by_conjugate_gradients<double>({}, points, y, plain);
  CAPTURE(found.report.iterations, slow.report.iterations);
  CHECK(found.report.converged);
  CHECK(3 * found.report.iterations < slow.report.iterations);
  // Here K is kept in double: floats would be too coarse.
  CHECK(residual(points, found.coefficients, y, 1e-4) <= 1.01e-4);
  RidgeOptions tiny = options;
  tiny.regularisation = 1e-9;
  const auto smallest = ridge_by_conjugate_gradients<double>({}, points, y, tiny);
  CHECK(smallest.report.converged);
  CHECK(residual(points, smallest.coefficients, y, 1e-9) <= 1.01e-4);
}

TEST_CASE("where the iterations do not suffice the report says so, with the residual", "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({300, 2}, 1, -2, 2));
  const M y = random_matrix({300, 2}, 2);
  const auto found = ridge_by_conjugate_gradients<double>({}, points, y, {.memory = 0, .most_iterations = 5});
  CHECK(found.report.iterations == 5);
  CHECK_FALSE(found.report.converged);
  CHECK(found.report.residual > 1e-4);
  CHECK_THAT(residual(points, found.coefficients, y, 1e-3), WithinRel(found.report.residual, 1e-6));
}

TEST_CASE("columns of zeros have coefficients zero; equal points and singular systems give no NaN", "[rfm]") {
  M y = random_matrix({100, 3}, 2);
  for (Index i = 0; i < 100; ++i) y(i, 1) = 0;
  const MahalanobisPoints<double> points(random_matrix({100, 2}, 1)), twins(M(100, 2));
  const auto found = ridge_by_conjugate_gradients<double>({}, points, y, {});
  CHECK(found.report.converged);
  for (Index i = 0; i < 100; ++i) REQUIRE(found.coefficients(i, 1) == 0);
  const auto none = ridge_by_conjugate_gradients<double>({}, points, M(100, 2), {});
  CHECK(none.report.iterations == 0);
  CHECK(none.report.converged);
  CHECK(all_zero(none.coefficients));
  const auto equal = ridge_by_conjugate_gradients<double>({}, twins, y, {.regularisation = 0.1});
  CHECK(equal.report.converged);
  const auto singular =
      ridge_by_conjugate_gradients<double>({}, twins, y, {.regularisation = 0, .most_iterations = 20});
  CHECK_FALSE(singular.report.converged);
  CHECK(all_finite(singular.coefficients));
}

TEST_CASE("a solution has the same bits at any number of threads", "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({1100, 3}, 1));
  const M y = random_matrix({1100, 2}, 2);
  const auto solved = [&](int threads) {
    return ridge_by_conjugate_gradients<double>({}, points, y,
                                                {.memory = 3e6, .threads = threads, .most_iterations = 6})
        .coefficients;
  };
  const M one = solved(1);
  for (int threads : {2, 3}) CHECK(same_bits(solved(threads), one));
}

TEST_CASE("float points have a solution of float's accuracy", "[rfm]") {
  const Matrix<float> z = random_matrix<float>({300, 3}, 1, -3, 3), y = random_matrix<float>({300, 2}, 2);
  const MahalanobisPoints<float> points{Matrix<float>(z)};
  const RidgeOptions options{.regularisation = 0.1, .memory = 1e5, .tolerance = 1e-5};
  const auto found = ridge<float>({}, points, y, options);
  REQUIRE(found.report.method == RidgeMethod::conjugate_gradients);
  CHECK(found.report.converged);
  const auto expected = ridge<float>({}, points, y, {.regularisation = 0.1});
  CHECK(relative_error(found.coefficients, expected.coefficients) <= 1e-4);
}

TEST_CASE("iteration options out of range and misfits are refused", "[rfm]") {
  const MahalanobisPoints<double> points(M(3, 2));
  const auto refusal = [&](const RidgeOptions& options) {
    return message_of([&] { ridge_by_conjugate_gradients<double>({}, points, M(3, 1), options); });
  };
  CHECK(refusal({.memory = -1}) == "ridge: memory is -1; it must not be negative");
  CHECK(contains(refusal({.memory = std::nan("")}), "ridge: memory is nan"));
  CHECK(refusal({.tolerance = 0}) == "ridge: tolerance is 0; it must be above 0 and below 1");
  CHECK(refusal({.tolerance = 1}) == "ridge: tolerance is 1; it must be above 0 and below 1");
  CHECK(refusal({.most_iterations = 0}) == "ridge: most_iterations is 0; it must be positive");
  CHECK(refusal({.preconditioner_rank = -1}) == "ridge: preconditioner_rank is -1; it must not be negative");
  CHECK(refusal({.threads = 0}) == "ridge: threads is 0; it must be at least 1");
  CHECK(message_of([&] { ridge_by_conjugate_gradients<double>({}, points, M(2, 1)); }) ==
        "ridge: y is 2x1 but there are 3 points");
}

}  // namespace normalign::tests
