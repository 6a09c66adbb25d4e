#include "rfm/block_cg.hpp"

#include <cmath>
#include <numeric>

#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// A dense matrix, which counts its products.
struct Dense {
  M matrix;
  int products = 0;
  void multiply(ConstView<double> p, double shift, MatrixView<double> out) {
    ++products;
    gemm<double>(matrix, p, out);
    for (std::size_t i = 0; i < out.span().size(); ++i) out.span()[i] += shift * p.span()[i];
  }
};

struct None {
  static void solve(ConstView<double> r, MatrixView<double> z) { std::ranges::copy(r.span(), z.span().begin()); }
};

// The inverse diagonal.
struct Diagonal {
  std::vector<double> diagonal;
  void solve(ConstView<double> r, MatrixView<double> z) const {
    for (Index i = 0; i < r.rows(); ++i)
      for (Index j = 0; j < r.cols(); ++j) z(i, j) = r(i, j) / diagonal[static_cast<std::size_t>(i)];
  }
};

// With eigenvalues 1 ... n, spread by a diagonal of powers where `graded`.
Dense positive_definite(Index n, bool graded = false) {
  M frame = random_matrix({n, n}, 7), products(n, n);
  syrk<double>(frame, products, 1 / static_cast<double>(n));
  for (Index i = 0; i < n; ++i) products(i, i) += 1;
  if (graded)
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) products(i, j) *= std::pow(10.0, static_cast<double>((i % 7) + (j % 7)) / 2);
  return {products};
}

double residual(const Dense& dense, const M& a, const M& y, double shift) {
  M product = naive_product(dense.matrix, a);
  for (std::size_t i = 0; i < a.span().size(); ++i) product.span()[i] += shift * a.span()[i];
  return relative_error(product, y);
}

}  // namespace

TEST_CASE("an iteration's residual is the true one, and the last one's is rounding", "[rfm]") {
  Dense dense = positive_definite(60);
  const M y = random_matrix({60, 4}, 2);
  None none;
  BlockConjugateGradients<Dense, None> iteration(dense, 0.5, none, y);
  for (int i = 0; i < 15; ++i) {
    REQUIRE(iteration.step());
    M product(60, 4);
    dense.multiply(iteration.solution(), 0.5, product);
    for (std::size_t k = 0; k < product.span().size(); ++k) product.span()[k] -= y.span()[k];
    const std::vector<double> found = iteration.residual_lengths(), expected = column_lengths(product);
    for (std::size_t j = 0; j < 4; ++j) CHECK_THAT(found[j], WithinAbs(expected[j], 1e-12));
  }
  // 15 iterations with four columns span all 60 directions.
  CHECK(residual(dense, iteration.solution(), y, 0.5) <= 1e-10);
}

TEST_CASE("one search space takes fewer iterations than one for each column", "[rfm]") {
  const M y = random_matrix({200, 8}, 2);
  const auto iterations = [&](ConstView<double> right) {
    Dense dense = positive_definite(200);
    None none;
    BlockConjugateGradients<Dense, None> iteration(dense, 0, none, right);
    int count = 0;
    while (std::ranges::max(iteration.residual_lengths()) > 1e-9) {
      REQUIRE(iteration.step());
      ++count;
    }
    return count;
  };
  M column(200, 1);
  for (Index i = 0; i < 200; ++i) column(i, 0) = y(i, 0);
  CHECK(iterations(y) < iterations(column));
}

TEST_CASE("a preconditioner that knows the scales makes graded systems easy", "[rfm]") {
  const M y = random_matrix({120, 2}, 2);
  const auto iterations = [&](auto& preconditioner) {
    Dense dense = positive_definite(120, true);
    BlockConjugateGradients iteration(dense, 0, preconditioner, y.view());
    int count = 0;
    while (count < 400 && std::ranges::max(iteration.residual_lengths()) > 1e-8) {
      if (!iteration.step()) break;
      ++count;
    }
    return count;
  };
  None none;
  Diagonal scales;
  const Dense dense = positive_definite(120, true);
  for (Index i = 0; i < 120; ++i) scales.diagonal.push_back(dense.matrix(i, i));
  CHECK(3 * iterations(scales) < iterations(none));
}

TEST_CASE("zero, equal and opposite columns, and columns of very unlike lengths, are solved together", "[rfm]") {
  Dense dense = positive_definite(40);
  const M two = random_matrix({40, 2}, 2);
  M y(40, 6);
  for (Index i = 0; i < 40; ++i) {
    y(i, 0) = two(i, 0);
    y(i, 2) = two(i, 0);
    y(i, 3) = -two(i, 1);
    y(i, 4) = 1e-30 * two(i, 1);
    y(i, 5) = 1e30 * two(i, 0);
  }
  None none;
  BlockConjugateGradients<Dense, None> iteration(dense, 0, none, y);
  for (int i = 0; i < 25 && iteration.step(); ++i) {
  }
  const M& a = iteration.solution();
  for (Index i = 0; i < 40; ++i) {
    CHECK(a(i, 1) == 0);
    CHECK_THAT(a(i, 2), WithinAbs(a(i, 0), 1e-12));
    CHECK_THAT(a(i, 4) * 1e30, WithinAbs(-a(i, 3), 1e-9));
    CHECK_THAT(a(i, 5) * 1e-30, WithinAbs(a(i, 0), 1e-9));
  }
}

TEST_CASE("there is no step where all is solved, or the matrix is indefinite", "[rfm]") {
  Dense dense = positive_definite(3);
  None none;
  BlockConjugateGradients<Dense, None> nothing(dense, 0, none, M(3, 2));
  CHECK_FALSE(nothing.step());
  CHECK(dense.products == 0);
  CHECK(all_zero(nothing.solution()));
  Dense indefinite{M{{1, 0}, {0, -1}}};
  BlockConjugateGradients<Dense, None> impossible(indefinite, 0, none, M{{1, 0}, {0, 1}});
  CHECK_FALSE(impossible.step());
  CHECK(all_zero(impossible.solution()));
}

}  // namespace normalign::tests
