#include "rfm/kernel_operator.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

template <class T, class Kept>
void check_products(Index n, double memory, double tolerance) {
  CAPTURE(n, memory, sizeof(T), sizeof(Kept));
  const Kernel kernel;
  const MahalanobisPoints<T> points(random_matrix<T>({n, 3}, 1, -3, 3));
  const M p = random_matrix({n, 2}, 2);
  Matrix<T> values(n, n);
  kernel_matrix<T>(kernel, points, points, values);
  M expected = naive_product(converted<double>(values.view()), p);
  for (std::size_t i = 0; i < p.span().size(); ++i) expected.span()[i] += 0.25 * p.span()[i];
  LargeVector<Kept> kept(10, Kept(-1)), kept_by_three;
  KernelOperator<T, Kept> one(kernel, points, memory, 1, kept), three(kernel, points, memory, 3, kept_by_three);
  CHECK(sizeof(Kept) * static_cast<double>(kept.size()) <= memory);
  // The second product is one with what was kept.
  for (int i = 0; i < 2; ++i) {
    M found(n, 2), found_by_three(n, 2);
    one.multiply(p, 0.25, found);
    three.multiply(p, 0.25, found_by_three);
    CHECK(relative_error(found, expected) <= tolerance);
    CHECK(same_bits(found_by_three, found));
  }
  Matrix<float> copy(n, n);
  one.copy_to(copy);
  double worst = 0;
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j <= i; ++j) worst = std::max(worst, std::abs(static_cast<double>(copy(i, j) - values(i, j))));
  CHECK(worst <= 1e-6);
}

}  // namespace

TEST_CASE("products are those of the kernel matrix, whatever of it is kept, at any number of threads", "[rfm]") {
  for (const Index n : {1, 95, 97, 700})
    for (const double memory : {0.0, 3e5, infinity}) {
      check_products<double, double>(n, memory, 1e-13);
      check_products<double, float>(n, memory, 1e-6);
      check_products<float, float>(n, memory, 1e-6);
    }
}

}  // namespace normalign::tests
