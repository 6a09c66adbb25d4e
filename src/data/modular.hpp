// Arithmetic modulo p as a classification task: the data of the literature on grokking.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "data/dataset.hpp"

namespace normalign {

/// What is computed from x and y, modulo p. From Power et al., "Grokking: generalization beyond overfitting
/// on small algorithmic datasets", 2022; `multiply` from Gromov, "Grokking modular arithmetic", 2023.
enum class ModularOperation {
  add,                 ///< x + y
  subtract,            ///< x - y
  multiply,            ///< x y
  divide,              ///< x / y, y != 0, p prime
  divide_or_subtract,  ///< x / y where y is odd, else x - y; p prime
  sum_of_squares,      ///< x^2 + y^2
  quadratic,           ///< x^2 + xy + y^2
  quadratic_plus_x,    ///< x^2 + xy + y^2 + x
  cubic,               ///< x^3 + xy
  cubic_plus_y,        ///< x^3 + xy^2 + y
};

/// An operation, its name in configurations and its formula.
struct ModularOperationName {
  ModularOperation operation;
  std::string_view name;     ///< such as "sum_of_squares"
  std::string_view formula;  ///< such as "x^2+y^2"
};

/// All operations, in the order of the enum.
std::span<const ModularOperationName> modular_operations();

/// The operation of that name. Throws InputError listing the accepted names on any other.
ModularOperation modular_operation(std::string_view name);

/// The name of an operation; modular_operation reads it back.
std::string_view modular_operation_name(ModularOperation operation);

/// The size of a modular arithmetic task; the defaults are those of arXiv:2605.08464.
struct ModularOptions {
  Index modulus = 61;  ///< p in 2, ..., 1024
  ModularOperation operation = ModularOperation::add;
  double train_fraction = 0.3;  ///< in (0, 1); the count is rounded down
  std::uint64_t seed = 0;
};

/// All pairs 0 <= x, y < p (without y = 0 for `divide`) as one-hot rows, p^2 x 2p: column x and column p + y
/// are 1; the label is the operation's result in 0, ..., p - 1. Training rows are drawn at random from
/// Stream::split. Throws InputError on a modulus out of range, on a division whose modulus is not prime, or
/// as split_in_order does.
template <class T>
Split<T> modular(const ModularOptions& options = {});

}  // namespace normalign
