#include "nn/ntk.hpp"

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

namespace normalign {

template <class T>
Matrix<T> ntk(const Mlp<T>& mlp, ConstView<T> x, ConstView<T> points, Index output) {
  const Index k = mlp.options().widths.back();
  if (x.rows() != 1) throw InputError(text("ntk: x is ", x.shape(), "; it must have one row"));
  if (output < 0 || output >= k) throw InputError(text("ntk: output is ", output, "; there are ", k, " outputs"));
  Tape<T> tape;
  MlpOnTape<T> net = mlp.on(tape);
  const std::span<const Var<T>> parameters = net.parameters();

  Matrix<T> unit(1, k);
  unit(0, output) = 1;
  const std::vector<Var<T>> direction = grad(net(tape.borrowed_constant(x)), parameters, {.seed = tape.constant(unit)});

  const Var<T> f = net(tape.borrowed_constant(points));  // n x k
  Var<T> kernel;
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    Var<T> share = jvp(f, parameters[p], direction[p]);
    kernel = kernel ? std::move(kernel) + std::move(share) : std::move(share);
  }
  return Matrix<T>(kernel.value());
}

template Matrix<float> ntk(const Mlp<float>&, ConstView<float>, ConstView<float>, Index);
template Matrix<double> ntk(const Mlp<double>&, ConstView<double>, ConstView<double>, Index);

}  // namespace normalign
