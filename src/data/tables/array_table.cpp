#include "data/tables/array_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/tables/numpy.hpp"

namespace normalign {
namespace {

// Column j of an array, which stands at `place` of the file, without its values.
DataColumn head_of(const NumpyArray& array, Index j, Index place) {
  if (array.shape.size() <= 1 || array.name.empty()) return {.name = array.name, .place = place};
  return {.name = text(array.name, '[', j, ']'), .group = array.name, .place = place};
}

DataColumn column_of(const NumpyArray& array, Index j, Index place) {
  DataColumn column = head_of(array, j, place);
  const Index d = array.cols();
  if (!array.texts.empty()) {
    std::vector<std::optional<std::string>> rows;
    for (Index i = 0; i < array.rows(); ++i) {
      const std::string& found = array.texts[static_cast<std::size_t>(i * d + j)];
      const bool is_missing = is_missing_mark(found);
      if (is_missing && column.missing++ == 0) column.missing_mark = found;
      rows.push_back(is_missing ? std::nullopt : std::optional(found));
    }
    set_texts(column, rows);
    return column;
  }
  for (Index i = 0; i < array.rows(); ++i) {
    const double value = array.numbers(i, j);
    column.numbers.push_back(value);
    column.missing += std::isnan(value);
    if (std::isinf(value) && column.fault.empty())
      column.fault = text("row ", i + 1, ": ", column.called(), ": found ", value, ", expected a finite number");
  }
  if (column.missing > 0) column.missing_mark = "nan";
  return column;
}

// The array that the label is in, by its name, by that of one of its columns, or by its place.
const NumpyArray& array_of(const std::vector<NumpyArray>& arrays, const std::string& path, const std::string& label) {
  DataTable names{.source = path};
  std::vector<const NumpyArray*> of_column;
  for (const NumpyArray& array : arrays)
    for (Index j = 0; j < array.cols(); ++j) {
      names.columns.push_back(head_of(array, j, ++names.places));
      of_column.push_back(&array);
    }
  const NumpyArray* const found = of_column[names.columns_at(label, "label column").front()];
  return *found;
}

}  // namespace

DataTable array_table(const std::filesystem::path& path, const std::optional<std::string>& label) {
  const std::vector<NumpyArray> arrays = numpy_arrays(path);
  DataTable table{.source = path.string()};
  if (arrays.empty()) table.refuse("found no array, expected at least one");
  const NumpyArray& first = label ? array_of(arrays, path.string(), *label) : arrays.front();
  table.rows = first.rows();
  if (table.rows == 0) table.refuse("found no samples, expected at least one row of them");
  std::vector<std::string> left_out;
  for (const NumpyArray& array : arrays) {
    if (array.rows() != table.rows) {
      if (!label)
        table.refuse("array ", one_line(array.name), ": found ", array.rows(), " rows, expected ", table.rows,
                     ", those of ", one_line(first.name));
      left_out.push_back(text(one_line(array.name), " (", array.rows(), " rows)"));
      table.places += array.cols();
      continue;
    }
    for (Index j = 0; j < array.cols(); ++j) table.columns.push_back(column_of(array, j, ++table.places));
  }
  if (!left_out.empty()) table.reading = "left out " + joined(left_out, ", ");
  return table;
}

}  // namespace normalign
