// A variable that holds another value for the time of a scope.
#pragma once

#include <type_traits>
#include <utility>

namespace normalign {

/// Sets a variable until the end of the scope, exceptions included; then it has its old value again.
template <class V>
class ScopedValue {
 public:
  /// From here on `variable`, which must outlive the scope, holds `value`.
  ScopedValue(V& variable, std::type_identity_t<V> value)
      : variable_(variable), before_(std::exchange(variable, std::move(value))) {}
  ~ScopedValue() { variable_ = std::move(before_); }
  ScopedValue(const ScopedValue&) = delete;
  ScopedValue& operator=(const ScopedValue&) = delete;

 private:
  V& variable_;
  V before_;
};

}  // namespace normalign
