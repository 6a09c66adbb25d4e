// How fast one thread computes here.
#pragma once

#include "linalg/blas_kernels.hpp"

namespace normalign {

/// Returns the floating-point operations a second that one thread reaches in the product of two 512 x 512 matrices: the
/// best of several, in tenths of a second. The seconds are the thread's own processor time, so other programs that
/// take turns on the same core do not count; what they do to caches and clock does.
template <class T>
double product_rate();

/// Returns the operations a second that one thread reaches when it only multiplies and adds in registers, on the
/// widest vectors that kernels of this class use: what no product can exceed. Measured as `product_rate` is. The CPU
/// must have the instructions; 0 on CPUs other than x86.
template <class T>
double peak_rate(KernelClass kernels);

}  // namespace normalign
