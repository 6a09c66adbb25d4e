#include "experiments/training/components.hpp"

#include <limits>

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

TEST_CASE("cross entropy is differentiated as PyTorch does it, unless an accurate gradient is asked for") {
  CHECK(cross_entropy_gradient_of({}) == CrossEntropyGradient::subtracted);
  CHECK(cross_entropy_gradient_of({.accurate_cross_entropy = true}) == CrossEntropyGradient::accurate);
}

TEST_CASE("the filters of a condition are in the protocol's order, however it is written") {
  for (const char* condition : {"grokfast+orthograd", "orthograd+grokalign+grokfast"}) {
    const auto filters = filters_of<float>({.condition = condition});
    REQUIRE(filters.size() == 2);
    CHECK(dynamic_cast<GrokFast<float>*>(filters[0].get()));
    CHECK(dynamic_cast<OrthoGrad<float>*>(filters[1].get()));
  }
  CHECK(filters_of<float>({.condition = "grokalign"}).empty());
}

TEST_CASE("the penalty is GrokAlign's, the level's, or none") {
  RunConfig config{.condition = "baseline", .lambda = 0.3, .lambda_scale = 0.5, .level = 7, .hold_weight = 0.02};
  CHECK(penalty_of(config).lambda == 0);
  config.condition = "grokfast+grokalign";
  config.penalise_offset = false;
  config.jacobian_norm = "exact";
  GrokAlignOptions penalty = penalty_of(config);
  CHECK(penalty.lambda == 0.15);
  CHECK(penalty.jacobian);
  CHECK_FALSE(penalty.offset);
  CHECK(penalty.norm == JacobianNorm::exact);
  CHECK_FALSE(penalty.level);
  config.condition = "hold_jacobian";
  penalty = penalty_of(config);
  CHECK(penalty.lambda == 0.02);
  CHECK(penalty.level == 7.0);
  CHECK_FALSE(penalty.offset);
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
  CHECK(contains(refusal("layers.1.weight", 1, 0, std::numeric_limits<double>::infinity()),
                 "tensor layers.1.weight: found inf at (1, 0)"));
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

}  // namespace
}  // namespace normalign::tests
