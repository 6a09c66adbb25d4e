#include "experiments/training/parts.hpp"
#include "base/infinity.hpp"

#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

Dataset<double> two_rows() { return {Matrix<double>(2, 3), {0, 1}, 2}; }

TEST_CASE("targets are one-hot, signed or 0 and 1, as loss and outputs ask") {
  RunConfig config{.loss = "mse"};
  CHECK(targets_of(config, two_rows()) == Matrix<double>{{1, 0}, {0, 1}});
  config.single_output = true;
  CHECK(targets_of(config, two_rows()) == Matrix<double>{{-1}, {1}});
  config.loss = "bce";
  CHECK(targets_of(config, two_rows()) == Matrix<double>{{0}, {1}});
  config = {.loss = "cross_entropy"};
  CHECK(targets_of(config, two_rows()).empty());
}

template <class T>
TrainingParts<T> parts_of(const RunConfig& config) {
  return training_parts<T>(config, 3, 2);
}

TEST_CASE("cross entropy is differentiated as PyTorch does it, unless an accurate gradient is asked for") {
  RunConfig config;
  CHECK(parts_of<float>(config).step_options(config, 1).cross_entropy_gradient == CrossEntropyGradient::subtracted);
  config.accurate_cross_entropy = true;
  CHECK(parts_of<float>(config).step_options(config, 1).cross_entropy_gradient == CrossEntropyGradient::accurate);
}

TEST_CASE("the filters of a condition are in the protocol's order, however it is written") {
  for (const char* condition : {"grokfast+orthograd", "orthograd+grokalign+grokfast"}) {
    const auto parts = parts_of<float>({.condition = condition});
    REQUIRE(parts.filters.size() == 2);
    CHECK(dynamic_cast<GrokFast<float>*>(parts.filters[0].get()));
    CHECK(dynamic_cast<OrthoGrad<float>*>(parts.filters[1].get()));
  }
  CHECK(parts_of<float>({.condition = "grokalign"}).filters.empty());
}

TEST_CASE("the penalty is GrokAlign's, the level's, or none") {
  RunConfig config{.condition = "baseline", .lambda = 0.3, .lambda_scale = 0.5, .level = 7, .hold_weight = 0.02};
  CHECK(parts_of<double>(config).penalties.empty());
  config.condition = "grokfast+grokalign";
  const auto terms = [&] {
    const auto parts = parts_of<double>(config);
    REQUIRE(parts.penalties.size() == 1);
    return parts.penalties[0]->terms();
  };
  CHECK(terms().size() == 2);
  config.penalise_offset = false;
  REQUIRE(terms().size() == 1);
  CHECK(terms()[0].name == "jacobian_norm");
  CHECK(terms()[0].weight == 0.15);
  CHECK(parts_of<double>(config).penalties[0]->is_linear());
  config.condition = "hold_jacobian";
  config.penalise_offset = true;
  REQUIRE(terms().size() == 1);
  CHECK(terms()[0].weight == 0.02);
  double slope = 0.02;
  const double mean_norm = 5;
  CHECK_FALSE(parts_of<double>(config).penalties[0]->is_linear());
  CHECK_THAT(parts_of<double>(config).penalties[0]->value({&mean_norm, 1}, {&slope, 1}), WithinRel(0.04, 1e-12));
  CHECK(slope == -0.02);
  config.jacobian_norm = "exact";
  CHECK(jacobian_options(config).norm == JacobianNorm::exact);
  config.jacobian_norm = "projection";
  config.projections = 3;
  CHECK(jacobian_options(config).norm == JacobianNorm::projection);
  CHECK(jacobian_options(config).projections == 3);
  CHECK(parts_of<double>(config).penalties[0]->share() == 1);
  config.penalty_share = 0.25;
  CHECK(parts_of<double>(config).penalties[0]->share() == 0.25);
  config.condition = "grokalign";
  CHECK(parts_of<double>(config).penalties[0]->share() == 0.25);
}

TEST_CASE("noise on the inputs is the smaller the better they are fitted, down to the least") {
  CHECK_FALSE(parts_of<float>({.condition = "baseline"}).input_noise);
  const auto sigma =
      parts_of<float>({.condition = "adversarial_noise", .training_noise = 0.5, .least_training_noise = 0.1})
          .input_noise;
  CHECK(sigma(0) == 0.5);
  CHECK(sigma(50) == 0.25);
  CHECK(sigma(100) == 0.1);
  CHECK(sigma(-1e9) == 0.5);  // R² has no lower end
}

TEST_CASE("the network has the settings' widths, and one output where they say so") {
  RunConfig config{.seed = 5, .hidden = {4, 6}, .activation = "tanh", .bias = false};
  CHECK(network_of<double>(config, 3, 2).options().widths == std::vector<Index>{3, 4, 6, 2});
  config.single_output = true;
  const Mlp<double> mlp = network_of<double>(config, 3, 2);
  CHECK(mlp.options().widths == std::vector<Index>{3, 4, 6, 1});
  CHECK(mlp.options().activation == Activation::tanh);
  CHECK_FALSE(mlp.options().bias);
  CHECK(mlp.options().seed == 5);
  CHECK(message_of([&] { network_of<double>(config, 3, 4); }) ==
        "single_output: found true with 4 classes, expected 2");
}

TEST_CASE("an unknown loss is refused") {
  CHECK(message_of([] { loss_of({.loss = "hinge"}); }) ==
        "loss: found 'hinge', expected one of cross_entropy, mse, bce");
  CHECK(loss_of({.loss = "bce"}) == Loss::bce);
}

TEST_CASE("a network that no memory holds is refused with its widths, what it takes and what there is") {
  const RunConfig config{.hidden = {1'000'000, 1'000'000}};
  const std::string message = message_of([&] { network_of<float>(config, 40, 2); });
  CHECK(message.starts_with(
      "hidden: training a network 40-1000000-1000000-2: takes 1.49e+04 GiB of memory, expected at most"));
}

TEST_CASE("a model whose values are not finite, or would not stay so, is refused with the tensor and the entry") {
  const TemporaryFolder folder;
  const auto file = folder / "model.safetensors";
  const Mlp<double> mlp({.widths = {3, 4, 2}, .seed = 1});
  const auto refusal = [&](const char* name, Index row, Index col, double value) {
    TensorFile changed = tensor_file(mlp);
    std::get<Matrix<double>>(changed.tensors.at(name).values)(row, col) = value;
    write_safetensors(file, changed);
    return message_of([&] { model_in<double>(file); });
  };
  CHECK(refusal("layers.0.weight", 0, 0, 1) == "nothing was thrown");
  CHECK(refusal("layers.0.weight", 2, 1, 1e90) == "nothing was thrown");
  CHECK(refusal("layers.0.weight", 2, 1, 1e-300) == "nothing was thrown");
  CHECK(refusal("layers.0.weight", 2, 1, -1e300) ==
        file.string() +
            ": tensor layers.0.weight: found a value of size 1e+300 at (2, 1), by which outputs grow to "
            "about 1e300, expected at most 1e100");
  CHECK(
      contains(refusal("layers.1.bias", 0, 1, 1e200), "tensor layers.1.bias: found a value of size 1e+200 at (0, 1)"));
  CHECK(contains(refusal("layers.0.bias", 0, 3, std::nan("")), "tensor layers.0.bias: found nan at (0, 3)"));
  CHECK(contains(refusal("layers.1.weight", 1, 0, infinity), "tensor layers.1.weight: found inf at (1, 0)"));
  // Squares grow before the next layer sees them.
  TensorFile squares = tensor_file(Mlp<double>({.widths = {3, 4, 2}, .activation = Activation::quadratic}));
  std::get<Matrix<double>>(squares.tensors.at("layers.0.weight").values)(1, 2) = 1e60;
  write_safetensors(file, squares);
  CHECK(contains(message_of([&] { model_in<double>(file); }),
                 "tensor layers.0.weight: found a value of size 1e+60 at (1, 2)"));
  // Each is far from the limit, both together are not.
  TensorFile product = tensor_file(mlp);
  for (const char* name : {"layers.0.weight", "layers.1.weight"})
    std::get<Matrix<double>>(product.tensors.at(name).values)(0, 0) = 1e60;
  write_safetensors(file, product);
  CHECK(contains(message_of([&] { model_in<double>(file); }), "tensor layers.1.weight: found a value of size 1e+60"));
}

TEST_CASE("a run starts from a stack of linear layers that says no activation, with its own") {
  const TemporaryFolder folder;
  const auto path = folder / "net.safetensors";
  const Mlp<double> mlp({.widths = {3, 4, 2}, .seed = 1});
  TensorFile file;
  for (const std::size_t l : {0, 1}) {
    file.tensors[text("fc", l + 1, ".weight")] = {.values = mlp.layers()[l].weight};
    file.tensors[text("fc", l + 1, ".bias")] = {.values = mlp.layers()[l].bias, .is_vector = true};
  }
  const auto start = [&](const char* activation) {
    write_safetensors(path, file);
    return network_of<double>({.hidden = {4}, .activation = activation, .initial_model = path.string()}, 3, 2);
  };
  CHECK(start("gelu").options().activation == Activation::gelu);
  CHECK(same_bits(start("gelu").layers()[1].weight, mlp.layers()[1].weight));
  CHECK(start("leaky_relu").options().slope == 0.01);
  file.metadata["activation"] = "LeakyReLU(negative_slope=0.2)";
  CHECK(message_of([&] { start("gelu"); }) == path.string() + ": metadata activation: found leaky_relu, expected gelu");
  CHECK(message_of([&] { start("leaky_relu"); }) == path.string() + ": metadata slope: found 0.2, expected 0.01");
  // A value that is too large is named as the file names it.
  std::get<Matrix<double>>(file.tensors.at("fc2.weight").values)(1, 3) = 1e300;
  write_safetensors(path, file);
  CHECK(contains(message_of([&] { model_in<double>(path); }),
                 "net.safetensors: tensor fc2.weight: found a value of size 1e+300 at (1, 3)"));
}

}  // namespace
}  // namespace normalign::tests
