#include "geometry/certificates/row_space.hpp"

#include <algorithm>
#include <limits>

#include "linalg/blas.hpp"
#include "linalg/lapack.hpp"

namespace normalign {

Matrix<double> RowSpaceNetwork::coordinates(ConstView<double> x) const {
  Matrix<double> result(x.rows(), basis.rows());
  // n x r = (n x d) (r x d)ᵀ
  gemm<double>(x, basis, result, {.b = true});
  return result;
}

Matrix<double> RowSpaceNetwork::point(ConstView<double> to, ConstView<double> x) const {
  Matrix<double> step = coordinates(x), result(x);
  if (to.shape() != step.shape() || x.rows() != 1)
    throw InputError(text("RowSpaceNetwork: coordinates are ", to.shape(), " and x ", x.shape(), "; they must be 1x",
                          basis.rows(), " and 1x", basis.cols()));
  for (Index i = 0; i < step.cols(); ++i) step(0, i) = to(0, i) - step(0, i);
  // 1 x d = (1 x r) (r x d)
  gemm<double>(step, basis, result, {}, 1.0, 1.0);
  return result;
}

RowSpaceNetwork row_space_network(const PiecewiseAffineNetwork& network) {
  const Matrix<double>& first = network.layers().front().weight;
  const Svd<double> decomposition = svd(first.view());
  const double rounding = static_cast<double>(std::max(first.rows(), first.cols())) *
                          std::numeric_limits<double>::epsilon() * decomposition.values.front();
  const auto rank = std::ranges::count_if(decomposition.values, [&](double value) { return value > rounding; });
  Matrix<double> basis(decomposition.right.view().row_block(0, std::max<Index>(rank, 1)));
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  layers.front().weight = Matrix<double>(first.rows(), basis.rows());
  // n x r = (n x d) (r x d)ᵀ
  gemm<double>(first, basis, layers.front().weight, {.b = true});
  return {PiecewiseAffineNetwork(std::move(layers)), std::move(basis)};
}

}  // namespace normalign
