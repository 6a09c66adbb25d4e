// What primitives share: checks of shapes and numbers.
#pragma once

#include "autodiff/primitive.hpp"

namespace normalign {

/// Of a primitive's inputs; those that it has not are 0x0.
using Shapes = std::array<Shape, 3>;

/// Rows, columns or counts as an attribute holds them. Throws InputError, opened by `name`, when one does not fit into
/// 32 bits, as every extent on a tape does; the shape rules refuse what is out of their range.
inline Attribute checked_attribute(const char* name, Index first, Index second = 0) {
  for (const Index number : {first, second})
    if (number != static_cast<std::int32_t>(number))
      throw InputError(text(name, ": an argument is ", number, "; it must fit into 32 bits"));
  return {.first = static_cast<std::int32_t>(first), .second = static_cast<std::int32_t>(second)};
}

/// The column that a value in `row` of a constant input names; throws InputError, opened by `name`, when it is no whole
/// number from 0 to cols - 1, or one that T does not tell from its neighbours. `what` says what the value is called.
template <class T>
Index column_number(const char* name, const char* what, T value, Index row, Index cols) {
  const bool inside = value >= 0 && value < static_cast<T>(cols);
  if (!inside || static_cast<T>(static_cast<Index>(value)) != value)
    throw InputError(
        text(name, ": ", what, ' ', value, " in row ", row, "; it must be a whole number from 0 to ", cols - 1));
  const Index column = static_cast<Index>(value);
  check_exact<T>(name, what, column, row);
  return column;
}

/// The first input's shape.
inline Shape same_shape(const char*, const Shapes& x, const Attribute&) { return x[0]; }

/// The one shape that both inputs have; throws InputError when they differ.
inline Shape equal_shapes(const char* name, const Shapes& x, const Attribute&) {
  if (x[0] != x[1]) throw InputError(text(name, ": a is ", x[0], " but b is ", x[1], "; they must be equal"));
  return x[0];
}

/// The shape that `from` and `to` broadcast to; throws InputError when an extent differs and neither is 1.
inline Shape broadcast_shape(const char* name, const Shapes& x, const Attribute&) {
  const auto extent = [&](Index a, Index b) {
    if (a != b && a != 1 && b != 1)
      throw InputError(text(name, ": a is ", x[0], " but b is ", x[1], "; each extent must be equal or 1"));
    return a == 1 ? b : a;
  };
  return {extent(x[0].rows, x[1].rows), extent(x[0].cols, x[1].cols)};
}

/// A function that is linear in its first operand and constant in its second, if there is one, such as an index: all
/// that its rules read. The pullback is the transposed function, the pushforward the function itself.
template <class T>
constexpr Primitive<T> linear_function(const char* name, std::size_t arity, decltype(Primitive<T>::shape) shape,
                                       decltype(Primitive<T>::value) value, Rule<T> pullback, Rule<T> pushforward) {
  return {.name = name,
          .arity = arity,
          .shape = shape,
          .value = value,
          .pullback = {pullback},
          .pushforward = {pushforward},
          .reads = {arity == 1 ? Reads::nothing : Reads::x1}};
}

}  // namespace normalign
