#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task mnist_ce();  // in its own file; the two differ in the loss alone

Task mnist_se() {
  Task task = mnist_ce();
  task.name = "mnist_se";
  task.summary =
      "1024 MNIST digits: 784-200-200-200-10 ReLU, large start, AdamW, batch 196, squared error to one-hot, float64";
  task.defaults.loss = "mse";
  return task;
}

}  // namespace normalign::tasks
