// Rows with what is to be predicted of them, and their division into training and test rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Samples with class labels or, for regression, with targets.
template <class T>
struct Dataset {
  Matrix<T> inputs;                  ///< n x d
  std::vector<std::int32_t> labels;  ///< n class numbers in 0, ..., classes - 1; none where there are targets
  Index classes = 0;                 ///< how many classes there are, whether or not each occurs; 0 with targets
  Matrix<T> targets = {};            ///< n x k numbers to predict; no columns where there are labels

  /// Whether numbers are predicted, not classes.
  bool is_regression() const { return targets.cols() > 0; }
  /// How many outputs tell them: one for each class, or k.
  Index outputs() const { return is_regression() ? targets.cols() : classes; }
};

/// The training and the test rows of one data set.
template <class T>
struct Split {
  Dataset<T> train, test;
};

/// A split by row: indices from 0 on into one data set.
struct Fold {
  std::vector<Index> train, test;
};

/// The samples `rows` of `data` in that order, repeats allowed. Throws InputError on a row that is not there.
template <class T>
Dataset<T> rows_at(const Dataset<T>& data, std::span<const Index> rows);

/// n x classes: 1 in the column of the row's label, else 0. Throws InputError on a label outside 0, ..., classes - 1.
template <class T>
Matrix<T> one_hot(std::span<const std::int32_t> labels, Index classes);

/// The samples labelled 0, ..., classes - 1 in their order, of each label the first `most_of_each` or, where there are
/// fewer or it is 0, all. Throws InputError unless 1 <= classes <= data.classes and most_of_each >= 0.
template <class T>
Dataset<T> first_of_classes(const Dataset<T>& data, Index classes, Index most_of_each);

/// The samples with each value as `To`, rounded once.
template <class To, class From>
Dataset<To> converted(const Dataset<From>& data) {
  return {converted<To>(data.inputs.view()), data.labels, data.classes, converted<To>(data.targets.view())};
}

/// The first floor(train_fraction n) samples for training, the others for testing. Throws InputError unless
/// the fraction lies in (0, 1) and leaves at least one row on each side.
template <class T>
Split<T> split_in_order(const Dataset<T>& data, double train_fraction);

}  // namespace normalign
