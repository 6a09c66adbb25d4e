#include "rfm/kernel.hpp"

#include <array>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "linalg/simd_math.hpp"

namespace normalign {
namespace {

constexpr std::array<std::pair<const char*, KernelShape>, 3> names{
    {{"laplace", KernelShape::laplace},
     {"gaussian", KernelShape::gaussian},
     {"generalised_laplace", KernelShape::generalised_laplace}}};

// Each shape as two functions that a loop can take in: the exponent of exp as a function of r², and what makes a
// slope of a value, -k'(r) / (r k(r)), for r > 0.
template <class T>
struct Laplace {
  T over_bandwidth;
  T exponent(T squared) const { return -std::sqrt(squared) * over_bandwidth; }
  T slope(T squared) const { return over_bandwidth / std::sqrt(squared); }
};
template <class T>
struct Gaussian {
  T over_square;
  T exponent(T squared) const { return T(-0.5) * squared * over_square; }
  T slope(T) const { return over_square; }
};
template <class T>
struct GeneralisedLaplace {
  T over_bandwidth_squared, half_power;
  T power(T squared) const { return std::exp(half_power * std::log(squared * over_bandwidth_squared)); }
  T exponent(T squared) const { return -power(squared); }  // log(0) = -inf, whose exp is 0
  T slope(T squared) const { return 2 * half_power * power(squared) / squared; }
};

// Calls action(shape) with the one of the three that the kernel is.
template <class T, class Action>
void with_shape(const Kernel& kernel, const Action& action) {
  const double l = kernel.bandwidth;
  switch (kernel.shape) {
    case KernelShape::laplace:
      return action(Laplace<T>{static_cast<T>(1 / l)});
    case KernelShape::gaussian:
      return action(Gaussian<T>{static_cast<T>(1 / (l * l))});
    case KernelShape::generalised_laplace:
      return action(GeneralisedLaplace<T>{static_cast<T>(1 / (l * l)), static_cast<T>(kernel.exponent / 2)});
  }
}

}  // namespace

void check(const Kernel& kernel) {
  if (!(kernel.bandwidth > 0 && std::isfinite(kernel.bandwidth)))
    throw InputError(text("kernel: bandwidth is ", kernel.bandwidth, "; it must be positive and finite"));
  if (!(kernel.exponent > 0 && kernel.exponent <= 2))
    throw InputError(text("kernel: exponent is ", kernel.exponent, "; it must be above 0 and at most 2"));
}

const char* name_of(KernelShape shape) {
  for (const auto& [name, named] : names)
    if (named == shape) return name;
  return "";
}

KernelShape kernel_shape(const std::string& name) {
  return named("kernel", name, names, [](const auto& entry) { return entry.first; }).second;
}

template <class T>
void kernel_values(const Kernel& kernel, std::span<T> squared_distances) {
  T* const values = squared_distances.data();
  const std::size_t count = squared_distances.size();
  with_shape<T>(kernel, [&](const auto shape) {
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) values[i] = std::exp(shape.exponent(values[i]));
  });
}

template <class T>
void kernel_values_and_slopes(const Kernel& kernel, std::span<T> squared_distances, std::span<T> slopes) {
  T *const values = squared_distances.data(), *const slope = slopes.data();
  const std::size_t count = squared_distances.size();
  constexpr T nearest = static_cast<T>(least_distance * least_distance);
  with_shape<T>(kernel, [&](const auto shape) {
#pragma omp simd
    for (std::size_t i = 0; i < count; ++i) {
      const T squared = values[i];
      const T value = std::exp(shape.exponent(squared));
      values[i] = value;
      slope[i] = squared < nearest ? T(0) : value * shape.slope(squared < nearest ? T(1) : squared);
    }
  });
}

template void kernel_values(const Kernel&, std::span<float>);
template void kernel_values(const Kernel&, std::span<double>);
template void kernel_values_and_slopes(const Kernel&, std::span<float>, std::span<float>);
template void kernel_values_and_slopes(const Kernel&, std::span<double>, std::span<double>);

}  // namespace normalign
