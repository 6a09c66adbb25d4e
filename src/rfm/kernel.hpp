// Radial kernels: functions of a squared distance.
#pragma once

#include <span>
#include <string>

namespace normalign {

/// The shape of a radial kernel.
enum class KernelShape {
  laplace,              ///< exp(-r / L)
  gaussian,             ///< exp(-r² / (2 L²))
  generalised_laplace,  ///< exp(-(r / L)^p), 0 < p <= 2
};

/// A kernel k(r) of the distance r, 1 at r = 0.
struct Kernel {
  KernelShape shape = KernelShape::laplace;
  double bandwidth = 10;  ///< L, in the units of the distance
  double exponent = 1;    ///< p, of generalised_laplace alone
};

/// Throws InputError on a bandwidth that is not positive and finite, or an exponent outside (0, 2].
void check(const Kernel& kernel);

/// "laplace", "gaussian" or "generalised_laplace".
const char* name_of(KernelShape shape);

/// The shape of that name. Throws InputError listing the names.
KernelShape kernel_shape(const std::string& name);

/// Points nearer than this have gradient zero of the kernel between them.
inline constexpr double least_distance = 1e-10;

/// Overwrites squared distances by the values k(r).
template <class T>
void kernel_values(const Kernel& kernel, std::span<T> squared_distances);

/// Overwrites squared distances by the values k(r), and writes to `slopes`, as many, -k'(r)/r: the gradient of
/// k(|x - z|) in x is -slope (x - z). Below `least_distance` the slope is 0; so it is at r = 0, where Laplace kernels
/// have a kink, by convention.
template <class T>
void kernel_values_and_slopes(const Kernel& kernel, std::span<T> squared_distances, std::span<T> slopes);

}  // namespace normalign
