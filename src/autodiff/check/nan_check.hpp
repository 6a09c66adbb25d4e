// Finds the operation from which a NaN comes.
#pragma once

#include "autodiff/primitive.hpp"

namespace normalign {

/// A scope in which a tape throws RunError at the first operation whose result holds a NaN, or an infinity though all
/// of its inputs are finite.
///
/// Each operation is looked at, recorded or not, in a forward pass or as part of a rule in a sweep. The message names
/// the operation, its node, the place in the result, the shapes of the inputs and, in a sweep, the node whose rule it
/// is part of. Infinities that come in may stay, such as those of a mask of -inf. Where a leaf holds a NaN, the first
/// operation on it is named. The tape is good afterwards. Inputs and results are read once more, and no
/// result takes the memory of an operand.
template <class T>
class NanCheck final : detail::Watch<T> {
 public:
  /// Checks what `tape`, which must outlive the scope, computes from here on.
  explicit NanCheck(Tape<T>& tape) : graph_(detail::Graph<T>::of(tape)), scope_(graph_.watch, this) {}

 private:
  void see(const Primitive<T>& primitive, const Call<T>& call, std::uint32_t node) override;

  detail::Graph<T>& graph_;
  ScopedValue<detail::Watch<T>*> scope_;
};

}  // namespace normalign
