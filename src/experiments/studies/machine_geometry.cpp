#include "experiments/studies/machine_geometry.hpp"

#include <vector>

namespace normalign {

LocalGeometry mean_local_geometry(const KernelMachine<double>& machine, const Dataset<double>& samples, int threads,
                                  const StopPoll& stop) {
  const ConstView<double> x = samples.inputs;
  if (x.rows() < 1 || x.rows() != static_cast<Index>(samples.labels.size()))
    throw InputError(text("mean_local_geometry: samples are ", x.shape(), " and there are ", samples.labels.size(),
                          " labels; there must be a row and one label per row"));
  const Matrix<double> outputs = machine.outputs_at(x, threads, stop);
  std::vector<LocalGeometry> found(samples.labels.size());
  machine.visit_jacobians(
      x,
      [&](Index i, ConstView<double> jacobian) {
        const auto row = static_cast<std::size_t>(i);
        found[row] = local_geometry(jacobian, outputs.view().row_block(i, 1), x.row_block(i, 1), samples.labels[row]);
      },
      threads, stop);
  return mean(found);
}

}  // namespace normalign
