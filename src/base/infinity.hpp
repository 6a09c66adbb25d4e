// Above every number.
#pragma once

#include <limits>

namespace normalign {

/// The infinity of double.
inline constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace normalign
