#include "rfm/agop.hpp"

#include "support/catch.hpp"
#include "support/kernel_machines.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// sum_p w_p J_pᵀ J_p / sum_p w_p with Jacobians J_p by autodiff.
M agop_on_tape(const KernelMachine<double>& machine, const M& x, const std::vector<Index>& weights) {
  Tape<double> tape;
  const Var<double> at = tape.variable(x);
  const std::vector<Var<double>> jacobians = jacobian(outputs_on_tape(tape, machine, at), at);
  M result(x.cols(), x.cols());
  double total = 0;
  for (Index p = 0; p < x.rows(); ++p) {
    const auto weight = static_cast<double>(weights[static_cast<std::size_t>(p)]);
    total += weight;
    for (const Var<double>& gradients : jacobians)
      for (Index i = 0; i < x.cols(); ++i)
        for (Index j = 0; j < x.cols(); ++j) result(i, j) += weight * gradients.value()(p, i) * gradients.value()(p, j);
  }
  for (double& value : result.span()) value /= total;
  return result;
}

std::vector<Index> some_weights(Index n) {
  std::vector<Index> weights;
  for (Index i = 0; i < n; ++i) weights.push_back((i * i + 1) % 4);
  return weights;
}

}  // namespace

TEST_CASE("the average gradient outer product is that of autodiff's Jacobians, at any number of threads", "[rfm]") {
  for (const Kernel& kernel : {Kernel{.bandwidth = 2}, Kernel{.shape = KernelShape::gaussian, .bandwidth = 2}}) {
    struct Size {
      Index centres, inputs, outputs, rank, points;
    };
    for (const Size& s :
         {Size{1, 1, 1, 1, 1}, {9, 4, 3, 4, 6}, {30, 5, 2, 2, 150}, {530, 3, 1, 3, 65}, {300, 6, 70, 5, 130}}) {
      CAPTURE(name_of(kernel.shape), s.centres, s.points);
      const KernelMachine<double> machine = random_machine(kernel, s.centres, s.inputs, s.outputs, s.rank);
      const M x = random_matrix({s.points, s.inputs}, 5, -2, 2);
      const std::vector<Index> weights = some_weights(s.points);
      const M found = agop<double>(machine, x, weights);
      CHECK(relative_error(found, agop_on_tape(machine, x, weights)) <= tolerance<double>(1));
      for (int threads : {2, 3, 5}) CHECK(same_bits(agop<double>(machine, x, weights, threads), found));
    }
  }
}

TEST_CASE("the centred product is that of Jacobians less their mean, at any number of threads", "[rfm]") {
  for (const Kernel& kernel : {Kernel{.bandwidth = 2}, Kernel{.shape = KernelShape::gaussian, .bandwidth = 2}}) {
    struct Size {
      Index centres, inputs, outputs, rank, points;
    };
    // Few centres for their outputs and many: sums over pairs and over points; more than one block and tile.
    for (const Size& s : {Size{9, 4, 3, 4, 6}, {30, 5, 2, 2, 150}, {530, 3, 1, 3, 65}, {300, 6, 70, 5, 630}}) {
      CAPTURE(name_of(kernel.shape), s.centres, s.points);
      const KernelMachine<double> machine = random_machine(kernel, s.centres, s.inputs, s.outputs, s.rank);
      const M x = random_matrix({s.points, s.inputs}, 5, -2, 2);
      const std::vector<Index> weights = some_weights(s.points);
      double total = 0;
      M mean(s.outputs, s.inputs), expected(s.inputs, s.inputs);
      const auto add_up = [&](const auto& visit) {
        for (Index p = 0; p < s.points; ++p)
          visit(static_cast<double>(weights[static_cast<std::size_t>(p)]), machine.jacobian(x.view().row_block(p, 1)));
      };
      add_up([&](double weight, const M& j) {
        total += weight;
        for (std::size_t i = 0; i < j.span().size(); ++i) mean.span()[i] += weight * j.span()[i];
      });
      for (double& value : mean.span()) value /= total;
      add_up([&](double weight, M j) {
        for (std::size_t i = 0; i < j.span().size(); ++i) j.span()[i] -= mean.span()[i];
        gemm<double>(j, j, expected, {.a = true}, weight / total, 1);
      });
      const M found = centred_agop<double>(machine, x, weights);
      CHECK(relative_error(found, expected) <= 1e-9);
      for (int threads : {2, 3, 5}) CHECK(same_bits(centred_agop<double>(machine, x, weights, threads), found));
    }
  }
}

TEST_CASE("one Jacobian alone has a centred product of 0 and not of rounding", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 20, 3, 2, 3);
  const M x = random_matrix({3, 3}, 5);
  for (const Index weight : {1, 7}) {
    const M found = centred_agop<double>(machine, x, std::vector<Index>{0, weight, 0});
    for (const double value : found.span()) CHECK(value == 0);
  }
}

TEST_CASE("points near a centre, whose slopes are steep, keep their digits with many outputs too", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 20, 3, 15, 3);
  for (const double distance : {1e-2, 1e-4, 1e-6}) {
    CAPTURE(distance);
    M x = random_matrix({30, 3}, 5);
    for (Index i = 0; i < 20; ++i) {
      std::ranges::copy(machine.centres().row(i), x.row(i).begin());
      x(i, i % 3) += distance;
    }
    const std::vector<Index> ones(30, 1);
    M expected(3, 3);
    for (Index i = 0; i < 30; ++i) {
      const M j = machine.jacobian(x.view().row_block(i, 1));
      gemm<double>(j, j, expected, {.a = true}, 1.0 / 30, 1);
    }
    CHECK(relative_error(agop<double>(machine, x, ones), expected) <= 1e-9);
  }
}

TEST_CASE("a weight counts a row as often as it says", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 20, 3, 2, 3);
  const M x = random_matrix({4, 3}, 5);
  M repeated(6, 3);
  const Index rows[] = {0, 2, 2, 2, 3, 3};
  for (Index i = 0; i < 6; ++i) std::ranges::copy(x.row(rows[i]), repeated.row(i).begin());
  const std::vector<Index> weights{1, 0, 3, 2}, ones(6, 1);
  CHECK(relative_error(agop<double>(machine, x, weights), agop<double>(machine, repeated, ones)) <= 1e-14);
}

TEST_CASE("at the machine's own centres, some of them equal, nothing is a NaN", "[rfm]") {
  M centres = random_matrix({80, 3}, 1);
  for (Index i = 0; i < 40; ++i) std::ranges::copy(centres.row(i), centres.row(79 - i).begin());
  const KernelMachine<double> machine({}, centres, random_metric(3, 2, 2), random_matrix({80, 2}, 3));
  const std::vector<Index> ones(80, 1);
  M expected(3, 3);
  for (Index i = 0; i < 80; ++i) {
    const M j = machine.jacobian(centres.view().row_block(i, 1));
    gemm<double>(j, j, expected, {.a = true}, 1.0 / 80, 1);
  }
  CHECK(relative_error(agop<double>(machine, centres, ones), expected) <= 1e-13);
}

TEST_CASE("weights that do not fit are refused", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 5, 3, 2, 3);
  const M x(2, 3);
  const std::vector<Index> one{1}, negative{1, -1}, none{0, 0}, good{1, 1};
  const std::string misfit = "agop: x is 2x3 but there are ";
  CHECK(message_of([&] { agop<double>(machine, x, one); }) ==
        misfit + "1 weights; there must be one per row, none negative");
  CHECK(message_of([&] { agop<double>(machine, x, negative); }) ==
        misfit + "2 weights; there must be one per row, none negative");
  CHECK(message_of([&] { agop<double>(machine, x, none); }) == "agop: the weights sum to 0; one must be positive");
  CHECK(message_of([&] { agop<double>(machine, x, good, 0); }) == "agop: threads is 0; it must be at least 1");
  CHECK(contains(message_of([&] { agop<double>(machine, M(2, 4), good); }), "a is 2x4 but b is 3x3"));
}

TEST_CASE("an average gradient outer product ends when stopped, by points or by pairs", "[rfm]") {
  const StopPoll stop("test", [] { return true; });
  Matrix<double> identity(6, 6);
  for (Index i = 0; i < 6; ++i) identity(i, i) = 1;
  for (const Index centres : {4, 400}) {
    const KernelMachine<double> machine({}, random_matrix({centres, 6}, 1), identity, random_matrix({centres, 3}, 2));
    const Matrix<double> x = random_matrix({50, 6}, 3);
    const std::vector<Index> weights(50, 1);
    for (const int threads : {1, 3}) {
      CHECK(message_of<Stopped>([&] { agop<double>(machine, x, weights, threads, stop); }) == "test: stopped");
      CHECK(message_of<Stopped>([&] { centred_agop<double>(machine, x, weights, threads, stop); }) == "test: stopped");
    }
  }
}

}  // namespace normalign::tests
