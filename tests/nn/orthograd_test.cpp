#include "nn/orthograd.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

template <class T>
Matrix<T> filtered(const Matrix<T>& w, Matrix<T> gradient) {
  OrthoGrad<T> filter;
  filter.apply(0, w, gradient);
  return gradient;
}

template <class T>
double length(const Matrix<T>& a) {
  return std::sqrt(inner_product(a, a));
}

template <class T>
void check_orthogonal(double size_of_w, double size_of_g) {
  Matrix<T> w = random_matrix<T>({30, 40}, 1), g = random_matrix<T>({30, 40}, 2, -1, 2);
  for (T& value : w.span()) value *= static_cast<T>(size_of_w);
  for (T& value : g.span()) value *= static_cast<T>(size_of_g);
  const Matrix<T> found = filtered(w, g);
  CHECK(std::abs(inner_product(w, found)) <= tolerance<T>() * length(w) * length(g));
  // What is lost is the part along w and is not given back: |g'|^2 + (<w, g> / |w|)^2 = |g|^2.
  const double along = inner_product(w, g) / length(w);
  CHECK_THAT(inner_product(found, found) + along * along, WithinRel(inner_product(g, g), 10 * tolerance<T>()));
  CHECK(length(found) < length(g));
  CHECK(relative_error(filtered(w, found), found) <= tolerance<T>());
}

TEST_CASE("OrthoGrad leaves a gradient that is orthogonal to the weights, and no longer than it was") {
  for (double w : {1.0, 1e-3, 1e3})
    for (double g : {1.0, 1e-6, 1e6}) {
      CAPTURE(w, g);
      check_orthogonal<double>(w, g);
      check_orthogonal<float>(w, g);
    }
}

TEST_CASE("a gradient along the weights is taken out, one across them stays") {
  const Matrix<double> w{{3, 4}, {0, 0}}, along{{-6, -8}, {0, 0}}, across{{4, -3}, {7, 1}};
  CHECK(all_zero(filtered(w, along)));
  CHECK(same_bits(filtered(w, across), across));
  CHECK(relative_error(filtered(w, Matrix<double>{{1, 0}, {0, 5}}), Matrix<double>{{0.64, -0.48}, {0, 5}}) <=
        tolerance<double>());
}

TEST_CASE("weights of squared length up to 1e-8 have no direction") {
  const Matrix<double> g{{1, 2}};
  CHECK(same_bits(filtered(Matrix<double>(1, 2), g), g));
  CHECK(same_bits(filtered(Matrix<double>{{0.99e-4, 0}}, g), g));
  CHECK(relative_error(filtered(Matrix<double>{{1.01e-4, 0}}, g), Matrix<double>{{0, 2}}) <= tolerance<double>());
}

}  // namespace
}  // namespace normalign::tests
