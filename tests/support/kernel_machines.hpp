// Kernel machines for tests, and their outputs written with the tape's operations.
#pragma once

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "rfm/kernel_machine.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {

/// A positive semi-definite metric of that rank, d x d.
template <class T = double>
Matrix<T> random_metric(Index d, Index rank, std::uint64_t seed) {
  const Matrix<T> a = random_matrix<T>({rank, d}, seed);
  Matrix<T> m(d, d);
  syrk<T>(a, m);
  return m;
}

/// n centres in d dimensions, c outputs, a metric of the given rank; values uniform in (-1, 1).
template <class T = double>
KernelMachine<T> random_machine(const Kernel& kernel, Index n, Index d, Index c, Index rank, std::uint64_t seed = 1) {
  return {kernel, random_matrix<T>({n, d}, 10 * seed), random_metric<T>(d, rank, 10 * seed + 1),
          random_matrix<T>({n, c}, 10 * seed + 2)};
}

/// The outputs at x (m x d, on the tape, away from the centres) by the formula, m x c: the kernel by tape operations,
/// the metric as it stands, without a factor.
inline Var<double> outputs_on_tape(Tape<double>& tape, const KernelMachine<double>& machine, const Var<double>& x) {
  const Var<double> z = tape.constant(machine.centres()), m = tape.constant(machine.metric());
  const Var<double> xm = matmul(x, m), zm = matmul(z, m);
  const Var<double> squared = row_sum(xm * x) + transpose(row_sum(zm * z)) - 2 * matmul(xm, z, {.b = true});  // m x n
  const double l = machine.kernel().bandwidth;
  Var<double> exponent;
  switch (machine.kernel().shape) {
    case KernelShape::laplace:
      exponent = sqrt(squared) / l;
      break;
    case KernelShape::gaussian:
      exponent = squared / (2 * l * l);
      break;
    case KernelShape::generalised_laplace:
      exponent = pow(squared / (l * l), machine.kernel().exponent / 2);
      break;
  }
  return matmul(exp(-exponent), tape.constant(machine.coefficients()));
}

}  // namespace normalign::tests
