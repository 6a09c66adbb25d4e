// What an operation is: its name, its value and its two rules. To add one, read ops_elementwise.cpp.
#pragma once

#include <array>
#include <initializer_list>

#include "autodiff/tape.hpp"

namespace normalign {

/// The numbers that an operation carries beside its inputs; what each means, the operation says.
struct Attribute {
  double scalar = 0;
  double offset = 0;
  std::int32_t first = 0;
  std::int32_t second = 0;
};

/// One evaluation of an operation: its inputs, its attribute, and where the output goes.
template <class T>
struct Call {
  std::array<ConstView<T>, 3> x;
  const Attribute& attribute;
  MatrixView<T> y;
};

/// What a rule may look at: the recorded inputs and output of the node that it differentiates.
template <class T>
class Recorded {
 public:
  /// Of `node` for the rule of its input `input`; `sum` is what that rule's shares are added to.
  Recorded(Graph<T>& graph, std::uint32_t node, std::size_t input, Var<T>& sum)
      : graph_(graph), node_(node), input_(input), sum_(sum) {}

  /// Input i as a Var. Throws std::logic_error unless the primitive declares in `reads` that the rule reads it.
  Var<T> x(int i = 0) const;
  /// The output as a Var, under the same condition.
  Var<T> y() const;
  /// Shapes are known without being declared.
  Shape x_shape(int i = 0) const;
  Shape y_shape() const;
  Attribute attribute() const;

  /// op(a) op(b), added to what the input's derivative has gathered so far where there is something: one product
  /// with beta = 1 in place of a product and a sum. A rule returns it as its result.
  Var<T> accumulated_product(Var<T> a, Var<T> b, bool transpose_a, bool transpose_b) const;

 private:
  Var<T> declared(unsigned what, std::uint32_t node) const;

  Graph<T>& graph_;
  std::uint32_t node_;
  std::size_t input_;
  Var<T>& sum_;
};

/// A pullback takes the cotangent of the output and returns its share of the cotangent of one input; a
/// pushforward takes the tangent of one input and returns its share of the tangent of the output. Both are
/// written with the operations of this folder, on recorded values only, which is why one rule serves every order.
/// A share of another shape than its whole makes the sweep throw std::logic_error.
template <class T>
using Rule = Var<T> (*)(Var<T> derivative, const Recorded<T>& recorded);

/// Which recorded values a rule reads; the tape frees the others early.
enum Reads : unsigned { nothing = 0, x0 = 1, x1 = 2, x2 = 4, output = 8 };

/// The sign pattern of a call, folded into one number: which side of its kinks each value is on. See gradcheck.
using BranchHash = std::uint64_t;

/// One operation, written once; instances are constants with static storage.
template <class T>
struct Primitive {
  const char* name;
  int arity;
  /// The output's shape; throws InputError, opened by the name, when the inputs do not fit.
  Shape (*shape)(const char* name, const std::array<Shape, 3>& x, const Attribute& attribute);
  void (*value)(const Call<T>& call);
  /// Per input; null where the derivative is zero everywhere (labels, masks).
  std::array<Rule<T>, 3> pullback = {};
  std::array<Rule<T>, 3> pushforward = {};
  /// Per input: what its two rules read, as a union of `Reads`.
  std::array<unsigned, 3> reads = {};
  /// Whether `value` is right when y shares its memory with x[0] of the same shape.
  bool in_place = false;
  /// Where the operation has kinks or jumps: folds the side of each value into the hash.
  void (*branches)(const Call<T>& call, BranchHash& hash) = nullptr;
};

/// The result of a primitive on its inputs; recorded when recording is on and an input depends on a variable.
/// Throws InputError on shapes that do not fit, stale Vars and Vars of different tapes, before anything changes;
/// std::logic_error when the primitive has another arity than there are inputs, no shape or no value.
template <class T>
Var<T> apply(const Primitive<T>& primitive, std::initializer_list<Var<T>*> inputs, Attribute attribute = {});

}  // namespace normalign
