#include "linalg/cholesky.hpp"

#include <cmath>

#include "linalg/row_blocks.hpp"
#include "linalg/thread_limit.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

// What stands above the diagonal is `above`, to be found there again.
template <class T>
Matrix<T> positive_definite(Index n, std::uint64_t seed, T above = T(-7)) {
  const Matrix<T> a = random_matrix<T>({n, n}, seed);
  Matrix<T> result(n, n);
  gemm<T>(a, a, result, {.b = true});
  for (Index i = 0; i < n; ++i) {
    result(i, i) += T(n) / 10;
    for (Index j = i + 1; j < n; ++j) result(i, j) = above;
  }
  return result;
}

template <class T>
Matrix<T> lower_triangle(const Matrix<T>& a) {
  Matrix<T> result(a.rows(), a.cols());
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j <= i; ++j) result(i, j) = a(i, j);
  return result;
}

template <class T>
void check_factor(Index n) {
  CAPTURE(n, sizeof(T));
  const Matrix<T> a = positive_definite<T>(n, 1);
  Matrix<T> factor = a;
  REQUIRE(cholesky<T>(factor));
  bool upper_untouched = true;
  for (Index i = 0; i < n; ++i)
    for (Index j = i + 1; j < n; ++j) upper_untouched = upper_untouched && factor(i, j) == T(-7);
  CHECK(upper_untouched);
  const Matrix<T> l = lower_triangle(factor);
  Matrix<T> product(n, n);
  gemm<T>(l, l, product, {.b = true});
  CHECK(relative_error(lower_triangle(product), lower_triangle(a)) <= 40 * std::numeric_limits<T>::epsilon());

  Matrix<T> whole = a;
  for (Index i = 0; i < n; ++i)
    for (Index j = i + 1; j < n; ++j) whole(i, j) = a(j, i);
  const Matrix<T> b = random_matrix<T>({n, 3}, 2);
  Matrix<T> x = b, back(n, 3);
  cholesky_solve<T>(factor, x);
  gemm<T>(whole, x, back);
  Matrix<T> half = b, half_back(n, 3);
  triangular_solve<T>(factor, half);
  gemm<T>(l, half, half_back);
  CHECK(relative_error(half_back, b) <= 500 * std::numeric_limits<T>::epsilon());
  CHECK(relative_error(back, b) <= 500 * std::numeric_limits<T>::epsilon());
}

}  // namespace

TEST_CASE("L Lᵀ is the matrix, solutions solve it and the upper triangle is left alone, around the tiles' borders") {
  for (Index n : {0, 1, 2, 17, 191, 192, 193, 383, 384, 385, 576, 577, 768, 900}) check_factor<double>(n);
  for (Index n : {1, 5, 384, 385, 600}) check_factor<float>(n);
}

TEST_CASE("the factor of a known matrix") {
  Matrix<double> a{{4, 0, 0}, {2, 10, 0}, {-2, 5, 6}}, b{{4}, {23}, {24}};
  REQUIRE(cholesky<double>(a));
  CHECK(a == Matrix<double>{{2, 0, 0}, {1, 3, 0}, {-1, 2, 1}});
  cholesky_solve<double>(a, b);
  CHECK(relative_error(naive_product(Matrix<double>{{4, 2, -2}, {2, 10, 5}, {-2, 5, 6}}, b),
                       Matrix<double>{{4}, {23}, {24}}) < 1e-14);
}

TEST_CASE("a matrix that is not positive definite, or holds a NaN, is told, wherever the fault stands") {
  const double nan = std::nan("");
  for (Index n : {1, 2, 300, 384, 385, 900})
    for (Index at : {Index{0}, n / 2, n - 1}) {
      CAPTURE(n, at);
      for (double bad : {0.0, -1.0, nan}) {
        Matrix<double> a = positive_definite<double>(n, 3);
        a(at, at) = bad;
        CHECK_FALSE(cholesky<double>(a));
      }
      if (at == 0) continue;
      Matrix<double> a = positive_definite<double>(n, 3);
      a(at, 0) = nan;
      CHECK_FALSE(cholesky<double>(a));
      // A 2 x 2 minor that is negative, on a positive diagonal.
      Matrix<double> twin = positive_definite<double>(n, 3);
      twin(at, 0) = 1.01 * std::sqrt(twin(at, at) * twin(0, 0));
      CHECK_FALSE(cholesky<double>(twin));
    }
  // Above the diagonal nothing is read.
  Matrix<double> a = positive_definite<double>(500, 3, nan);
  CHECK(cholesky<double>(a));
}

TEST_CASE("a factorisation and its solutions have the same bits at any number of threads, and inside a region") {
  for (Index n : {500, 1100}) {
    const Matrix<double> a = positive_definite<double>(n, 4), b = random_matrix({n, 5}, 5);
    Matrix<double> expected = a, solution = b;
    {
      const ThreadLimit one(1);
      REQUIRE(cholesky<double>(expected));
      cholesky_solve<double>(expected, solution);
    }
    for (int threads : {2, 3}) {
      const ThreadLimit limit(threads);
      Matrix<double> found = a, x = b;
      REQUIRE(cholesky<double>(found));
      CHECK(same_bits(found, expected));
      cholesky_solve<double>(found, x);
      CHECK(same_bits(x, solution));
    }
    std::vector<Matrix<double>> inside(2, a);
    std::vector<std::exception_ptr> failures;
    parallel_for(2, 2, failures, [&](Index i) { cholesky<double>(inside[static_cast<std::size_t>(i)]); });
    for (const Matrix<double>& found : inside) CHECK(same_bits(found, expected));
  }
}

TEST_CASE("misfits are refused") {
  Matrix<double> wide(2, 3), square{{1, 0}, {0, 1}}, long_b(3, 1);
  CHECK(contains(message_of([&] { cholesky<double>(wide); }), "cholesky: a is 2x3; it must be square"));
  CHECK(contains(message_of([&] { cholesky_solve<double>(wide, long_b); }), "cholesky_solve: a is 2x3"));
  CHECK(message_of([&] { cholesky_solve<double>(square, long_b); }) ==
        "cholesky_solve: factor is 2x2 but b is 3x1; b.rows must equal factor.rows");
  CHECK(message_of([&] { triangular_solve<double>(square, long_b); }) ==
        "triangular_solve: factor is 2x2 but b is 3x1; b.rows must equal factor.rows");
}

TEST_CASE("a Cholesky factorisation ends when stopped, at the first column of tiles, on any thread") {
  for (const int threads : {1, 3}) {
    const ThreadLimit limit(threads);
    Matrix<double> a(1000, 1000);
    for (Index i = 0; i < a.rows(); ++i) a(i, i) = 4;
    int asked = 0;
    const StopPoll stop("test", [&] { return ++asked > 0; });
    CHECK(message_of<Stopped>([&] { cholesky<double>(a, stop); }) == "test: stopped");
    CHECK(asked == 1);
    CHECK(a(999, 999) == 4);
    CHECK(cholesky<double>(a, StopPoll("test", goes_on)));
  }
}

}  // namespace normalign::tests
