#include "data/modular.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "base/nearest_name.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

constexpr Index largest_modulus = 1024;  // the one-hot rows hold 2 p^3 values: 16 GiB in double

constexpr std::array<ModularOperationName, 10> names{{
    {ModularOperation::add, "add", "x+y"},
    {ModularOperation::subtract, "subtract", "x-y"},
    {ModularOperation::multiply, "multiply", "x*y"},
    {ModularOperation::divide, "divide", "x/y"},
    {ModularOperation::divide_or_subtract, "divide_or_subtract", "x/y if y is odd, else x-y"},
    {ModularOperation::sum_of_squares, "sum_of_squares", "x^2+y^2"},
    {ModularOperation::quadratic, "quadratic", "x^2+xy+y^2"},
    {ModularOperation::quadratic_plus_x, "quadratic_plus_x", "x^2+xy+y^2+x"},
    {ModularOperation::cubic, "cubic", "x^3+xy"},
    {ModularOperation::cubic_plus_y, "cubic_plus_y", "x^3+xy^2+y"},
}};

bool is_prime(Index n) {
  for (Index divisor = 2; divisor * divisor <= n; ++divisor)
    if (n % divisor == 0) return false;
  return n >= 2;
}

// x / y for a prime p: by Fermat's little theorem 1 / y = y^(p - 2).
Index quotient(Index x, Index y, Index p) {
  for (Index power = p - 2; power > 0; power /= 2, y = y * y % p)
    if (power % 2 == 1) x = x * y % p;
  return x;
}

// Not reduced modulo p, perhaps negative; below 2 p^3 in size.
Index result(ModularOperation operation, Index x, Index y, Index p) {
  switch (operation) {
    case ModularOperation::add:
      return x + y;
    case ModularOperation::subtract:
      return x - y;
    case ModularOperation::multiply:
      return x * y;
    case ModularOperation::divide:
      return quotient(x, y, p);
    case ModularOperation::divide_or_subtract:
      return y % 2 == 1 ? quotient(x, y, p) : x - y;
    case ModularOperation::sum_of_squares:
      return x * x + y * y;
    case ModularOperation::quadratic:
      return x * x + x * y + y * y;
    case ModularOperation::quadratic_plus_x:
      return x * x + x * y + y * y + x;
    case ModularOperation::cubic:
      return x * x * x + x * y;
    case ModularOperation::cubic_plus_y:
      return x * x * x + x * y * y + y;
  }
  throw InputError(text("modular: operation number ", static_cast<int>(operation), " does not exist"));
}

void check(const ModularOptions& options) {
  const Index p = options.modulus;
  if (p < 2 || p > largest_modulus)
    throw InputError(text("modular: modulus is ", p, "; it must lie in 2, ..., ", largest_modulus));
  const bool divides =
      options.operation == ModularOperation::divide || options.operation == ModularOperation::divide_or_subtract;
  if (divides && !is_prime(p))
    throw InputError(
        text("modular: modulus is ", p, "; it must be prime for ", modular_operation_name(options.operation)));
}

}  // namespace

std::span<const ModularOperationName> modular_operations() { return names; }

ModularOperation modular_operation(std::string_view name) {
  return named("operation", std::string(name), names, &ModularOperationName::name).operation;
}

std::string_view modular_operation_name(ModularOperation operation) {
  const auto found = std::ranges::find(names, operation, &ModularOperationName::operation);
  if (found != names.end()) return found->name;
  throw InputError(text("modular: operation number ", static_cast<int>(operation), " does not exist"));
}

template <class T>
Split<T> modular(const ModularOptions& options) {
  check(options);
  const Index p = options.modulus;
  // The rows in the order of the pairs, in a random order, and as the two sets.
  const double values = 2.0 * static_cast<double>(p) * static_cast<double>(p) * static_cast<double>(p);
  require_memory(3 * values * sizeof(T), text("modulus: the pairs of ", p, " numbers as one-hot rows"));
  const Index first_y = options.operation == ModularOperation::divide ? 1 : 0;
  Dataset<T> data{Matrix<T>(p * (p - first_y), 2 * p), {}, p};
  Index row = 0;
  for (Index x = 0; x < p; ++x) {
    for (Index y = first_y; y < p; ++y, ++row) {
      data.inputs(row, x) = 1;
      data.inputs(row, p + y) = 1;
      const Index remainder = result(options.operation, x, y, p) % p;
      data.labels.push_back(static_cast<std::int32_t>(remainder < 0 ? remainder + p : remainder));
    }
  }
  const auto order = permutation(row, RandomIntegers(options.seed, Stream::split));
  return split_in_order(rows_at(data, std::span<const Index>(order)), options.train_fraction);
}

template Split<float> modular(const ModularOptions&);
template Split<double> modular(const ModularOptions&);

}  // namespace normalign
