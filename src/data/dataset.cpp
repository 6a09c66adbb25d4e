#include "data/dataset.hpp"

#include <algorithm>
#include <numeric>

#include "base/error.hpp"

namespace normalign {

template <class T>
Dataset<T> rows_at(const Dataset<T>& data, std::span<const Index> rows) {
  const auto count = static_cast<Index>(rows.size());
  Dataset<T> taken{Matrix<T>(count, data.inputs.cols()), {}, data.classes, Matrix<T>(count, data.targets.cols())};
  if (!data.is_regression()) taken.labels.reserve(rows.size());
  Index next = 0;
  for (const Index row : rows) {
    if (row < 0 || row >= data.inputs.rows())
      throw InputError(text("rows_at: row ", row, " was asked for but there are ", data.inputs.rows(), " rows"));
    std::ranges::copy(data.inputs.row(row), taken.inputs.row(next).begin());
    if (data.is_regression())
      std::ranges::copy(data.targets.row(row), taken.targets.row(next).begin());
    else
      taken.labels.push_back(data.labels[static_cast<std::size_t>(row)]);
    ++next;
  }
  return taken;
}

template <class T>
Matrix<T> one_hot(std::span<const std::int32_t> labels, Index classes) {
  Matrix<T> targets(static_cast<Index>(labels.size()), classes);
  for (Index i = 0; i < targets.rows(); ++i) {
    const std::int32_t label = labels[static_cast<std::size_t>(i)];
    if (label < 0 || label >= classes)
      throw InputError(text("one_hot: a label is ", label, "; it must be from 0 to ", classes - 1));
    targets(i, label) = 1;
  }
  return targets;
}

template <class T>
Dataset<T> first_of_classes(const Dataset<T>& data, Index classes, Index most_of_each) {
  if (classes < 1 || classes > data.classes)
    throw InputError(text("first_of_classes: found ", classes, " classes, expected 1 to ", data.classes));
  if (most_of_each < 0)
    throw InputError(text("first_of_classes: found ", most_of_each, " samples of each class, expected 0 or more"));
  std::vector<Index> rows, taken(static_cast<std::size_t>(classes));
  for (Index row = 0; row < data.inputs.rows(); ++row) {
    const std::int32_t label = data.labels[static_cast<std::size_t>(row)];
    if (label >= classes) continue;
    Index& count = taken[static_cast<std::size_t>(label)];
    if (most_of_each > 0 && count == most_of_each) continue;
    ++count;
    rows.push_back(row);
  }
  Dataset<T> result = rows_at(data, std::span<const Index>(rows));
  result.classes = classes;
  return result;
}

template <class T>
Split<T> split_in_order(const Dataset<T>& data, double train_fraction) {
  const Index count = data.inputs.rows();
  // Written so that NaN is refused too.
  if (!(train_fraction > 0 && train_fraction < 1))
    throw InputError(text("train_fraction is ", train_fraction, "; it must lie between 0 and 1"));
  const auto train_count = static_cast<std::size_t>(train_fraction * static_cast<double>(count));
  std::vector<Index> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), Index{0});
  if (train_count == 0 || train_count >= rows.size())
    throw InputError(text("train_fraction is ", train_fraction, ": of ", count, " rows it takes ", train_count,
                          " for training; both sides need at least one"));
  const std::span<const Index> all = rows;
  return {rows_at(data, all.first(train_count)), rows_at(data, all.subspan(train_count))};
}

template Dataset<float> rows_at(const Dataset<float>&, std::span<const Index>);
template Dataset<double> rows_at(const Dataset<double>&, std::span<const Index>);
template Matrix<float> one_hot(std::span<const std::int32_t>, Index);
template Matrix<double> one_hot(std::span<const std::int32_t>, Index);
template Dataset<float> first_of_classes(const Dataset<float>&, Index, Index);
template Dataset<double> first_of_classes(const Dataset<double>&, Index, Index);
template Split<float> split_in_order(const Dataset<float>&, double);
template Split<double> split_in_order(const Dataset<double>&, double);

}  // namespace normalign
