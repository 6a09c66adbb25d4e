// Random folds in which every class has its share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// `folds` divisions of the rows 0, ..., n - 1 of `labels` into training and test rows, each ascending. The test sets
/// are disjoint, hold every row together and differ in size by at most one, and so do their shares of each class: a
/// class of fewer rows than folds is missing in some. Numbers are drawn from step 1 of Stream::split. Throws InputError
/// unless 2 <= folds <= n, or on a label outside 0, ..., classes - 1.
std::vector<Fold> stratified_folds(std::span<const std::int32_t> labels, Index classes, Index folds,
                                   std::uint64_t seed);

/// The fold of some rows of a table that `positions`, a fold of 0, ..., rows.size() - 1, picks from them.
Fold fold_of_rows(const std::vector<Index>& rows, const Fold& positions);

/// One half of the rows of `labels` for training, the other to choose hyperparameters by (`test`), divided as two folds
/// are, the larger half and the row of a class that has but one for training where this is possible. Numbers are drawn
/// from step 2 of Stream::split. Throws InputError on fewer than two rows, or as stratified_folds does.
Fold stratified_halves(std::span<const std::int32_t> labels, Index classes, std::uint64_t seed);

/// The same of samples, which are stratified by their labels; those with targets are divided at random.
std::vector<Fold> stratified_folds(const Dataset<double>& samples, Index folds, std::uint64_t seed);
Fold stratified_halves(const Dataset<double>& samples, std::uint64_t seed);

/// The rows of `labels`, of which `test` are a random share: round(share n) rows, but at least one on each side, and of
/// a class of c rows c share', the share that these are of all, but for less than one row. Numbers are drawn from step
/// 3 of Stream::split. Throws InputError unless 0 < share < 1, on fewer than two rows, or as stratified_folds does.
Fold stratified_share(std::span<const std::int32_t> labels, Index classes, double share, std::uint64_t seed);

}  // namespace normalign
