#include "data/rings.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "base/memory.hpp"
#include "linalg/norm.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

void check(const RingsOptions& options) {
  constexpr Index limit = std::numeric_limits<std::int32_t>::max() / 2;  // rows are numbered by 32 bits
  check_whole("rings", options.rings, 2, limit);
  check_whole("dimensions", options.dimensions, 2, 1000);
  check_whole("train_samples", options.train_samples, 1, limit);
  check_whole("test_samples", options.test_samples, 1, limit);
}

// A point of the unit disc; returns how far it is from the centre.
double draw_in_disc(const RandomRows& random, std::uint32_t row, std::span<double> point) {
  std::array<double, 2> draw{};
  random.uniform<double>(row, draw);
  const double radius = std::sqrt(draw[0]), angle = 2 * std::numbers::pi * draw[1];
  point[0] = radius * std::cos(angle);
  point[1] = radius * std::sin(angle);
  return radius;
}

// A point of the unit ball: a direction, made of normal numbers, and a distance, of which the d-th power is uniform.
double draw_in_ball(const RandomRows& random, std::uint32_t row, std::span<double> point) {
  std::array<double, 1> draw{};
  random.uniform<double>(row, draw);
  random.normal<double>(row, point, 1);
  const double radius = std::pow(draw[0], 1 / static_cast<double>(point.size())), length = euclidean_length(point);
  for (double& value : point) value *= radius / length;
  return radius;
}

template <class T>
Dataset<T> rows_from(Index first, Index count, const RingsOptions& options) {
  const RandomRows random(options.seed, Stream::data);
  Dataset<T> data{Matrix<T>(count, options.dimensions), {}, 2};
  std::vector<double> point(static_cast<std::size_t>(options.dimensions));
  for (Index i = 0; i < count; ++i) {
    const double radius =
        (options.dimensions == 2 ? draw_in_disc : draw_in_ball)(random, static_cast<std::uint32_t>(first + i), point);
    std::ranges::transform(point, data.inputs.row(i).begin(), [](double value) { return static_cast<T>(value); });
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
  require_memory(rows * (static_cast<double>(options.dimensions) * sizeof(T) + sizeof(std::int32_t)),
                 text("train_samples, test_samples: ", rows, " rows"));
  return {rows_from<T>(0, options.train_samples, options),
          rows_from<T>(options.train_samples, options.test_samples, options)};
}

template Split<float> rings(const RingsOptions&);
template Split<double> rings(const RingsOptions&);

}  // namespace normalign
