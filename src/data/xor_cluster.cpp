#include "data/xor_cluster.hpp"

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

void check(const XorClusterOptions& options) {
  // Rows and their groups of words are numbered by 32 bits.
  constexpr Index limit = std::numeric_limits<std::int32_t>::max();
  check_whole("features", options.features, 2, limit);
  if (!(options.feature_scale >= 0 && std::isfinite(options.feature_scale)))
    throw InputError(text("feature_scale: found ", options.feature_scale, ", expected a finite number from 0 on"));
  check_whole("train_samples", options.train_samples, 1, limit / 2);
  check_whole("test_samples", options.test_samples, 1, limit / 2);
}

// Rows first, ..., first + count - 1 of the task.
template <class T>
Dataset<T> rows_from(Index first, Index count, const XorClusterOptions& options) {
  const RandomRows random(options.seed, Stream::data);
  const T scale = static_cast<T>(options.feature_scale);
  Dataset<T> data{Matrix<T>(count, options.features), {}, 2};
  for (Index i = 0; i < count; ++i) {
    const std::vector<bool> bits = random.bits(static_cast<std::uint32_t>(first + i), options.features);
    const std::span<T> row = data.inputs.row(i);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = (j < 2 ? T{1} : scale) * (bits[j] ? T{1} : T{-1});
    data.labels.push_back(bits[0] == bits[1]);
  }
  return data;
}

}  // namespace

template <class T>
Split<T> xor_cluster(const XorClusterOptions& options) {
  check(options);
  const double rows = static_cast<double>(options.train_samples + options.test_samples);
  require_memory(rows * static_cast<double>(options.features) * sizeof(T),
                 text("features, train_samples, test_samples: ", rows, " rows of ", options.features, " features"));
  return {rows_from<T>(0, options.train_samples, options),
          rows_from<T>(options.train_samples, options.test_samples, options)};
}

template Split<float> xor_cluster(const XorClusterOptions&);
template Split<double> xor_cluster(const XorClusterOptions&);

}  // namespace normalign
