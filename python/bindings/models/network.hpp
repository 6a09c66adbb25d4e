// A network as Python holds it: one that never changes, in float or double, with what is derived from it.
#pragma once

#include <memory>
#include <mutex>
#include <variant>

#include "geometry/piecewise_affine.hpp"
#include "nn/mlp.hpp"
#include "python/bindings/support/arrays.hpp"

namespace normalign::python {

/// An Mlp in the precision of its parameters; the other precision, and the network as geometry sees it, are made when
/// they are first asked for. Threads may use one together.
class Network {
 public:
  explicit Network(Mlp<float> mlp) : mlp_(std::move(mlp)) {}
  explicit Network(Mlp<double> mlp) : mlp_(std::move(mlp)) {}

  /// Whether its parameters are doubles.
  bool is_double() const { return std::holds_alternative<Mlp<double>>(mlp_); }
  /// The form of the network.
  const MlpOptions& options() const;
  /// The network with parameters of that precision.
  template <class T>
  const Mlp<T>& mlp() const;
  /// The network in double precision as geometry sees it. Throws InputError where it is not piecewise affine.
  const std::shared_ptr<const PiecewiseAffineNetwork>& pieces() const;

  /// What visit(mlp) returns, for the network as it is stored.
  template <class Visit>
  decltype(auto) as_stored(const Visit& visit) const {
    return std::visit(visit, mlp_);
  }
  /// What compute(mlp, rows) returns, rows being `x` in the precision that a call computes in: double where network or
  /// array are, whole numbers counting as of the network's.
  template <class Compute>
  auto at(const char* name, const ArrayLike& x, const Compute& compute) const {
    const py::array array = array_of(name, x);
    if (is_double() || is_float64(array)) return compute(mlp<double>(), MatrixArgument<double>(name, array));
    return compute(mlp<float>(), MatrixArgument<float>(name, array));
  }

 private:
  std::variant<Mlp<float>, Mlp<double>> mlp_;
  mutable std::once_flag has_other_, has_pieces_;
  mutable std::unique_ptr<const Mlp<float>> in_float_;
  mutable std::unique_ptr<const Mlp<double>> in_double_;
  mutable std::shared_ptr<const PiecewiseAffineNetwork> pieces_;
};

}  // namespace normalign::python
