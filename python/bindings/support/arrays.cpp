#include "python/bindings/support/arrays.hpp"

#include <cmath>
#include <limits>

namespace normalign::python {
namespace {

using Numpy = py::detail::npy_api;

const py::detail::PyArray_Proxy* proxy(const py::array& array) { return py::detail::array_proxy(array.ptr()); }

int type_number(const py::array& array) { return py::detail::array_descriptor_proxy(proxy(array)->descr)->type_num; }

std::string dtype_name(const py::array& array) { return py::str(array.dtype()); }

// Whether the values lie as T's do in a Matrix.
template <class T>
bool is_matrix_of(const py::array& array) {
  constexpr int wanted = Numpy::NPY_ARRAY_C_CONTIGUOUS_ | Numpy::NPY_ARRAY_ALIGNED_;
  const char order = py::detail::array_descriptor_proxy(proxy(array)->descr)->byteorder;
  return type_number(array) == (sizeof(T) == 4 ? Numpy::NPY_FLOAT_ : Numpy::NPY_DOUBLE_) &&
         (proxy(array)->flags & wanted) == wanted && (order == '=' || order == '|');
}

void require_dimensions(const char* name, const py::array& array, py::ssize_t dimensions, const char* hint) {
  if (array.ndim() != dimensions)
    throw InputError(text(name, ": found an array of shape ", shape_text(array), ", expected ", hint));
}

template <class T>
void require_exact(const char* name, const py::array& array, std::span<const T> values) {
  if (array.dtype().kind() == 'f') return;
  constexpr T limit = static_cast<T>(std::int64_t{1} << std::numeric_limits<T>::digits);
  for (const T value : values)
    if (std::abs(value) >= limit)
      throw InputError(text(name, ": found the whole number ", static_cast<double>(value), ", expected numbers below ",
                            static_cast<std::int64_t>(limit), ", where ", sizeof(T) == 4 ? "float32" : "float64",
                            " tells them apart"));
}

template <class T>
void require_finite(const char* name, ConstView<T> view) {
  if (view.size() == 0)
    throw InputError(text(name, ": found an array of shape (", view.rows(), ", ", view.cols(),
                          "), expected a row and a column at least"));
  // Zero times a value is not zero where that is infinite or nan.
  T sum = 0;
  for (const T value : view.span()) sum += value * T(0);
  if (sum == T(0)) return;
  for (Index i = 0; i < view.rows(); ++i)
    for (Index j = 0; j < view.cols(); ++j)
      if (!std::isfinite(view(i, j)))
        throw InputError(
            text(name, ": found ", view(i, j), " in row ", i, ", column ", j, ", expected finite numbers"));
}

}  // namespace

py::array array_of(const char* name, const ArrayLike& argument) {
  if (!py::isinstance<py::array>(argument.object)) {
    const auto array = py::reinterpret_steal<py::array>(
        Numpy::get().PyArray_FromAny_(argument.object.ptr(), nullptr, 0, 0, Numpy::NPY_ARRAY_ENSUREARRAY_, nullptr));
    if (!array) {
      // Such as what PyTorch says of a tensor that requires a gradient.
      const py::error_already_set error;
      if (!error.matches(PyExc_ValueError) && !error.matches(PyExc_TypeError) && !error.matches(PyExc_RuntimeError))
        throw error;
      const std::string reason = py::str(error.value());
      throw InputError(text(name, ": found ", std::string(py::str(py::type::of(argument.object).attr("__name__"))),
                            ", expected an array of numbers: ", reason.substr(0, reason.find('\n'))));
    }
    return array_of(name, ArrayLike{array});
  }
  auto array = py::reinterpret_borrow<py::array>(argument.object);
  const int type = type_number(array);
  if (type == Numpy::NPY_DOUBLE_ || type == Numpy::NPY_FLOAT_) {
    // An array proper, not of a class of its own as masked ones are.
    if (Py_TYPE(array.ptr()) == Numpy::get().PyArray_Type_) return array;
  }
  const char kind = array.dtype().kind();
  if ((kind != 'f' && kind != 'i' && kind != 'u' && kind != 'b') || array.itemsize() > 8)
    throw InputError(
        text(name, ": found an array of dtype ", dtype_name(array), ", expected float32, float64 or whole numbers"));
  if (py::isinstance(array, py::module_::import("numpy.ma").attr("MaskedArray")))
    throw InputError(text(name, ": found a masked array, expected one without a mask: fill it first"));
  return array;
}

bool is_float32(const py::array& array) { return type_number(array) == Numpy::NPY_FLOAT_; }
bool is_float64(const py::array& array) { return type_number(array) == Numpy::NPY_DOUBLE_; }

bool is_double_precision(const py::object& dtype) {
  if (dtype.is_none()) return true;
  try {
    const py::dtype found = py::dtype::from_args(dtype);
    if (found.kind() == 'f' && (found.itemsize() == 4 || found.itemsize() == 8)) return found.itemsize() == 8;
  } catch (const py::error_already_set&) {
  }
  throw InputError(text("dtype: found ", std::string(py::repr(dtype)), ", expected float32 or float64"));
}

std::string shape_text(const py::array& array) { return py::str(py::object(array.attr("shape"))); }

template <class T>
MatrixArgument<T>::MatrixArgument(const char* name, const ArrayLike& argument, Values values)
    : MatrixArgument(name, array_of(name, argument), values) {}

template <class T>
MatrixArgument<T>::MatrixArgument(const char* name, const py::array& array, Values values) : array_(array) {
  require_dimensions(name, array, 2, "one of two dimensions, a row for each sample");
  const bool is_borrowed = is_matrix_of<T>(array);
  if (!is_borrowed) array_ = converted_array<T>(array);
  view_ = {static_cast<const T*>(array_.data()), array_.shape(0), array_.shape(1)};
  if (!is_borrowed) require_exact<T>(name, array, view_.span());
  if (values == Values::finite) require_finite<T>(name, view_);
}

Matrix<double> row_argument(const char* name, const ArrayLike& argument) {
  const py::array array = array_of(name, argument);
  require_dimensions(name, array, 1, "one of one dimension");
  return Matrix<double>(MatrixArgument<double>(name, as_row(array)).view());
}

std::vector<std::int32_t> labels_argument(const char* name, const ArrayLike& argument, Index count,
                                          std::optional<Index> classes) {
  const py::array array = array_of(name, argument);
  require_dimensions(name, array, 1, "one of one dimension, a class number for each row");
  if (array.size() != count)
    throw InputError(text(name, ": found ", array.size(), " class numbers, expected one for each of ", count, " rows"));
  const auto values = converted_array<double>(array);
  std::vector<std::int32_t> labels;
  labels.reserve(static_cast<std::size_t>(count));
  for (Index i = 0; i < count; ++i) {
    const double value = values.data()[i];
    if (!(value >= 0 && value <= std::numeric_limits<std::int32_t>::max() && value == std::floor(value)))
      throw InputError(text(name, ": found ", value, " in row ", i, ", expected a class number: 0, 1, 2, ..."));
    if (classes && value >= static_cast<double>(*classes))
      throw InputError(
          text(name, ": found class ", value, " in row ", i, ", expected classes from 0 to ", *classes - 1));
    labels.push_back(static_cast<std::int32_t>(value));
  }
  return labels;
}

template class MatrixArgument<float>;
template class MatrixArgument<double>;

}  // namespace normalign::python
