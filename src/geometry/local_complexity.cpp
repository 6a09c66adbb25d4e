#include "geometry/local_complexity.hpp"

#include <cmath>

#include "linalg/random.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

Matrix<double> orthonormal_frame(Index directions, Index d, std::uint64_t seed) {
  if (directions < 1 || directions > d)
    throw InputError(
        text("local_complexity: directions is ", directions, "; it must be from 1 to ", d, ", the number of inputs"));
  Matrix<double> frame(directions, d);
  const RandomRows normals(seed, Stream::frame);
  for (Index p = 0; p < directions; ++p) {
    const std::span<double> row = frame.row(p);
    normals.normal<double>(static_cast<std::uint32_t>(p), row);
    // Once more for what rounding leaves.
    for (int pass = 0; pass < 2; ++pass)
      for (Index earlier = 0; earlier < p; ++earlier) {
        const double part = dot<double>(frame.row(earlier), row);
        for (Index i = 0; i < d; ++i) frame(p, i) -= part * frame(earlier, i);
      }
    const double length = std::sqrt(dot<double>(row, row));
    for (double& value : row) value /= length;
  }
  return frame;
}

Matrix<Index> local_complexity(const PiecewiseAffineNetwork& network, ConstView<double> x,
                               const LocalComplexityOptions& options) {
  const Index n = x.rows(), d = network.inputs(), layers = network.hidden_layers();
  if (x.cols() != d) throw InputError(text("local_complexity: x is ", x.shape(), "; it must have ", d, " columns"));
  if (!(options.radius > 0 && std::isfinite(options.radius)))
    throw InputError(text("local_complexity: radius is ", options.radius, "; it must be above 0"));
  const Matrix<double> frame = orthonormal_frame(options.directions, d, options.seed);
  Matrix<double> vertices(2 * frame.rows(), d);
  Matrix<Index> result(n, layers);
  for (Index row = 0; row < n; ++row) {
    for (Index p = 0; p < frame.rows(); ++p)
      for (Index i = 0; i < d; ++i) {
        vertices(2 * p, i) = x(row, i) + options.radius * frame(p, i);
        vertices(2 * p + 1, i) = x(row, i) - options.radius * frame(p, i);
      }
    const std::vector<ActivationCode> codes = network.codes(vertices);
    for (Index l = 0; l < layers; ++l)
      for (Index k = 0; k < network.units(l); ++k) {
        const auto unit = static_cast<std::size_t>(network.first_unit(l) + k);
        for (const ActivationCode& code : codes)
          if (code[unit] != codes.front()[unit]) {
            ++result(row, l);
            break;
          }
      }
  }
  return result;
}

}  // namespace normalign
