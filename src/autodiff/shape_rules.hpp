// The shape checks that primitives share.
#pragma once

#include "autodiff/primitive.hpp"

namespace normalign {

using Shapes = std::array<Shape, 3>;

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

}  // namespace normalign
