// What a training is told of optimizer, penalty and filters.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "nn/adamw.hpp"
#include "nn/grokalign.hpp"
#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "nn/sgd.hpp"
#include "python/bindings/support/arrays.hpp"

namespace normalign::python {

/// OrthoGrad has none.
struct OrthoGradOptions {};

/// Which optimizer, and which filter of gradients.
using OptimizerOptions = std::variant<AdamWOptions, SgdOptions>;
using FilterOptions = std::variant<GrokFastOptions, OrthoGradOptions>;

/// The optimizer that the options ask for, not yet started.
template <class T>
std::unique_ptr<Optimizer<T>> optimizer_of(const OptimizerOptions& options);

/// The filter that the options ask for, not yet started.
template <class T>
std::unique_ptr<GradientFilter<T>> filter_of(const FilterOptions& options);

/// The value of an argument: of `expected`'s classes, as in "na.AdamW or na.SGD". Throws InputError, opened by `name`,
/// on any other object.
template <class Value>
Value option_argument(const char* name, const py::object& argument, const char* expected) {
  try {
    return argument.cast<Value>();
  } catch (const py::cast_error&) {
    throw InputError(text(name, ": found ", std::string(py::repr(argument)), ", expected ", expected));
  }
}

}  // namespace normalign::python
