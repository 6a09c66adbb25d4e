#include "experiments/components.hpp"

#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

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

}  // namespace
}  // namespace normalign::tests
