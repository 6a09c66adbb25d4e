#include "experiments/studies/machine_geometry.hpp"

#include "support/catch.hpp"
#include "support/kernel_machines.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("the mean geometry of a machine is that of its Jacobians one by one, at any number of threads") {
  const KernelMachine<double> machine = random_machine({.bandwidth = 2}, 30, 4, 3, 4);
  Dataset<double> samples{random_matrix({9, 4}, 5, -2, 2), {0, 1, 2, 2, 1, 0, 0, 2, 1}, 3};
  std::vector<LocalGeometry> found;
  for (Index i = 0; i < 9; ++i) {
    const Matrix<double> x(samples.inputs.view().row_block(i, 1));
    found.push_back(
        local_geometry(machine.jacobian(x), machine.outputs_at(x), x, samples.labels[static_cast<std::size_t>(i)]));
  }
  const auto expected = measures(mean(found));
  for (const int threads : {1, 2, 3}) {
    const auto measured = measures(mean_local_geometry(machine, samples, threads));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CAPTURE(expected[i].first, threads);
      REQUIRE(measured[i].second);
      CHECK_THAT(*measured[i].second, WithinAbs(expected[i].second.value_or(0), 1e-10));
    }
  }
  samples.labels.pop_back();
  CHECK(contains(message_of([&] { mean_local_geometry(machine, samples); }), "there are 8 labels"));
}

}  // namespace normalign::tests
