#include "rfm/kernel_machine.hpp"

#include <cmath>

#include "linalg/safetensors.hpp"
#include "rfm/ridge.hpp"
#include "robustness/pgd.hpp"
#include "support/catch.hpp"
#include "support/kernel_machines.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

const Kernel kernels[] = {{.bandwidth = 2},
                          {.shape = KernelShape::gaussian, .bandwidth = 1.5},
                          {.shape = KernelShape::generalised_laplace, .bandwidth = 2, .exponent = 1.3}};

// Some of the sizes are above a tile's 512 columns, a block's 64 rows, or the 512 columns of scaled centres.
struct Size {
  Index centres, inputs, outputs, rank, points;
};
const Size sizes[] = {{1, 1, 1, 1, 1}, {7, 4, 3, 4, 5}, {520, 5, 2, 3, 70}, {30, 40, 20, 40, 3}, {6, 9, 2, 6, 65}};

Matrix<float> single(const M& values) {
  Matrix<float> result(values.rows(), values.cols());
  std::ranges::transform(values.span(), result.span().begin(), [](double v) { return static_cast<float>(v); });
  return result;
}

}  // namespace

TEST_CASE("outputs are those of the formula on the tape, at any number of threads", "[rfm]") {
  for (const Kernel& kernel : kernels)
    for (const Size& s : sizes) {
      CAPTURE(name_of(kernel.shape), s.centres, s.inputs);
      const KernelMachine<double> machine = random_machine(kernel, s.centres, s.inputs, s.outputs, s.rank);
      CHECK(machine.inputs() == s.inputs);
      CHECK(machine.outputs() == s.outputs);
      const M x = random_matrix({s.points, s.inputs}, 5, -2, 2);
      Tape<double> tape;
      const Var<double> expected = outputs_on_tape(tape, machine, tape.constant(x));
      const M found = machine.outputs_at(x);
      CHECK(relative_error(found, expected.value()) <= tolerance<double>());
      CHECK(same_bits(machine.outputs_at(x, 3), found));
      const KernelMachine<float> in_float(kernel, single(machine.centres()), single(machine.metric()),
                                          single(machine.coefficients()));
      CHECK(relative_error(in_float.outputs_at(single(x)), found) <= 20 * tolerance<float>());
    }
}

TEST_CASE("Jacobians are autodiff's and central differences'", "[rfm]") {
  for (const Kernel& kernel : kernels)
    for (const Size& s : sizes) {
      CAPTURE(name_of(kernel.shape), s.centres, s.inputs);
      const KernelMachine<double> machine = random_machine(kernel, s.centres, s.inputs, s.outputs, s.rank);
      const M x = random_matrix({2, s.inputs}, 5, -2, 2);
      Tape<double> tape;
      const Var<double> at = tape.variable(x);
      const std::vector<Var<double>> expected = jacobian(outputs_on_tape(tape, machine, at), at);
      for (Index row = 0; row < 2; ++row) {
        const M point(x.view().row_block(row, 1)), found = machine.jacobian(point);
        REQUIRE(found.shape() == Shape{s.outputs, s.inputs});
        double error = 0, difference_error = 0, scale = 1;
        M differences(s.outputs, s.inputs);
        for (Index j = 0; j < s.inputs; ++j) {
          M up = point, down = point;
          up(0, j) += 1e-5;
          down(0, j) -= 1e-5;
          const M high = machine.outputs_at(up), low = machine.outputs_at(down);
          for (Index i = 0; i < s.outputs; ++i) {
            const double exact = expected[static_cast<std::size_t>(i)].value()(row, j);
            scale = std::max(scale, std::abs(exact));
            error = std::max(error, std::abs(found(i, j) - exact));
            difference_error = std::max(difference_error, std::abs(found(i, j) - (high(0, i) - low(0, i)) / 2e-5));
          }
        }
        CHECK(error <= tolerance<double>(1) * scale);
        CHECK(difference_error <= 10 * difference_tolerance * scale);  // nearer to a kink than smooth functions are
        const KernelMachine<float> in_float(kernel, single(machine.centres()), single(machine.metric()),
                                            single(machine.coefficients()));
        CHECK(relative_error(in_float.jacobian(single(point)), found) <= 20 * tolerance<float>(1));
      }
    }
}

TEST_CASE("each row's Jacobian is visited once, cut in blocks, at any number of threads", "[rfm]") {
  const KernelMachine<double> machine = random_machine(kernels[0], 9, 4, 3, 4);
  const M x = random_matrix({150, 4}, 5, -2, 2);
  for (const int threads : {1, 3}) {
    std::vector<M> found(150);
    std::vector<int> visits(150);
    machine.visit_jacobians(
        x,
        [&](Index row, ConstView<double> jacobian) {
          found[static_cast<std::size_t>(row)] = M(jacobian);
          ++visits[static_cast<std::size_t>(row)];
        },
        threads);
    for (Index row = 0; row < 150; ++row) {
      CHECK(visits[static_cast<std::size_t>(row)] == 1);
      CHECK(relative_error(found[static_cast<std::size_t>(row)], machine.jacobian(x.view().row_block(row, 1))) <=
            1e-12);
    }
  }
  CHECK(contains(message_of([&] { machine.visit_jacobians(x, {}, 0); }), "visit_jacobians: threads is 0"));
}

TEST_CASE("pulled-back cotangents are autodiff's gradients, cut in blocks, at any number of threads", "[rfm]") {
  for (const Kernel& kernel : kernels)
    for (const Size& s : sizes) {
      CAPTURE(name_of(kernel.shape), s.centres, s.inputs);
      const KernelMachine<double> machine = random_machine(kernel, s.centres, s.inputs, s.outputs, s.rank);
      const M x = random_matrix({s.points, s.inputs}, 5, -2, 2), target = random_matrix({s.points, s.outputs}, 6);
      // Of the loss sum (f - target)².
      Tape<double> tape;
      const Var<double> at = tape.variable(x);
      const Var<double> expected = grad(sum(square(outputs_on_tape(tape, machine, at) - tape.constant(target))), at);
      const auto residuals = [&](Index first, MatrixView<double> outputs) {
        for (Index i = 0; i < outputs.rows(); ++i)
          for (Index j = 0; j < outputs.cols(); ++j) outputs(i, j) = 2 * (outputs(i, j) - target(first + i, j));
      };
      M found(x.rows(), x.cols()), again(x.rows(), x.cols());
      std::ranges::fill(found.span(), std::nan(""));
      machine.pull_back(x, residuals, found);
      CHECK(relative_error(found, expected.value()) <= tolerance<double>(1));
      machine.pull_back(x, residuals, again, 3);
      CHECK(same_bits(again, found));
    }
}

TEST_CASE("at a centre the centre itself contributes no gradient, and nothing is a NaN", "[rfm]") {
  for (const Kernel& kernel : kernels) {
    CAPTURE(name_of(kernel.shape));
    const KernelMachine<double> machine = random_machine(kernel, 6, 4, 2, 4);
    // Without centre 2 the Jacobian there is the same.
    M centres(5, 4), coefficients(5, 2);
    for (Index i = 0; i < 5; ++i) {
      std::ranges::copy(machine.centres().row(i < 2 ? i : i + 1), centres.row(i).begin());
      std::ranges::copy(machine.coefficients().row(i < 2 ? i : i + 1), coefficients.row(i).begin());
    }
    const KernelMachine<double> without(kernel, centres, machine.metric(), coefficients);
    const M at(machine.centres().view().row_block(2, 1));
    CHECK(relative_error(machine.jacobian(at), without.jacobian(at)) <= 1e-14);
  }
}

TEST_CASE("a zero metric makes a constant predictor with zero gradients", "[rfm]") {
  const KernelMachine<double> machine({}, random_matrix({70, 3}, 1), M(3, 3), random_matrix({70, 2}, 2));
  const M x = random_matrix({66, 3}, 3), outputs = machine.outputs_at(x);
  for (Index j = 0; j < 2; ++j) {
    double sum = 0;
    for (Index i = 0; i < 70; ++i) sum += machine.coefficients()(i, j);
    for (Index i = 0; i < 66; ++i) CHECK_THAT(outputs(i, j), WithinAbs(sum, 1e-12));
  }
  CHECK(machine.jacobian(x.view().row_block(0, 1)) == M(2, 3));
  M gradients = x;
  machine.pull_back(
      x, [](Index, MatrixView<double>) {}, gradients);
  CHECK(all_zero(gradients));
}

TEST_CASE("PGD through pulled-back gradients lowers the accuracy of a machine and stays in the ball", "[rfm]") {
  // Two clouds about (1, 1, 0, 0) and its negative.
  const Index n = 120;
  M x = random_matrix({n, 4}, 1), y(n, 2);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < 2; ++j) x(i, j) += i % 2 == 0 ? 1 : -1;
    y(i, i % 2) = 1;
  }
  const MahalanobisPoints<double> points{M(x)};
  const KernelMachine<double> machine({}, x, M{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}},
                                      ridge<double>({}, points, y, {.regularisation = 0.1}).coefficients);
  const auto right = [&](const M& at) {
    const M outputs = machine.outputs_at(at);
    Index count = 0;
    for (Index i = 0; i < n; ++i) count += (outputs(i, 0) > outputs(i, 1)) == (i % 2 == 0);
    return count;
  };
  const auto gradient = [&](ConstView<double> at, MatrixView<double> out) {
    machine.pull_back(
        at,
        [&](Index first, MatrixView<double> outputs) {
          for (Index i = 0; i < outputs.rows(); ++i)
            for (Index j = 0; j < 2; ++j) outputs(i, j) -= y(first + i, j);
        },
        out);
  };
  REQUIRE(right(x) >= n - 2);
  Index before = right(x);
  for (const double radius : {0.3, 1.0, 2.0}) {
    const M attacked = pgd<double>(x, {.radius = radius, .step = radius / 10, .steps = 20}, gradient);
    double farthest = 0;
    for (std::size_t i = 0; i < x.span().size(); ++i)
      farthest = std::max(farthest, std::abs(attacked.span()[i] - x.span()[i]));
    CHECK(farthest <= radius * (1 + 1e-12));
    CHECK(right(attacked) < before);
    before = right(attacked);
  }
  CHECK(before <= n / 3);
}

TEST_CASE("a machine comes back from a safetensors file, in either type", "[rfm]") {
  const TemporaryFolder folder;
  const KernelMachine<double> machine = random_machine(
      {.shape = KernelShape::generalised_laplace, .bandwidth = 0.1 + 0.2, .exponent = 1.0 / 3}, 9, 4, 3, 2);
  write_safetensors(folder / "machine", tensor_file(machine));
  const auto back = kernel_machine_from<double>(read_safetensors(folder / "machine"));
  CHECK(back.kernel().shape == machine.kernel().shape);
  CHECK(back.kernel().bandwidth == machine.kernel().bandwidth);
  CHECK(back.kernel().exponent == machine.kernel().exponent);
  CHECK(back.centres() == machine.centres());
  CHECK(back.metric() == machine.metric());
  CHECK(back.coefficients() == machine.coefficients());
  const M x = random_matrix({5, 4}, 7);
  CHECK(same_bits(back.outputs_at(x), machine.outputs_at(x)));
  const auto rounded = kernel_machine_from<float>(tensor_file(machine));
  CHECK(rounded.centres() == single(machine.centres()));
  CHECK(kernel_machine_from<double>(tensor_file(rounded)).centres().shape() == Shape{9, 4});
}

TEST_CASE("a file that holds no machine is refused, and told why", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 5, 3, 2, 3);
  const auto refusal = [&](const auto& spoil) {
    TensorFile file = tensor_file(machine);
    spoil(file);
    return message_of([&] { kernel_machine_from<double>(file); });
  };
  CHECK(refusal([](TensorFile&) {}) == "nothing was thrown");
  for (const std::string name : {"centres", "metric", "coefficients"}) {
    CHECK(refusal([&](TensorFile& file) { file.tensors.erase(name); }) ==
          "tensor " + name + ": found none, expected one");
    CHECK(refusal([&](TensorFile& file) { std::get<M>(file.tensors[name].values)(1, 1) = std::nan(""); }) ==
          "tensor " + name + ": found nan, expected finite values");
  }
  for (const std::string key : {"kernel", "bandwidth", "exponent"})
    CHECK(refusal([&](TensorFile& file) { file.metadata.erase(key); }) ==
          "metadata " + key + ": found none, expected one");
  for (const std::string key : {"bandwidth", "exponent"})
    for (const std::string bad : {"", "ten", "1 0", "nan", "inf"})
      CHECK(refusal([&](TensorFile& file) { file.metadata[key] = bad; }) ==
            "metadata " + key + ": found '" + bad + "', expected a finite number");
  CHECK(refusal([](TensorFile& file) { file.metadata["kernel"] = "cosine"; }) ==
        "kernel: found 'cosine', expected one of laplace, gaussian, generalised_laplace");
  CHECK(refusal([](TensorFile& file) { file.metadata["bandwidth"] = "-1"; }) ==
        "kernel: bandwidth is -1; it must be positive and finite");
  CHECK(refusal([](TensorFile& file) { file.tensors["coefficients"].values = M(4, 2); }) ==
        "KernelMachine: centres are 5x3, metric is 3x3, coefficients are 4x2; metric must have centres.cols rows, "
        "coefficients centres.rows");
  CHECK(contains(refusal([](TensorFile& file) { file.tensors["metric"].values = M(4, 4); }), "metric is 4x4"));
  CHECK(refusal([](TensorFile& file) { file.tensors["metric"].values = M(3, 2); }) ==
        "mahalanobis_factor: m is 3x2; it must be square");
  CHECK(contains(refusal([](TensorFile& file) { std::get<M>(file.tensors["metric"].values)(0, 0) = -9; }),
                 "it must be positive semi-definite"));
  TensorFile large = tensor_file(machine);
  std::get<M>(large.tensors["centres"].values)(0, 0) = 1e300;
  CHECK(message_of([&] { kernel_machine_from<float>(large); }) == "tensor centres: found inf, expected finite values");
}

TEST_CASE("misfits are refused by machines", "[rfm]") {
  const KernelMachine<double> machine = random_machine({}, 5, 3, 2, 3);
  const auto none = [](Index, MatrixView<double>) {};
  M two(2, 3), out(2, 4);
  CHECK(message_of([&] { machine.jacobian(two); }) == "KernelMachine::jacobian: x is 2x3; it must be one row");
  CHECK(contains(message_of([&] { machine.jacobian(M(1, 4)); }), "a is 1x4 but b is 3x3"));
  CHECK(contains(message_of([&] { machine.outputs_at(M(1, 4)); }), "a is 1x4 but b is 3x3"));
  CHECK(contains(message_of([&] { machine.outputs_at(two, 0); }), "threads is 0"));
  CHECK(message_of([&] { machine.pull_back(two, none, out); }) == "pull_back: gradients are 2x4 but x is 2x3");
  CHECK(message_of([&] { machine.pull_back(two, none, two, 0); }) == "pull_back: threads is 0; it must be at least 1");
  KernelMachine<double>::JacobianScratch scratch;
  CHECK(message_of([&] { machine.factored_jacobians(machine.points(two), 1, out, scratch); }) ==
        "factored_jacobians: out is 2x4 from point 1 of 2; it must have 6 columns, and as many points as rows");
}

}  // namespace normalign::tests
