#include "data/folds.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

// The rows, class by class and each class shuffled.
std::vector<Index> shuffled(std::span<const std::int32_t> labels, Index classes, std::uint64_t seed,
                            std::uint32_t step) {
  std::vector<std::vector<Index>> of_class(static_cast<std::size_t>(classes));
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || labels[row] >= classes)
      throw InputError(text("folds: found label ", labels[row], " of row ", row, ", expected 0 to ", classes - 1));
    of_class[static_cast<std::size_t>(labels[row])].push_back(static_cast<Index>(row));
  }
  std::vector<Index> rows;
  for (std::size_t c = 0; c < of_class.size(); ++c) {
    shuffle(of_class[c], RandomIntegers(seed, Stream::split, step, static_cast<std::uint32_t>(c)));
    rows.insert(rows.end(), of_class[c].begin(), of_class[c].end());
  }
  return rows;
}

// Deals these rows to one part after the other.
std::vector<std::size_t> dealt(std::span<const std::int32_t> labels, Index classes, Index parts, std::uint64_t seed,
                               std::uint32_t step) {
  std::vector<std::size_t> part(labels.size());
  std::size_t next = 0;
  for (const Index row : shuffled(labels, classes, seed, step))
    part[static_cast<std::size_t>(row)] = next++ % static_cast<std::size_t>(parts);
  return part;
}

Fold fold(std::span<const std::size_t> part, std::size_t test) {
  Fold result;
  for (std::size_t row = 0; row < part.size(); ++row)
    (part[row] == test ? result.test : result.train).push_back(static_cast<Index>(row));
  return result;
}

// What samples are stratified by: their labels, or where there are none a single class.
struct Strata {
  explicit Strata(const Dataset<double>& samples) {
    if (!samples.is_regression()) {
      labels = samples.labels;
      classes = samples.classes;
      return;
    }
    labels.resize(static_cast<std::size_t>(samples.targets.rows()));
    classes = 1;
  }
  std::vector<std::int32_t> labels;
  Index classes;
};

}  // namespace

std::vector<Fold> stratified_folds(std::span<const std::int32_t> labels, Index classes, Index folds,
                                   std::uint64_t seed) {
  if (folds < 2 || folds > static_cast<Index>(labels.size()))
    throw InputError(text("folds: found ", folds, " folds of ", labels.size(), " rows, expected 2 to ", labels.size()));
  const auto part = dealt(labels, classes, folds, seed, 1);
  std::vector<Fold> result;
  for (std::size_t test = 0; test < static_cast<std::size_t>(folds); ++test) result.push_back(fold(part, test));
  return result;
}

Fold fold_of_rows(const std::vector<Index>& rows, const Fold& positions) {
  const auto picked = [&](const std::vector<Index>& places) {
    std::vector<Index> result;
    for (const Index place : places) result.push_back(rows[static_cast<std::size_t>(place)]);
    return result;
  };
  return {picked(positions.train), picked(positions.test)};
}

Fold stratified_halves(std::span<const std::int32_t> labels, Index classes, std::uint64_t seed) {
  if (labels.size() < 2) throw InputError(text("folds: found ", labels.size(), " rows, expected at least 2 to halve"));
  return fold(dealt(labels, classes, 2, seed, 2), 1);
}

std::vector<Fold> stratified_folds(const Dataset<double>& samples, Index folds, std::uint64_t seed) {
  const Strata strata(samples);
  return stratified_folds(strata.labels, strata.classes, folds, seed);
}

Fold stratified_halves(const Dataset<double>& samples, std::uint64_t seed) {
  const Strata strata(samples);
  return stratified_halves(strata.labels, strata.classes, seed);
}

Fold stratified_share(std::span<const std::int32_t> labels, Index classes, double share, std::uint64_t seed) {
  // Written so that NaN is refused too.
  if (!(share > 0 && share < 1)) throw InputError(text("share: found ", share, ", expected a number between 0 and 1"));
  const auto n = static_cast<Index>(labels.size());
  if (n < 2) throw InputError(text("share: found ", n, " rows, expected at least 2 to divide"));
  const Index count = std::clamp<Index>(std::llround(share * static_cast<double>(n)), 1, n - 1);
  // How many of the first `rows` rows are for testing.
  const auto tested = [&](Index rows) { return (2 * rows * count + n) / (2 * n); };
  std::vector<std::size_t> part(labels.size());
  Index place = 0;
  for (const Index row : shuffled(labels, classes, seed, 3)) {
    part[static_cast<std::size_t>(row)] = tested(place + 1) > tested(place) ? 1 : 0;
    ++place;
  }
  return fold(part, 1);
}

}  // namespace normalign
