// NumPy arrays as matrices, and matrices as NumPy arrays.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign::python {

namespace py = pybind11;

/// An argument that NumPy makes an array of.
struct ArrayLike {
  py::object object;
};

/// The array with values of type T, row after row. Throws what NumPy raises.
template <class T>
py::array_t<T, py::array::c_style | py::array::forcecast> converted_array(const py::array& array) {
  return py::array_t<T, py::array::c_style | py::array::forcecast>(array);
}

/// An array of one dimension as one of a single row, or of a single column; others as they are.
inline py::array as_row(const py::array& array) {
  return array.ndim() == 1 ? py::array(array.attr("reshape")(1, -1)) : array;
}
inline py::array as_column(const py::array& array) {
  return array.ndim() == 1 ? py::array(array.attr("reshape")(-1, 1)) : array;
}

/// Which values an argument may have: finite ones, and some, or any.
enum class Values { finite, any };

/// The argument as an array of float32, float64 or whole numbers, as it is where it is one. Throws InputError, opened
/// by `name`, on any other dtype, on a masked array and on what is no array of numbers.
py::array array_of(const char* name, const ArrayLike& argument);

/// Whether a dtype argument (None: float64) names float64, not float32. Throws InputError on any other.
bool is_double_precision(const py::object& dtype);

/// Whether an array holds numbers of that precision; whole numbers are of neither.
bool is_float32(const py::array& array);
bool is_float64(const py::array& array);

/// The shape as NumPy writes it, "(3, 784)".
std::string shape_text(const py::array& array);

/// An argument's numbers as T, row after row: borrowed where NumPy has them so, else a copy. The array is held.
template <class T>
class MatrixArgument {
 public:
  /// An array of two dimensions. Throws InputError, opened by `name`, as `array_of` does, on another number of
  /// dimensions, on a value that is not finite unless any may be, and on a whole number that T does not tell from its
  /// neighbours. Float64 is rounded where T is float.
  MatrixArgument(const char* name, const ArrayLike& argument, Values values = Values::finite);
  /// The same of an array that `array_of` gave.
  MatrixArgument(const char* name, const py::array& array, Values values = Values::finite);

  /// The numbers, n x m.
  ConstView<T> view() const { return view_; }
  operator ConstView<T>() const { return view_; }

 private:
  py::array array_;
  ConstView<T> view_;
};

/// An array of one dimension of n finite numbers, 1 x n. Throws InputError as MatrixArgument does.
Matrix<double> row_argument(const char* name, const ArrayLike& argument);

/// An array of one dimension of class numbers: whole numbers from 0 to 2^31 - 1, of any dtype, and below `classes`
/// where that is given. Throws InputError, opened by `name`, on anything else and where there are not `count` of them.
std::vector<std::int32_t> labels_argument(const char* name, const ArrayLike& argument, Index count,
                                          std::optional<Index> classes = {});

/// Values that `owner` keeps alive, as an array of that shape that nobody may write to.
template <class T>
py::array borrowed_array(const T* values, const std::vector<Index>& shape, py::handle owner) {
  py::array result(py::dtype::of<T>(), shape, values, owner);
  py::detail::array_proxy(result.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return result;
}

/// Values in a container of its own as an array of that shape, without a copy: the array owns the container.
template <class Container>
py::array owning_array(Container&& values, const std::vector<Index>& shape) {
  using Held = std::remove_cvref_t<Container>;
  auto held = std::make_unique<Held>(std::forward<Container>(values));
  const auto* const data = held->data();
  py::capsule owner(held.release(), [](void* memory) { delete static_cast<Held*>(memory); });
  return py::array(py::dtype::of<std::remove_cv_t<std::remove_pointer_t<decltype(data)>>>(), shape, data, owner);
}

/// A matrix whose values are not set: those of a large one are first touched by who fills them in.
template <class T>
Matrix<T> unset_matrix(Index rows, Index cols) {
  Matrix<T> result;
  result.resize(rows, cols);
  return result;
}

/// A matrix as an array of its rows and columns, without a copy.
template <class T>
py::array array_from(Matrix<T>&& matrix) {
  const std::vector<Index> shape = {matrix.rows(), matrix.cols()};
  return owning_array(std::move(matrix), shape);
}
/// A row as an array of one dimension: a copy.
inline py::array array_of_row(const Matrix<double>& row) {
  return py::array_t<double>(static_cast<py::ssize_t>(row.size()), row.data());
}
/// A list of numbers as an array of one dimension, without a copy.
template <class T>
py::array array_from(std::vector<T>&& values) {
  const std::vector<Index> shape = {static_cast<Index>(values.size())};
  return owning_array(std::move(values), shape);
}
/// What `value_of` makes of each item, as an array of one dimension.
template <class Items, class ValueOf>
auto array_from_each(const Items& items, const ValueOf& value_of) {
  using Value = std::remove_cvref_t<std::invoke_result_t<ValueOf, decltype(*items.begin())>>;
  py::array_t<Value> result(static_cast<py::ssize_t>(items.size()));
  Value* next = result.mutable_data();
  for (const auto& item : items) *next++ = std::invoke(value_of, item);
  return result;
}

}  // namespace normalign::python

namespace pybind11::detail {

/// Takes any object; what it holds is looked at where its name is known.
template <>
struct type_caster<normalign::python::ArrayLike> {
  PYBIND11_TYPE_CASTER(normalign::python::ArrayLike, const_name("numpy.typing.ArrayLike"));
  bool load(handle source, bool) {
    if (source.is_none()) return false;
    value.object = reinterpret_borrow<object>(source);
    return true;
  }
};

}  // namespace pybind11::detail
