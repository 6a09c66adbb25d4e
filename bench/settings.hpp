// The training steps that the bench measures: the paper's five settings, each with and without GrokAlign.
#pragma once

#include <memory>

#include "data/dataset.hpp"
#include "measure.hpp"
#include "nn/adamw.hpp"
#include "nn/grokalign.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"

namespace normalign::bench {

/// How a setting trains.
template <class T>
struct Training {
  MlpOptions network;
  std::function<std::unique_ptr<Optimizer<T>>()> optimizer;
  Loss loss = Loss::cross_entropy;
};

/// Targets for the losses that take values, of the shape of the network's outputs: they do not change what a step
/// costs.
template <class T>
Matrix<T> targets(const Training<T>& training, const Dataset<T>& data) {
  if (training.loss == Loss::cross_entropy) return {};
  Matrix<T> result(data.inputs.rows(), training.network.widths.back());
  for (Index i = 0; i < result.rows(); ++i)
    result(i, data.labels[static_cast<std::size_t>(i)] % result.cols()) =
        data.labels[static_cast<std::size_t>(i)] ? 1 : -1;
  return result;
}

/// A network with an optimizer and one batch of its task, ready to step.
template <class T>
struct Stepper {
  /// Borrows the batch `data`.
  Stepper(const Training<T>& training, const Dataset<T>& data, const GrokAlignOptions& grokalign, int threads)
      : mlp(training.network),
        optimizer(training.optimizer()),
        batch(data),
        values(targets(training, data)),
        penalty(grokalign),
        step(mlp, *optimizer, {.loss = training.loss, .penalties = {&penalty}, .threads = threads}) {}
  /// Takes one step.
  void operator()() { step({.inputs = batch.inputs, .labels = batch.labels, .targets = values}, count++); }

  Mlp<T> mlp;
  std::unique_ptr<Optimizer<T>> optimizer;
  const Dataset<T>& batch;
  Matrix<T> values;
  GrokAlign<T> penalty;
  TrainStep<T> step;
  std::uint32_t count = 0;
};

/// A setting, and what is asked of its steps.
template <class T>
struct Setting {
  std::string name;
  Training<T> training;
  Dataset<T> batch;
  double lambda;
  StepProducts grokalign_products;
  double plain_bound, grokalign_bound;  ///< times the floor, on one thread
  int rounds = 25, repeats = 10;

  /// The network at its start, with or without GrokAlign, which a step finds on a share of the samples.
  std::shared_ptr<Stepper<T>> stepper(bool grokalign, int threads, double share = 1) const {
    return std::make_shared<Stepper<T>>(training, batch,
                                        GrokAlignOptions{.lambda = grokalign ? lambda : 0, .share = share}, threads);
  }
};

/// The paper's settings: sparse parity; addition modulo 61; MNIST, on random images, under either loss; the XOR
/// cluster.
Setting<float> sparse_parity_setting();
Setting<double> mod_add_setting();
Setting<double> mnist_setting(Loss loss = Loss::cross_entropy);
Setting<float> xor_setting();
/// A large batch and wide layers: 4096 random rows, 1024-1024-10.
Setting<float> large_setting();

/// AdamW with the paper's betas and epsilon.
template <class T>
std::function<std::unique_ptr<Optimizer<T>>()> adamw(double learning_rate, double weight_decay) {
  return [=] {
    return std::make_unique<AdamW<T>>(
        AdamWOptions{.learning_rate = learning_rate, .beta2 = 0.99, .epsilon = 1e-25, .weight_decay = weight_decay});
  };
}

}  // namespace normalign::bench
