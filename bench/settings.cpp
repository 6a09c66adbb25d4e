#include "settings.hpp"

#include <numeric>

#include "data/modular.hpp"
#include "data/sparse_parity.hpp"
#include "data/xor_cluster.hpp"
#include "linalg/random.hpp"

namespace normalign::bench {

Setting<float> sparse_parity_setting() {
  return {.name = "sparse_parity",
          .training = {.network = {.widths = {43, 200, 200, 2}}, .optimizer = adamw<float>(1e-2, 0.1)},
          .batch = sparse_parity<float>().train,
          .lambda = 0.1,
          .grokalign_products = {.projections = 1, .offset_pattern = true},
          .plain_bound = 1.08,
          .grokalign_bound = 1.1};
}

Setting<double> mod_add_setting() {
  const Dataset<double> all = modular<double>().train;
  std::vector<Index> first(32);
  std::iota(first.begin(), first.end(), Index{0});
  return {.name = "mod_add",
          .training = {.network = {.widths = {122, 256, 61}, .activation = Activation::quadratic, .bias = false},
                       .optimizer = adamw<double>(1e-3, 1)},
          .batch = rows_at(all, std::span<const Index>(first)),
          .lambda = 0.01,
          .grokalign_products = {.projections = 1, .offset_pushforward = true},
          .plain_bound = 1.2,
          .grokalign_bound = 1.3,
          .repeats = 100};
}

Setting<double> mnist_setting(Loss loss) {
  return {.name = loss == Loss::cross_entropy ? "mnist_ce" : "mnist_se",
          .training = {.network = {.widths = {784, 200, 200, 200, 10}, .init_scale = 8},
                       .optimizer = adamw<double>(1e-3, 0.01),
                       .loss = loss},
          .batch = random_digits(196),
          .lambda = 0.01,
          .grokalign_products = {.projections = 1, .offset_pattern = true},
          .plain_bound = 1.1,
          .grokalign_bound = 1.15};
}

Setting<float> xor_setting() {
  return {.name = "xor",
          .training = {.network = {.widths = {40000, 2048, 1}, .bias = false},
                       .optimizer =
                           [] {
                             return std::make_unique<Sgd<float>>(
                                 SgdOptions{.learning_rate = 0.1, .momentum = 0.2, .weight_decay = 0.1});
                           },
                       .loss = Loss::mse},
          .batch = xor_cluster<float>({.features = 40000, .train_samples = 400, .test_samples = 1}).train,
          .lambda = 1,
          .grokalign_products = {.projections = 1},
          .plain_bound = 1.05,
          .grokalign_bound = 1.15,
          .rounds = 5,
          .repeats = 1};
}

Setting<float> large_setting() {
  Dataset<float> batch{Matrix<float>(4096, 1024), std::vector<std::int32_t>(4096), 10};
  RandomRows(1, Stream::data).uniform(0, batch.inputs.span(), -1, 1);
  for (std::size_t i = 0; i < batch.labels.size(); ++i) batch.labels[i] = static_cast<std::int32_t>(i % 10);
  return {.name = "4096 rows, 1024-1024-10",
          .training = {.network = {.widths = {1024, 1024, 10}}, .optimizer = adamw<float>(1e-3, 0.01)},
          .batch = std::move(batch),
          .lambda = 0.01,
          .grokalign_products = {.projections = 1, .offset_pattern = true},
          .plain_bound = 1.1,
          .grokalign_bound = 1.15,
          .rounds = 5,
          .repeats = 2};
}

}  // namespace normalign::bench
