#include "linalg/blas.hpp"

#include <omp.h>

#include <array>
#include <ctime>
#include <limits>
#include <semaphore>
#include <thread>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

const Transposes every_flag[] = {{false, false}, {false, true}, {true, false}, {true, true}};

// (n x m) (m x p) before the flags are undone
template <class T>
Matrix<T> left(Transposes op, Index n, Index m) {
  return random_matrix<T>(op.a ? Shape{m, n} : Shape{n, m}, 1);
}
template <class T>
Matrix<T> right(Transposes op, Index m, Index p) {
  return random_matrix<T>(op.b ? Shape{p, m} : Shape{m, p}, 2);
}

template <class T>
void check_gemm() {
  for (const Transposes op : every_flag)
    for (const auto& [n, m, p] : {std::array<Index, 3>{1, 1, 1},
                                  {3, 4, 2},
                                  {17, 5, 31},
                                  {65, 33, 7},
                                  {1, 100, 1},
                                  {40, 1, 50},
                                  {3, 0, 2},
                                  {0, 3, 2},
                                  {2, 3, 0},
                                  {0, 0, 0}})
      for (const auto& [alpha, beta] : {std::array<double, 2>{1, 0}, {1, 1}, {-0.5, 2}, {0, 0.5}, {0, 0}}) {
        CAPTURE(op.a, op.b, n, m, p, alpha, beta);
        const Matrix<T> a = left<T>(op, n, m), b = right<T>(op, m, p), before = random_matrix<T>({n, p}, 3);
        Matrix<T> c = before;
        if (beta == 0)  // not read
          std::ranges::fill(c.span(), std::numeric_limits<T>::quiet_NaN());
        gemm<T>(a, b, c, op, static_cast<T>(alpha), static_cast<T>(beta));
        CHECK(relative_error(c, naive_product(a, b, op, alpha, &before, beta)) <= tolerance<T>(1));
      }
}

TEST_CASE("gemm is the sum of products, with every flag, scale and odd extent") {
  check_gemm<double>();
  check_gemm<float>();
}

template <class T>
void check_gemv() {
  for (const bool transpose : {false, true})
    for (const auto& [n, m] : {std::array<Index, 2>{1, 1}, {5, 3}, {33, 65}, {1, 40}, {40, 1}, {0, 3}, {3, 0}})
      for (const auto& [alpha, beta] : {std::array<double, 2>{1, 0}, {1, 1}, {-0.5, 2}, {0, 0.5}, {0, 0}})
        for (const bool as_row : {false, true}) {
          CAPTURE(transpose, n, m, alpha, beta, as_row);
          const Matrix<T> a = random_matrix<T>({n, m}, 1);
          const Index inner = transpose ? n : m, outer = transpose ? m : n;
          const Matrix<T> x = random_matrix<T>({inner, 1}, 2), before = random_matrix<T>({outer, 1}, 3);
          Matrix<T> y = before;
          if (beta == 0) std::ranges::fill(y.span(), std::numeric_limits<T>::quiet_NaN());
          const auto line = [&](auto& v) {
            return as_row ? MatrixView(v.data(), 1, v.size()) : MatrixView(v.data(), v.size(), 1);
          };
          gemv<T>(a, line(x), line(y), transpose, static_cast<T>(alpha), static_cast<T>(beta));
          CHECK(relative_error(y, naive_product(a, x, {.a = transpose}, alpha, &before, beta)) <= tolerance<T>(1));
        }
}

TEST_CASE("gemv is a product with a row or a column") {
  check_gemv<double>();
  check_gemv<float>();
}

template <class T>
void check_syrk() {
  for (const auto& [n, d] : {std::array<Index, 2>{1, 1}, {5, 3}, {3, 5}, {70, 33}, {0, 3}, {3, 0}})
    for (const auto& [alpha, beta] : {std::array<double, 2>{1, 0}, {1, 1}, {-0.5, 2}, {0, 0}}) {
      CAPTURE(n, d, alpha, beta);
      const Matrix<T> a = random_matrix<T>({n, d}, 1), half = random_matrix<T>({d, d}, 2);
      Matrix<T> before(d, d);
      for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < d; ++j) before(i, j) = half(i, j) + half(j, i);
      Matrix<T> c = before;
      if (beta == 0) std::ranges::fill(c.span(), std::numeric_limits<T>::quiet_NaN());
      syrk<T>(a, c, static_cast<T>(alpha), static_cast<T>(beta));
      CHECK(relative_error(c, naive_product(a, a, {.a = true}, alpha, &before, beta)) <= tolerance<T>(1));
      CHECK(same_bits(c, transposed(c)));
    }
}

TEST_CASE("syrk is the symmetric product of a matrix with itself, both triangles") {
  check_syrk<double>();
  check_syrk<float>();
}

TEST_CASE("products that do not fit are refused with every shape") {
  const Matrix<double> a(3, 4), b(5, 4), x(3, 1);
  Matrix<double> c(3, 4), y(1, 3);
  CHECK(message_of([&] { gemm<double>(a, b, c); }) == "gemm: a is 3x4 but b is 5x4; a.cols must equal b.rows");
  CHECK(message_of([&] { gemm<double>(a, b, c, {.a = true}); }) ==
        "gemm: a is 3x4 but b is 5x4; a.rows must equal b.rows");
  CHECK(message_of([&] { gemm<double>(a, b, c, {.b = true}); }) == "gemm: c is 3x4 but op(a) op(b) is 3x5");
  CHECK(message_of([&] { gemv<double>(a, x, y); }) ==
        "gemv: a is 3x4, x is 3x1 and y is 1x3; x must hold 4 values and y 3");
  CHECK(message_of([&] { gemv<double>(a, x, y, true); }) ==
        "gemv: a is 3x4 (transposed), x is 3x1 and y is 1x3; x must hold 3 values and y 4");
  const Matrix<double> block(2, 2), wide(3, 4);
  CHECK_THROWS_AS(gemv<double>(wide, block, y), InputError);  // four values, but neither a row nor a column
  CHECK(message_of([&] { syrk<double>(a, c); }) == "syrk: a is 3x4 but c is 3x4; c must be 4x4");
  CHECK(message_of([&] {
          product_shape("caller", {2, 3}, {4, 5}, {});
        }) == "caller: a is 2x3 but b is 4x5; a.cols must equal b.rows");
}

// ---- large products and threads
// -------------------------------------------------------------------------------------

// 1.1e9 flops: split over tiles, some of them at the edges.
constexpr Index large_n = 700, large_m = 1100, large_p = 720;

TEST_CASE("a product that is split over tiles equals one that is not") {
  for (const Transposes op : every_flag) {
    CAPTURE(op.a, op.b);
    const Matrix<double> a = left<double>(op, large_n, large_m), b = right<double>(op, large_m, large_p);
    const Matrix<double> before = random_matrix({large_n, large_p}, 3);
    Matrix<double> whole = before, strips = before;
    gemm<double>(a, b, whole, op, 0.5, 2);
    // The same by strips of rows that are too small to be split.
    for (Index first = 0; first < large_n; first += 100) {
      Matrix<double> rows(op.a ? large_m : 100, op.a ? 100 : large_m);
      for (Index i = 0; i < rows.rows(); ++i)
        for (Index j = 0; j < rows.cols(); ++j) rows(i, j) = op.a ? a(i, first + j) : a(first + i, j);
      gemm<double>(rows, b, strips.view().row_block(first, 100), op, 0.5, 2);
    }
    CHECK(relative_error(whole, strips) <= tolerance<double>(1));
  }
}

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// How many threads products that are too small to be cut keep busy: the processor time of the process over that of this
// thread, while no other thread works. Threads that still spin after earlier work make it larger
// for some milliseconds, hence the least of several tries; BLAS on two threads gives 2 each time.
double busy_threads() {
  static const auto a = random_matrix({150, 150}, 1), b = random_matrix({150, 150}, 2);
  Matrix<double> c(150, 150);
  double least = infinity;
  for (int attempt = 0; attempt < 20 && least > 1.2; ++attempt) {
    const double process = seconds(CLOCK_PROCESS_CPUTIME_ID), thread = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < 100; ++i) gemm<double>(a, b, c);
    const double here = seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
    least = std::min(least, (seconds(CLOCK_PROCESS_CPUTIME_ID) - process) / here);
  }
  return least;
}

// One product of each kind.
struct Products {
  Matrix<double> large{large_n, large_p}, small{37, 29}, vector{1, large_n}, square{64, 64};
  Matrix<float> single{large_n, large_p};
  int threads = 0;

  static Products now() {
    static const auto a = random_matrix({large_n, large_m}, 1), b = random_matrix({large_m, large_p}, 2);
    static const auto a_single = random_matrix<float>(a.shape(), 1), b_single = random_matrix<float>(b.shape(), 2);
    static const auto c = random_matrix({37, 200}, 4), d = random_matrix({200, 29}, 5);
    static const auto x = random_matrix({1, large_m}, 6), e = random_matrix({500, 64}, 7);
    Products p;
    gemm<double>(a, b, p.large);
    gemm<float>(a_single, b_single, p.single);
    gemm<double>(c, d, p.small);
    gemv<double>(a, x, p.vector);
    syrk<double>(e, p.square);
    p.threads = detail::blas_threads_inside_scope();
    return p;
  }
  bool same_as(const Products& other) const {
    return same_bits(large, other.large) && same_bits(single, other.single) && same_bits(small, other.small) &&
           same_bits(vector, other.vector) && same_bits(square, other.square);
  }
};

// Sets the number of OpenMP threads for a scope.
struct OuterThreads {
  int before = omp_get_max_threads();
  explicit OuterThreads(int threads) { omp_set_num_threads(threads); }
  ~OuterThreads() { omp_set_num_threads(before); }
};

TEST_CASE("products have the same bits from any thread and at any number of threads") {
  const Products expected = Products::now();
  CHECK(expected.threads == 1);
  const auto check = [&](const Products& found) {
    CHECK(found.same_as(expected));
    CHECK(found.threads == 1);
  };
  for (int threads : {1, 2, 8}) {
    const OuterThreads scope(threads);
    CAPTURE(threads);
    {
      INFO("from the main thread");
      check(Products::now());
      CHECK(omp_get_max_threads() == threads);
    }
    {
      INFO("inside an active parallel region");
      std::array<Products, 2> found;
      std::array<int, 2> setting{};
      int team = 0;
#pragma omp parallel num_threads(2)
      {
        const auto self = static_cast<std::size_t>(omp_get_thread_num());
        if (self == 0) team = omp_get_num_threads();
        found[self] = Products::now();
        setting[self] = omp_get_max_threads();
      }
      REQUIRE(team == 2);
      for (std::size_t thread : {0u, 1u}) {
        check(found[thread]);
        CHECK(setting[thread] == threads);
      }
    }
    {
      INFO("inside a region of one thread");
      Products found;
      int setting = 0;
#pragma omp parallel num_threads(1)
      {
        found = Products::now();
        setting = omp_get_max_threads();
      }
      check(found);
      CHECK(setting == threads);
    }
    {
      INFO("from a fresh thread");
      Products found;
      int before = 0, after = 0;
      std::thread([&] {
        before = omp_get_max_threads();
        found = Products::now();
        after = omp_get_max_threads();
      }).join();
      check(found);
      CHECK(after == before);
    }
  }
}

// Extents around the multiples of 48 at which ranges begin, and products on both sides of what is cut.
template <class T>
void check_bits_of_ranges() {
  struct Form {
    Index m, n, k;
  };
  const std::vector<Form> forms = {{196, 200, 784}, {200, 784, 196}, {196, 10, 200},  {250, 200, 200}, {97, 301, 150},
                                   {145, 51, 600},  {250, 1, 9000},  {1000, 61, 70},  {500, 33, 333},  {96, 96, 500},
                                   {143, 211, 257}, {300, 8, 2000},  {2000, 30, 100}, {193, 193, 193}, {64, 400, 401}};
  for (const auto& [m, n, k] : forms)
    for (const Transposes op : every_flag)
      for (const double beta : {0.0, 1.0}) {
        const Matrix<T> a = left<T>(op, m, k), b = right<T>(op, k, n), before = random_matrix<T>({m, n}, 3);
        Matrix<T> expected = before;
        {
          const OuterThreads alone(1);
          gemm<T>(a, b, expected, op, 1, static_cast<T>(beta));
        }
        for (int threads : {2, 3, 4, 7}) {
          CAPTURE(m, n, k, op.a, op.b, beta, threads);
          const OuterThreads scope(threads);
          Matrix<T> found = before;
          gemm<T>(a, b, found, op, 1, static_cast<T>(beta));
          REQUIRE(same_bits(found, expected));
        }
      }
}

TEST_CASE("a product in ranges of rows has the bits of the whole") {
  check_bits_of_ranges<float>();
  check_bits_of_ranges<double>();
}

TEST_CASE("no product that is cut has parts as small as those for which libraries have other kernels") {
  CHECK(product_parts({100, 100}, 100) == 1);
  CHECK(product_parts({196, 200}, 784) == 15);
  CHECK(product_parts({1000, 1000}, 1000) == 1);
  for (Index m : {50, 100, 200, 300})
    for (Index n : {10, 100, 300})
      for (Index k : {10, 100, 1000}) {
        const Index parts = product_parts({m, n}, k);
        CHECK((parts == 1 || 2 * m * n * k / parts > 2'000'000));
      }
}

TEST_CASE("BLAS starts no threads itself, wherever it is called from") {
  constexpr double one = 1.2;
  const OuterThreads scope(2);
  CHECK(busy_threads() <= one);
  double in_region_of_one = 0, in_active_region = 0, in_thread = 0, in_region_of_thread = 0;
#pragma omp parallel num_threads(1)
  in_region_of_one = busy_threads();
  std::binary_semaphore done(0);
#pragma omp parallel num_threads(2)
  {
    if (omp_get_thread_num() == 0) {
      in_active_region = busy_threads();
      done.release();
    } else {
      done.acquire();  // asleep, so as not to be counted
    }
  }
  std::thread([&] {
    in_thread = busy_threads();
#pragma omp parallel num_threads(1)
    in_region_of_thread = busy_threads();
  }).join();
  CHECK(in_region_of_one <= one);
  CHECK(in_active_region <= one);
  CHECK(in_thread <= one);
  CHECK(in_region_of_thread <= one);
}

TEST_CASE("the caller's number of threads is as before after a product, a failed one included") {
  for (int threads : {1, 3}) {
    const OuterThreads scope(threads);
    Matrix<double> c(2, 2);
    const Matrix<double> a(2, 2), misfit(3, 3);
    gemm<double>(a, a, c);
    CHECK(omp_get_max_threads() == threads);
    CHECK_THROWS_AS(gemm<double>(a, misfit, c), InputError);
    CHECK(omp_get_max_threads() == threads);
    {
      const detail::SingleThreadedBlas outer;
      CHECK(omp_get_max_threads() == 1);
      const detail::SingleThreadedBlas inner;
      CHECK(omp_get_max_threads() == 1);
    }
    CHECK(omp_get_max_threads() == threads);
  }
}

TEST_CASE("the library and the kernels it uses are named") {
  CHECK(contains(blas_description(), "OpenBLAS 0."));
  CHECK(contains(blas_description(), " ("));
}

}  // namespace
}  // namespace normalign::tests
