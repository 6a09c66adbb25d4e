// Training with the GrokAlign penalty: a small network learns the parity of 2 of 20 bits.
#include <cstdio>
#include <numeric>

#include "data/sparse_parity.hpp"
#include "nn/adamw.hpp"
#include "nn/evaluate.hpp"
#include "nn/train_step.hpp"

using namespace normalign;

int main() {
  const auto data = sparse_parity<float>({.bits = 20, .relevant = 2, .samples = 600});
  Mlp<float> mlp({.widths = {20, 64, 64, 2}});
  AdamW<float> adamw({.learning_rate = 1e-2, .weight_decay = 0.1});
  TrainStep<float> step(mlp, adamw, {}, {.grokalign = {.lambda = 0.1}, .threads = 2});

  std::vector<Index> samples(data.train.labels.size());
  std::iota(samples.begin(), samples.end(), Index{0});
  const Batch<float> train{.inputs = data.train.inputs, .labels = data.train.labels, .samples = samples};
  for (std::uint32_t epoch = 0; epoch < 100; ++epoch) step(train, epoch);

  Evaluator<float> evaluate(mlp, Loss::cross_entropy, 2);
  const auto test = evaluate({.inputs = data.test.inputs, .labels = data.test.labels});
  std::printf("test accuracy above 95 %%: %s\n",
              test.accuracy > 95 ? "yes" : "no");  // prints test accuracy above 95 %: yes
}
