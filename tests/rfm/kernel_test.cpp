#include "rfm/kernel.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

const Kernel shapes[] = {
    {.shape = KernelShape::laplace, .bandwidth = 10},
    {.shape = KernelShape::laplace, .bandwidth = 0.7},
    {.shape = KernelShape::gaussian, .bandwidth = 1.3},
    {.shape = KernelShape::generalised_laplace, .bandwidth = 2, .exponent = 0.5},
    {.shape = KernelShape::generalised_laplace, .bandwidth = 2, .exponent = 1.4},
};

// k(r) by its definition.
long double value_at(const Kernel& kernel, long double r) {
  const long double l = static_cast<long double>(kernel.bandwidth);
  switch (kernel.shape) {
    case KernelShape::laplace:
      return std::exp(-r / l);
    case KernelShape::gaussian:
      return std::exp(-r * r / (2 * l * l));
    case KernelShape::generalised_laplace:
      return std::exp(-std::pow(r / l, static_cast<long double>(kernel.exponent)));
  }
  return 0;
}

const std::vector<double> distances{1e-9, 1e-4, 0.03, 0.5, 1, 1.7, 3, 8, 20};

template <class T>
std::vector<T> squares(const std::vector<double>& r) {
  std::vector<T> result;
  for (const double x : r) result.push_back(static_cast<T>(x * x));
  return result;
}

template <class T>
void check_formula() {
  const double bound = 30 * static_cast<double>(std::numeric_limits<T>::epsilon());
  const double least = static_cast<double>(std::numeric_limits<T>::min());
  for (const Kernel& kernel : shapes) {
    CAPTURE(name_of(kernel.shape), kernel.bandwidth, kernel.exponent, sizeof(T));
    const std::vector<T> squared = squares<T>(distances);
    std::vector<T> values = squared, again = squared, slopes(squared.size(), T(-1));
    kernel_values<T>(kernel, values);
    kernel_values_and_slopes<T>(kernel, again, slopes);
    CHECK(again == values);
    for (std::size_t i = 0; i < squared.size(); ++i) {
      const long double r = std::sqrt(static_cast<long double>(squared[i])), step = r * 1e-5L;
      CAPTURE(static_cast<double>(r));
      const double expected = static_cast<double>(value_at(kernel, r));
      // An error of the exponent is one of the value, as many times as the exponent is large.
      const double exponent = std::max(1.0, -std::log(expected));
      CHECK_THAT(values[i], WithinAbs(expected, bound * exponent * expected + least));
      if (distances[i] < 1e-4) continue;  // where the difference quotient has no digits
      const long double derivative = (value_at(kernel, r + step) - value_at(kernel, r - step)) / (2 * step);
      const double slope = static_cast<double>(-derivative / r);
      CHECK_THAT(slopes[i], WithinAbs(slope, (bound * exponent + 1e-6) * slope + least));
    }
  }
}

}  // namespace

TEST_CASE("shapes have the values of their formulas, and the slopes of central differences", "[rfm]") {
  check_formula<double>();
  check_formula<float>();
}

TEST_CASE("a kernel is 1 at distance 0, and has slope 0 from there to the least distance", "[rfm]") {
  for (const Kernel& kernel : shapes) {
    CAPTURE(name_of(kernel.shape));
    // 19 of them: what a vector takes, and the rest.
    std::vector<double> zeros(19), slopes(19, -1.0);
    kernel_values_and_slopes<double>(kernel, zeros, slopes);
    CHECK(zeros == std::vector<double>(19, 1.0));
    CHECK(slopes == std::vector<double>(19, 0.0));
    std::vector<float> single(19), single_slopes(19, -1.0f);
    kernel_values_and_slopes<float>(kernel, single, single_slopes);
    CHECK(single == std::vector<float>(19, 1.0f));
    CHECK(single_slopes == std::vector<float>(19, 0.0f));
    std::vector<double> near{0.99e-20, 1.01e-20}, near_slopes(2);
    kernel_values_and_slopes<double>(kernel, near, near_slopes);
    CHECK(near_slopes[0] == 0);
    CHECK(near_slopes[1] > 0);
  }
}

TEST_CASE("far away a kernel is 0, its slope too, and nothing is a NaN", "[rfm]") {
  for (const Kernel& kernel : shapes) {
    CAPTURE(name_of(kernel.shape), kernel.exponent);
    std::vector<double> far{1e14}, slopes(1, -1.0);
    kernel_values_and_slopes<double>(kernel, far, slopes);
    CHECK(far[0] < 1e-300);
    CHECK((slopes[0] >= 0 && slopes[0] < 1e-300));
  }
}

TEST_CASE("the exponent 1 is Laplace's kernel, 2 Gauss's with another bandwidth", "[rfm]") {
  std::vector<double> general = squares<double>(distances), laplace = general, gaussian = general, square = general;
  kernel_values<double>({.shape = KernelShape::generalised_laplace, .bandwidth = 3, .exponent = 1}, general);
  kernel_values<double>({.bandwidth = 3}, laplace);
  kernel_values<double>({.shape = KernelShape::generalised_laplace, .bandwidth = 3, .exponent = 2}, square);
  kernel_values<double>({.shape = KernelShape::gaussian, .bandwidth = 3 / std::sqrt(2)}, gaussian);
  for (std::size_t i = 0; i < general.size(); ++i) {
    CHECK_THAT(general[i], WithinRel(laplace[i], 1e-13));
    CHECK_THAT(square[i], WithinAbs(gaussian[i], 1e-13 * gaussian[i] + 1e-300));
  }
}

TEST_CASE("names of shapes lead back to them; other names and options are refused", "[rfm]") {
  for (const KernelShape shape : {KernelShape::laplace, KernelShape::gaussian, KernelShape::generalised_laplace})
    CHECK(kernel_shape(name_of(shape)) == shape);
  CHECK(message_of([] { kernel_shape("laplacian\n"); }) ==
        "kernel: found 'laplacian?', expected one of laplace, gaussian, generalised_laplace");
  const auto refusal = [](const Kernel& kernel) { return message_of([&] { check(kernel); }); };
  CHECK(refusal({}) == "nothing was thrown");
  CHECK(refusal({.bandwidth = 0}) == "kernel: bandwidth is 0; it must be positive and finite");
  CHECK(refusal({.bandwidth = infinity}) == "kernel: bandwidth is inf; it must be positive and finite");
  CHECK(refusal({.bandwidth = std::nan("")}) == "kernel: bandwidth is nan; it must be positive and finite");
  CHECK(refusal({.exponent = 0}) == "kernel: exponent is 0; it must be above 0 and at most 2");
  CHECK(refusal({.exponent = 2.5}) == "kernel: exponent is 2.5; it must be above 0 and at most 2");
  CHECK(refusal({.exponent = 2}) == "nothing was thrown");
}

}  // namespace normalign::tests
