#include "nn/in_span.hpp"

#include <algorithm>

namespace normalign {
namespace {

// The network with another first weight.
template <class T>
Mlp<T> with_first_weight(const Mlp<T>& network, Matrix<T> weight) {
  MlpOptions options = network.options();
  options.widths.front() = weight.cols();
  std::vector<Layer<T>> layers = {{std::move(weight), network.layers().front().bias}};
  layers.insert(layers.end(), network.layers().begin() + 1, network.layers().end());
  return Mlp<T>(std::move(options), std::move(layers));
}

// The axes, the rows of x and the rows of w, one below the other.
template <class T>
Matrix<T> spanning_rows(Index axes, ConstView<T> x, ConstView<T> w) {
  Matrix<T> rows(axes + x.rows() + w.rows(), x.cols());
  for (Index i = 0; i < axes; ++i) rows(i, i) = 1;
  std::ranges::copy(x.span(), rows.row(axes).data());
  std::ranges::copy(w.span(), rows.row(axes + x.rows()).data());
  return rows;
}

}  // namespace

template <class T>
InSpan<T> in_span(const Mlp<T>& network, const Split<T>& data, Index axes) {
  const Matrix<T>& weight = network.layers().front().weight;
  const Index d = weight.cols(), n = data.train.inputs.rows();
  if (data.train.inputs.cols() != d || data.test.inputs.cols() != d)
    throw InputError(text("in_span: training inputs are ", data.train.inputs.shape(), " and test inputs ",
                          data.test.inputs.shape(), "; they must have ", d, " columns, the network's inputs"));
  check_whole("in_span: axes", axes, 0, d);
  auto coordinates = SpanCoordinates<T>::by_inner_products(spanning_rows<T>(axes, data.train.inputs, weight));
  const ConstView<T> rows = coordinates.rows();
  Mlp<T> small = with_first_weight(network, Matrix<T>(rows.row_block(axes + n, weight.rows())));
  Split<T> split = {{Matrix<T>(rows.row_block(axes, n)), data.train.labels, data.train.classes, data.train.targets},
                    {coordinates.of(data.test.inputs), data.test.labels, data.test.classes, data.test.targets}};
  return {std::move(coordinates), std::move(small), std::move(split)};
}

template <class T>
Mlp<T> in_inputs(const Mlp<T>& network, const SpanCoordinates<T>& coordinates) {
  return with_first_weight(network, coordinates.in_inputs(network.layers().front().weight));
}

#define NORMALIGN_INSTANTIATE(T)                                     \
  template InSpan<T> in_span(const Mlp<T>&, const Split<T>&, Index); \
  template Mlp<T> in_inputs(const Mlp<T>&, const SpanCoordinates<T>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
