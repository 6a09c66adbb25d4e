#include "geometry/local_complexity.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/orthonormal_frame.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

// x +- radius v_p, one vertex behind the other: 2 P x d.
void place_vertices(std::span<const double> x, double radius, const Matrix<double>& frame, Matrix<double>& vertices) {
  vertices.resize(2 * frame.rows(), frame.cols());
  for (Index p = 0; p < frame.rows(); ++p)
    for (Index i = 0; i < frame.cols(); ++i) {
      const double here = x[static_cast<std::size_t>(i)];
      vertices(2 * p, i) = here + radius * frame(p, i);
      vertices(2 * p + 1, i) = here - radius * frame(p, i);
    }
}

// For each hidden layer the units whose sign is not the same in all codes.
void count_flips(const PiecewiseAffineNetwork& network, const std::vector<ActivationCode>& codes,
                 std::span<Index> counts) {
  for (Index l = 0; l < network.hidden_layers(); ++l)
    for (Index k = 0; k < network.units(l); ++k) {
      const auto unit = static_cast<std::size_t>(network.first_unit(l) + k);
      const auto differs = [&](const ActivationCode& code) { return code[unit] != codes.front()[unit]; };
      counts[static_cast<std::size_t>(l)] += std::ranges::any_of(codes, differs);
    }
}

}  // namespace

Matrix<Index> local_complexity(const PiecewiseAffineNetwork& network, ConstView<double> x,
                               const LocalComplexityOptions& options) {
  const Index n = x.rows(), d = network.inputs(), layers = network.hidden_layers();
  if (x.cols() != d) throw InputError(text("local_complexity: x is ", x.shape(), "; it must have ", d, " columns"));
  if (!(options.radius > 0 && std::isfinite(options.radius)))
    throw InputError(text("local_complexity: radius is ", options.radius, "; it must be above 0"));
  check_threads("local_complexity", options.threads);
  const Matrix<double> frame = orthonormal_frame(options.directions, d, RandomRows(options.seed, Stream::frame));
  Matrix<Index> result(n, layers);
  const StopPoll stop("local_complexity", options.stop);
  parallel_for_with<Matrix<double>>(options.threads, n, [&](Index row, Matrix<double>& vertices) {
    stop.check();
    place_vertices(x.row(row), options.radius, frame, vertices);
    count_flips(network, network.codes(vertices), result.row(row));
  });
  return result;
}

}  // namespace normalign
