#include "data/rings.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

void check(const RingsOptions& options) {
  constexpr Index limit = std::numeric_limits<std::int32_t>::max() / 2;  // rows are numbered by 32 bits
  check_whole("rings", options.rings, 2, limit);
  check_whole("train_samples", options.train_samples, 1, limit);
  check_whole("test_samples", options.test_samples, 1, limit);
}

template <class T>
Dataset<T> rows_from(Index first, Index count, const RingsOptions& options) {
  const RandomRows random(options.seed, Stream::data);
  Dataset<T> data{Matrix<T>(count, 2), {}, 2};
  for (Index i = 0; i < count; ++i) {
    std::array<double, 2> draw{};
    random.uniform<double>(static_cast<std::uint32_t>(first + i), draw);
    const double radius = std::sqrt(draw[0]), angle = 2 * std::numbers::pi * draw[1];
    data.inputs(i, 0) = static_cast<T>(radius * std::cos(angle));
    data.inputs(i, 1) = static_cast<T>(radius * std::sin(angle));
    data.labels.push_back(
        static_cast<std::int32_t>(static_cast<Index>(static_cast<double>(options.rings) * radius) % 2));
  }
  return data;
}

}  // namespace

template <class T>
Split<T> rings(const RingsOptions& options) {
  check(options);
  const double rows = static_cast<double>(options.train_samples + options.test_samples);
  require_memory(rows * (2 * sizeof(T) + sizeof(std::int32_t)), text("train_samples, test_samples: ", rows, " rows"));
  return {rows_from<T>(0, options.train_samples, options),
          rows_from<T>(options.train_samples, options.test_samples, options)};
}

template Split<float> rings(const RingsOptions&);
template Split<double> rings(const RingsOptions&);

}  // namespace normalign
