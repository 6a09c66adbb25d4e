#include "rfm/kernel_matrix.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

// exp(-|a - b| / L) by plain loops.
template <class T>
double laplace(const Matrix<T>& a, Index i, const Matrix<T>& b, Index j, double bandwidth) {
  double squared = 0;
  for (Index k = 0; k < a.cols(); ++k) {
    const double difference = static_cast<double>(a(i, k)) - static_cast<double>(b(j, k));
    squared += difference * difference;
  }
  return std::exp(-std::sqrt(squared) / bandwidth);
}

constexpr Kernel laplace_of_2{.bandwidth = 2};

template <class T>
void check_matrix(Index n) {
  CAPTURE(n, sizeof(T));
  const Matrix<T> z = random_matrix<T>({n, 3}, 1);
  const MahalanobisPoints<T> points{Matrix<T>(z)};
  Matrix<T> found(n, n);
  std::ranges::fill(found.span(), T(-5));
  kernel_matrix<T>(laplace_of_2, points, found);
  double worst = 0;
  bool unit_diagonal = true;
  for (Index i = 0; i < n; ++i) {
    unit_diagonal = unit_diagonal && found(i, i) == 1;
    for (Index j = 0; j <= i; ++j)
      worst = std::max(worst, std::abs(static_cast<double>(found(i, j)) - laplace(z, i, z, j, 2)));
  }
  CHECK(unit_diagonal);
  CHECK(worst <= 10 * tolerance<T>());
  for (int threads : {2, 3, 7}) {
    Matrix<T> again(n, n);
    kernel_matrix<T>(laplace_of_2, points, again, threads);
    bool same = true;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j <= i; ++j) same = same && again(i, j) == found(i, j);
    CHECK(same);
  }
}

template <class T>
void check_product(Index n, Index m, Index c) {
  CAPTURE(n, m, c, sizeof(T));
  const Matrix<T> z = random_matrix<T>({n, 3}, 1), centres = random_matrix<T>({m, 3}, 2);
  const Matrix<T> coefficients = random_matrix<T>({m, c}, 3);
  const MahalanobisPoints<T> points{Matrix<T>(z)}, others{Matrix<T>(centres)};
  Matrix<double> expected(n, c);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < m; ++j) {
      const double value = laplace(z, i, centres, j, 2);
      for (Index k = 0; k < c; ++k) expected(i, k) += value * static_cast<double>(coefficients(j, k));
    }
  Matrix<T> whole(n, m), again(n, m);
  kernel_matrix<T>(laplace_of_2, points, others, whole);
  kernel_matrix<T>(laplace_of_2, points, others, again, 3);
  CHECK(same_bits(again, whole));
  CHECK(relative_error(naive_product(whole, coefficients), expected) <= 50 * tolerance<T>());
  const Matrix<T> found = kernel_product<T>(laplace_of_2, points, others, coefficients);
  CHECK(relative_error(found, expected) <= 50 * tolerance<T>());
  for (int threads : {2, 3})
    CHECK(same_bits(kernel_product<T>(laplace_of_2, points, others, coefficients, threads), found));
}

}  // namespace

TEST_CASE("a kernel matrix has the kernel's values in its lower triangle, at any number of threads", "[rfm]") {
  for (const Index n : {0, 1, 2, 63, 64, 65, 128, 511, 513, 1100}) {
    check_matrix<double>(n);
    check_matrix<float>(n);
  }
}

TEST_CASE("a kernel product is that of plain loops, at any number of threads", "[rfm]") {
  for (const Index n : {0, 1, 63, 64, 65, 200})
    for (const Index m : {0, 1, 511, 512, 513, 1100}) {
      check_product<double>(n, m, 4);
      check_product<float>(n, m, 1);
    }
  check_product<double>(1100, 65, 3);
  check_product<double>(65, 65, 0);
}

TEST_CASE("points without coordinates all have distance 0", "[rfm]") {
  const MahalanobisPoints<double> points{Matrix<double>(70, 0)};
  Matrix<double> ones(70, 70), sums(70, 1);
  kernel_matrix<double>(laplace_of_2, points, ones);
  for (Index i = 0; i < 70; ++i)
    for (Index j = 0; j <= i; ++j) REQUIRE(ones(i, j) == 1);
  std::ranges::fill(sums.span(), 1.0);
  const Matrix<double> product = kernel_product<double>(laplace_of_2, points, points, sums);
  CHECK(std::ranges::all_of(product.span(), [](double value) { return value == 70; }));
}

TEST_CASE("misfits and a thread number below one are refused", "[rfm]") {
  const MahalanobisPoints<double> points{Matrix<double>(3, 2)};
  Matrix<double> out(3, 2), square(3, 3);
  CHECK(message_of([&] { kernel_matrix<double>(laplace_of_2, points, out); }) ==
        "kernel_matrix: out is 3x2 but there are 3 points");
  CHECK(message_of([&] { kernel_matrix<double>(laplace_of_2, points, square, 0); }) ==
        "kernel_matrix: threads is 0; it must be at least 1");
  CHECK(message_of([&] { kernel_matrix<double>(laplace_of_2, points, points, out); }) ==
        "kernel_matrix: out is 3x2 but there are 3 points and 3 centres");
  CHECK(message_of([&] { kernel_matrix<double>(laplace_of_2, points, points, square, 0); }) ==
        "kernel_matrix: threads is 0; it must be at least 1");
  CHECK(message_of([&] { kernel_product<double>(laplace_of_2, points, points, Matrix<double>(2, 2)); }) ==
        "kernel_product: coefficients are 2x2 but there are 3 centres");
  CHECK(message_of([&] { kernel_product<double>(laplace_of_2, points, points, square, -1); }) ==
        "kernel_product: threads is -1; it must be at least 1");
}

TEST_CASE("blocks are an even number, hold every row once and have about as many", "[rfm]") {
  for (const Index n : {1, 3, 96, 97, 193, 578, 1155, 14028}) {
    CAPTURE(n);
    const Index blocks = kernel_blocks(n);
    CHECK((blocks == 1 || blocks % 2 == 0));
    Index rows = 0;
    for (Index i = 0; i < blocks; ++i) {
      const RowBlock block = kernel_block(n, i);
      CHECK(block.first == rows);
      CHECK(block.count > 0);
      CHECK(block.count <= kernel_block_rows);
      CHECK(std::abs(block.count * blocks - n) < 8 * blocks);
      rows += block.count;
    }
    CHECK(rows == n);
  }
}

}  // namespace normalign::tests
