// Derivatives of recorded values: reverse (grad), forward (jvp), whole Jacobians and Hessian products.
#pragma once

#include <span>
#include <type_traits>
#include <vector>

#include "autodiff/tape.hpp"

namespace normalign {

/// How a gradient is taken.
template <class T>
struct GradOptions {
  /// The cotangent of f, of f's shape; may be left out when f is 1x1 and then is 1. It may depend on variables: a
  /// recorded gradient is differentiated through it too; `detached` makes it a constant.
  Var<T> seed{};
  /// Whether the gradient is recorded too, so that it can be differentiated again.
  bool create_graph = false;
};

/// The vector-Jacobian products seedᵀ df/dx for every x in `wrt`, each of x's shape, written to `out`.
///
/// A value that f does not depend on has a zero of its shape. One backward sweep in tape order: each node once,
/// whatever the number of paths. At kinks each operation's documented convention holds.
/// A gradient taken without create_graph is not recorded. To differentiate it, or what was computed from it, by a
/// variable on which it depends throws, since the answer would lack that dependence; where it depends on none of x's
/// variables the answer is right. What was made a constant on purpose (`detached`, Tape::constant of its value,
/// anything within WithoutRecording) is one. Throws InputError then, when x is not a variable or depends on none, when
/// f's shape and the seed's differ, when the tapes differ, or when create_graph is asked for while recording is off.
template <class T>
void grad(const Var<T>& f, std::span<const Var<T>> wrt, std::span<Var<T>> out,
          const std::type_identity_t<GradOptions<T>>& options = {});
/// The same, returned in a vector. `wrt` is a vector or a span, such as the parameters of a network on a tape.
template <class T>
std::vector<Var<T>> grad(const Var<T>& f, std::type_identity_t<std::span<const Var<T>>> wrt,
                         const std::type_identity_t<GradOptions<T>>& options = {}) {
  std::vector<Var<T>> out(wrt.size());
  grad(f, wrt, std::span(out), options);
  return out;
}
/// The same for a single x. With a batch, row i is seed_iᵀ J_i.
template <class T>
Var<T> grad(const Var<T>& f, const Var<T>& x, const std::type_identity_t<GradOptions<T>>& options = {}) {
  Var<T> out;
  grad(f, std::span(&x, 1), std::span(&out, 1), options);
  return out;
}

/// How a tangent is pushed forward, or a Jacobian taken.
struct ForwardOptions {
  /// Whether the result is recorded, so that it can be differentiated.
  bool create_graph = false;
};

/// The Jacobian-vector product (df/dx) tangent, of f's shape; with a batch, row i is J_i t_i.
/// `tangent` has x's shape and, like a seed of `grad`, may depend on variables: jvp(f, x, x) is J x, whose derivative
/// is taken through both. Throws InputError as `grad` does.
template <class T>
Var<T> jvp(const Var<T>& f, const Var<T>& x, const Var<T>& tangent, ForwardOptions options = {});

/// Each sample's whole Jacobian, as k matrices of n x d: row i of entry j is the gradient of f_ij in x_i.
/// f is n x k, x is n x d, and row i of f is presumed to depend on x through row i alone. Costs k backward sweeps.
template <class T>
std::vector<Var<T>> jacobian(const Var<T>& f, const Var<T>& x, ForwardOptions options = {});

/// The Hessian of a 1x1 loss in the parameters, times a direction: for each of `wrt` the gradient of
/// <grad loss, direction>. Directions count as constants, whatever they were made of. The product is not recorded; to
/// differentiate it, write that gradient with create_graph.
/// Throws InputError as `grad` does, or when the directions do not match.
template <class T>
std::vector<Var<T>> hvp(const Var<T>& loss, std::type_identity_t<std::span<const Var<T>>> wrt,
                        const std::vector<Var<T>>& direction);

}  // namespace normalign
