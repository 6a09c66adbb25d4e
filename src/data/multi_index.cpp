#include "data/multi_index.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "linalg/orthonormal_frame.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

void check(const MultiIndexOptions& options) {
  constexpr Index limit = std::numeric_limits<std::int32_t>::max();  // rows are numbered by 32 bits
  check_whole("samples", options.samples, 1, limit);
  check_whole("dimension", options.dimension, 2, limit);
  check_whole("relevant", options.relevant, 2, options.dimension);
  check_whole("classes", options.classes, 2, limit);
  if (!(options.label_noise >= 0 && options.label_noise <= 1))
    throw InputError(text("label_noise: found ", options.label_noise, ", expected a number from 0 to 1"));
}

// From the coordinates z along the relevant directions; uniform modulo 1.
double phase(std::span<const double> z) {
  double turns = std::atan2(z[1], z[0]) / (2 * std::numbers::pi);
  turns -= std::expm1(-(z[0] * z[0] + z[1] * z[1]) / 2) / 4;
  for (const double value : z.subspan(2)) turns += std::erfc(-value / std::numbers::sqrt2) / 4;  // Phi is erfc / 2
  return turns;
}

}  // namespace

template <class T>
MultiIndex<T> multi_index(const MultiIndexOptions& options) {
  check(options);
  const RandomRows normals(options.seed, Stream::data, 0), noise(options.seed, Stream::data, 2);
  const Matrix<double> directions =
      orthonormal_frame(options.relevant, options.dimension, RandomRows(options.seed, Stream::data, 1));
  const auto class_at = [&](double share) {
    const auto c = static_cast<Index>(static_cast<double>(options.classes) * share);
    return static_cast<std::int32_t>(std::min(c, options.classes - 1));
  };
  Dataset<T> data{Matrix<T>(options.samples, options.dimension), {}, options.classes};
  std::vector<double> x(static_cast<std::size_t>(options.dimension)), z(static_cast<std::size_t>(options.relevant));
  for (Index i = 0; i < options.samples; ++i) {
    const auto row = static_cast<std::uint32_t>(i);
    normals.normal<double>(row, x);
    for (Index p = 0; p < options.relevant; ++p) z[static_cast<std::size_t>(p)] = dot<double>(directions.row(p), x);
    std::array<double, 2> draw{};
    noise.uniform<double>(row, draw);
    const double turns = phase(z);
    data.labels.push_back(class_at(draw[0] < options.label_noise ? draw[1] : turns - std::floor(turns)));
    std::ranges::transform(x, data.inputs.row(i).begin(), [](double value) { return static_cast<T>(value); });
  }
  return {std::move(data), converted<T>(directions.view())};
}

template MultiIndex<float> multi_index(const MultiIndexOptions&);
template MultiIndex<double> multi_index(const MultiIndexOptions&);

}  // namespace normalign
