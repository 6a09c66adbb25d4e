#include "geometry/local_complexity.hpp"

#include <cmath>

#include "linalg/orthonormal_frame.hpp"

namespace normalign {

Matrix<Index> local_complexity(const PiecewiseAffineNetwork& network, ConstView<double> x,
                               const LocalComplexityOptions& options) {
  const Index n = x.rows(), d = network.inputs(), layers = network.hidden_layers();
  if (x.cols() != d) throw InputError(text("local_complexity: x is ", x.shape(), "; it must have ", d, " columns"));
  if (!(options.radius > 0 && std::isfinite(options.radius)))
    throw InputError(text("local_complexity: radius is ", options.radius, "; it must be above 0"));
  const Matrix<double> frame = orthonormal_frame(options.directions, d, RandomRows(options.seed, Stream::frame));
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
