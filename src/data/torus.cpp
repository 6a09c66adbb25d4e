#include "data/torus.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "linalg/orthonormal_frame.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

constexpr Index dimension = 64;

// The dimension / 2 frequencies nearest to the origin, one of k and -k.
std::vector<std::pair<Index, Index>> frequencies() {
  std::vector<std::pair<Index, Index>> result;
  for (Index a = 0; a <= 8; ++a)
    for (Index b = -8; b <= 8; ++b)
      if (a > 0 || b > 0) result.emplace_back(a, b);
  std::ranges::stable_sort(result, {}, [](const auto& k) { return k.first * k.first + k.second * k.second; });
  result.resize(dimension / 2);
  return result;
}

template <class T>
Dataset<T> points(Index count, const RandomRows& random, ConstView<double> rotation) {
  const auto waves = frequencies();
  Dataset<T> data{Matrix<T>(count, dimension), {}, 2};
  std::vector<double> f(dimension);
  for (Index i = 0; i < count; ++i) {
    std::array<double, 2> angles{};
    random.uniform<double>(static_cast<std::uint32_t>(i), angles, 0, 2 * std::numbers::pi);
    const auto [u, v] = angles;
    for (std::size_t w = 0; w < waves.size(); ++w) {
      const double at = static_cast<double>(waves[w].first) * u + static_cast<double>(waves[w].second) * v;
      f[2 * w] = std::numbers::sqrt2 * std::cos(at);
      f[2 * w + 1] = std::numbers::sqrt2 * std::sin(at);
    }
    for (Index j = 0; j < dimension; ++j) data.inputs(i, j) = static_cast<T>(dot<double>(rotation.row(j), f));
    data.labels.push_back(std::sin(3 * u + 2 * v) * std::sin(3 * v - 2 * u) > 0);
  }
  return data;
}

}  // namespace

template <class T>
Split<T> torus(const TorusOptions& options) {
  constexpr Index limit = std::numeric_limits<std::int32_t>::max();  // rows are numbered by 32 bits
  check_whole("train_samples", options.train_samples, 1, limit);
  check_whole("test_samples", options.test_samples, 1, limit);
  const auto random = [&](std::uint32_t step) { return RandomRows(options.seed, Stream::data, step); };
  const Matrix<double> rotation = orthonormal_frame(dimension, dimension, random(2));
  return {points<T>(options.train_samples, random(0), rotation), points<T>(options.test_samples, random(1), rotation)};
}

template Split<float> torus(const TorusOptions&);
template Split<double> torus(const TorusOptions&);

}  // namespace normalign
