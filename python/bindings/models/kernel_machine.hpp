// A kernel machine as Python holds it: one that never changes, in float or double.
#pragma once

#include <optional>
#include <variant>

#include "linalg/safetensors.hpp"
#include "python/bindings/support/arrays.hpp"
#include "rfm/machine_in_span.hpp"

namespace normalign::python {

/// A machine, and what its inputs are coordinates of; none where they are the columns themselves.
template <class T>
struct PlacedMachine {
  KernelMachine<T> machine = {};
  std::optional<SpanCoordinates<T>> span = {};

  /// d, the columns of a point.
  Index inputs() const { return span ? span->inputs() : machine.inputs(); }
};

/// A kernel machine in the precision of its arrays, in which it computes. Threads may use one together.
class Machine {
 public:
  explicit Machine(PlacedMachine<float> machine) : machine_(std::move(machine)) {}
  explicit Machine(PlacedMachine<double> machine) : machine_(std::move(machine)) {}

  /// Whether its arrays are of doubles.
  bool is_double() const { return std::holds_alternative<PlacedMachine<double>>(machine_); }
  /// d, and the number of outputs.
  Index inputs() const;
  Index outputs() const;
  const Kernel& kernel() const;

  /// What visit(placed machine) returns.
  template <class Visit>
  decltype(auto) visit(const Visit& visit) const {
    return std::visit(visit, machine_);
  }
  /// What compute(placed machine, rows) returns, rows being `x` in the machine's precision. Throws InputError as
  /// MatrixArgument does, and where x has not d columns.
  template <class Compute>
  auto at(const char* name, const ArrayLike& x, const Compute& compute) const {
    return visit([&]<class T>(const PlacedMachine<T>& placed) {
      const MatrixArgument<T> rows(name, x);
      if (rows.view().cols() != placed.inputs())
        throw InputError(text(name, ": found ", rows.view().cols(), " columns, expected ", placed.inputs(),
                              ", the inputs of the machine"));
      return compute(placed, rows.view());
    });
  }

 private:
  std::variant<PlacedMachine<float>, PlacedMachine<double>> machine_;
};

/// The outputs at the rows of x (m x d): m x c.
template <class T>
Matrix<T> outputs_at(const PlacedMachine<T>& placed, ConstView<T> x, int threads);

/// The machine as `normalign predict` reads it.
TensorFile tensor_file(const Machine& machine);

/// The kernel of that name. Throws InputError as `check` does, and on an exponent other than 1 of a kernel that has
/// none.
Kernel kernel_of(const std::string& name, double bandwidth, double exponent);

}  // namespace normalign::python
