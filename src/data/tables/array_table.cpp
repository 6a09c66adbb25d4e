#include "data/tables/array_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"
#include "data/tables/array_file.hpp"

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
const NumpyArray& array_of(const std::vector<NumpyArray>& arrays, const std::string& path, const std::string& label,
                           const char* what) {
  DataTable names{.source = path};
  std::vector<const NumpyArray*> of_column;
  for (const NumpyArray& array : arrays)
    for (Index j = 0; j < array.cols(); ++j) {
      names.columns.push_back(head_of(array, j, ++names.places));
      of_column.push_back(&array);
    }
  // A list of all columns could be of thousands.
  if (!whole_number(label.starts_with('-') ? label.substr(1) : label) &&
      std::ranges::none_of(names.columns, [&](const DataColumn& c) { return c.name == label || c.group == label; })) {
    std::vector<std::string> known;
    for (const NumpyArray& array : arrays)
      if (!array.name.empty()) known.push_back(one_line(array.name));
    if (!known.empty())
      names.refuse(what, ": found no '", one_line(label), "', ", expected_one_of(one_line(label), known));
  }
  const NumpyArray* const found = of_column[names.columns_at(label, what).front()];
  return *found;
}

// What the names of a part begin or end with.
constexpr std::pair<ArrayPart, std::string_view> part_words[] = {{ArrayPart::train, "train"},
                                                                 {ArrayPart::test, "test"}};

// The part of the array of that name, and the name without it.
std::pair<ArrayPart, std::string> parted(std::string_view name) {
  for (const auto& [part, word] : part_words) {
    const std::string ending = text('_', word), start = text(word, '_');
    if (name.size() <= ending.size()) continue;
    if (name.ends_with(ending)) return {part, std::string(name.substr(0, name.size() - ending.size()))};
    if (name.starts_with(start)) return {part, std::string(name.substr(start.size()))};
  }
  return {ArrayPart::all, std::string(name)};
}

bool have_parts(const std::vector<std::string>& names) {
  const auto has = [&](const auto& wanted) {
    return std::ranges::any_of(names, [&](const std::string& name) { return parted(name) == wanted; });
  };
  return std::ranges::any_of(names, [&](const std::string& name) {
    const auto [part, stem] = parted(name);
    return part == ArrayPart::train && has(std::pair(ArrayPart::test, stem));
  });
}

// Leaves the arrays of the part, by the names that they have there; the names of others that are of no part go to
// `left_out`.
void take_part(std::vector<NumpyArray>& arrays, ArrayPart part, const DataTable& table,
               std::vector<std::string>& left_out) {
  std::vector<NumpyArray> taken;
  for (NumpyArray& array : arrays) {
    const auto [of_array, stem] = parted(array.name);
    if (of_array == ArrayPart::all) left_out.push_back(one_line(array.name));
    if (of_array != part) continue;
    if (std::ranges::count(taken, stem, &NumpyArray::name) > 0)
      table.refuse("found two arrays of one part that are both called '", one_line(stem), "', expected one");
    array.name = stem;
    taken.push_back(std::move(array));
  }
  arrays = std::move(taken);
}

// How a message on a file with two parts ends that is not read by them.
std::string advice_on_parts(const std::vector<NumpyArray>& arrays, const std::string& path) {
  std::vector<std::string> names;
  for (const NumpyArray& array : arrays) names.push_back(array.name);
  if (!have_parts(names)) return "";
  return text("; --test-file ", one_line(path), " takes X_train for training and X_test for testing, both called X");
}

}  // namespace

ArrayPart part_of(std::string_view name) { return parted(name.substr(0, name.find('['))).first; }

bool has_parts(const std::filesystem::path& path) { return is_array_file(path) && have_parts(array_names(path)); }

DataTable array_table(const std::filesystem::path& path, const std::optional<std::string>& label, ArrayPart part,
                      const char* what) {
  std::vector<NumpyArray> arrays = arrays_in(path);
  DataTable table{.source = path.string()};
  std::vector<std::string> left_out;
  if (part != ArrayPart::all) take_part(arrays, part, table, left_out);
  if (arrays.empty()) table.refuse("found no array, expected at least one");
  const std::string advice = part == ArrayPart::all ? advice_on_parts(arrays, path.string()) : "";
  const NumpyArray* const found = within(
      "", [&] { return label ? &array_of(arrays, path.string(), *label, what) : &arrays.front(); }, advice);
  const NumpyArray& first = *found;
  table.rows = first.rows();
  if (table.rows == 0) table.refuse("found no samples, expected at least one row of them");
  const ArrayPart of_label = label ? part_of(first.name) : ArrayPart::all;
  for (const NumpyArray& array : arrays) {
    const ArrayPart of_array = part_of(array.name);
    const bool is_of_other = of_label != ArrayPart::all && of_array != ArrayPart::all && of_array != of_label;
    if (array.rows() != table.rows || is_of_other) {
      if (!label)
        table.refuse("array ", one_line(array.name), ": found ", array.rows(), " rows, expected ", table.rows,
                     ", those of ", one_line(first.name));
      left_out.push_back(text(one_line(array.name), " (", array.rows(), " rows)"));
      table.places += array.cols();
      continue;
    }
    for (Index j = 0; j < array.cols(); ++j) table.columns.push_back(column_of(array, j, ++table.places));
  }
  if (part != ArrayPart::all)
    table.reading = text("its arrays for ", part == ArrayPart::train ? "training" : "testing");
  if (!left_out.empty())
    table.reading += text(table.reading.empty() ? "" : "; ", "left out ", joined(left_out, ", "), advice);
  return table;
}

}  // namespace normalign
