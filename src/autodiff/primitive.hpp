// What an operation is: its name, its value and its two rules. To add one, read ops_elementwise.cpp.
#pragma once

#include <array>
#include <concepts>
#include <initializer_list>

#include "autodiff/tape.hpp"
#include "linalg/blas.hpp"

namespace normalign {

/// One evaluation of an operation: its inputs, its attribute, and where the output goes.
template <class T>
struct Call {
  std::array<ConstView<T>, 3> x;
  const Attribute& attribute;
  MatrixView<T> y;
};

/// Which recorded values a rule reads, joined by `|`; the tape frees the others early.
enum class Reads : unsigned { nothing = 0, x0 = 1, x1 = 2, x2 = 4, output = 8 };
constexpr Reads operator|(Reads a, Reads b) { return Reads{static_cast<unsigned>(a) | static_cast<unsigned>(b)}; }
/// Whether they have a value in common.
constexpr bool operator&(Reads a, Reads b) { return (static_cast<unsigned>(a) & static_cast<unsigned>(b)) != 0; }

/// What a rule may look at: the recorded inputs and output of the node that it differentiates.
template <class T>
class Recorded {
 public:
  /// Of `node`, for the rule of its input `input`.
  Recorded(detail::Graph<T>& graph, std::uint32_t node, std::size_t input)
      : graph_(graph), node_(node), input_(input) {}

  /// Input i as a Var. Throws std::logic_error unless the primitive declares in `reads` that the rule reads it.
  Var<T> x(std::size_t i = 0) const { return declared(Reads{1u << i}, node().inputs[i]); }
  /// The output as a Var, under the same condition.
  Var<T> y() const { return declared(Reads::output, node_); }
  /// Shapes are known without being declared.
  Shape x_shape(std::size_t i = 0) const { return graph_.nodes[node().inputs[i]].value.shape(); }
  Shape y_shape() const { return node().value.shape(); }
  Attribute attribute() const { return node().attribute; }

 private:
  const auto& node() const { return graph_.nodes[node_]; }
  // Asked of the declaration and not of the value: that may be there by chance, because somebody holds it.
  Var<T> declared(Reads what, std::uint32_t read) const {
    if (const Primitive<T>& primitive = *node().primitive; !(primitive.reads[input_] & what))
      throw std::logic_error(text(primitive.name, ": a rule of input ", input_, " reads ",
                                  what == Reads::output ? "the output" : "an input",
                                  " but the primitive does not declare it"));
    return graph_.handle(read);
  }

  detail::Graph<T>& graph_;
  std::uint32_t node_;
  std::size_t input_;
};

/// op(a) op(b), not computed yet: what a rule that is one matrix product returns. The sweep adds it to what the
/// derivative has gathered so far in the same call of BLAS.
template <class T>
struct Product {
  Var<T> a, b;
  Transposes transposes{};
};

/// A pullback takes the cotangent of the output and returns its share of the cotangent of one input; a
/// pushforward takes the tangent of one input and returns its share of the tangent of the output. Both are
/// written with the operations of this folder, on recorded values only, which is why one rule serves every order.
/// A share of another shape than its whole makes the sweep throw std::logic_error.
template <class T>
class Rule {
 public:
  /// What a rule is made of: a function, or a lambda that captures nothing. It returns a Var<T> or a Product<T>.
  template <class Result>
  using Function = Result (*)(Var<T> derivative, const Recorded<T>& recorded);

  /// No rule: the derivative is zero everywhere.
  constexpr Rule(std::nullptr_t = nullptr) {}
  template <std::convertible_to<Function<Var<T>>> F>
  constexpr Rule(F rule) : share(rule) {}
  template <std::convertible_to<Function<Product<T>>> F>
  constexpr Rule(F rule) : product(rule) {}
  constexpr explicit operator bool() const { return share || product; }

  /// The rule, as one of these; the other is null.
  Function<Var<T>> share = nullptr;
  Function<Product<T>> product = nullptr;
};

/// The sign pattern of a call, folded into one number: which side of its kinks each value is on. See gradcheck.
using BranchHash = std::uint64_t;

/// One operation, written once; instances are constants with static storage.
template <class T>
struct Primitive {
  const char* name;
  std::size_t arity;
  /// The output's shape; throws InputError, opened by the name, when the inputs do not fit.
  Shape (*shape)(const char* name, const std::array<Shape, 3>& x, const Attribute& attribute);
  void (*value)(const Call<T>& call);
  /// Per input; null where the derivative is zero everywhere (labels, masks).
  std::array<Rule<T>, 3> pullback = {};
  std::array<Rule<T>, 3> pushforward = {};
  /// Per input: what its two rules read.
  std::array<Reads, 3> reads = {};
  /// Whether `value` is right when y shares its memory with x[0] of the same shape.
  bool in_place = false;
  /// Where the operation has kinks or jumps: folds the side of each value into the hash.
  void (*branches)(const Call<T>& call, BranchHash& hash) = nullptr;
};

/// The result of a primitive on its inputs; recorded when recording is on and an input depends on a variable.
/// Throws InputError on shapes that do not fit, stale Vars and Vars of different tapes, before anything changes;
/// std::logic_error when the primitive has another arity than there are inputs, no shape or no value.
template <class T>
Var<T> apply(const Primitive<T>& primitive, std::initializer_list<Var<T>*> inputs, Attribute attribute = {}) {
  auto& graph = detail::Graph<T>::of(primitive.name, **inputs.begin());
  return graph.apply(primitive, std::span(inputs.begin(), inputs.size()), attribute);
}

}  // namespace normalign
