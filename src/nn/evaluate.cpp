#include "nn/evaluate.hpp"

#include <algorithm>

#include "autodiff/ops_elementwise.hpp"
#include "data/regression_scores.hpp"
#include "linalg/paying_threads.hpp"
#include "robustness/class_attack.hpp"

namespace normalign {

namespace {

// Of the outputs at n rows.
template <class T>
double output_flops(const Mlp<T>& mlp, Index n) {
  return 2 * static_cast<double>(mlp.parameter_count()) * static_cast<double>(n);
}

}  // namespace

template <class T>
struct alignas(64) Evaluator<T>::Block {
  Tape<T> tape;
  MlpOnTape<T> net;
  double loss = 0;
  Index right = 0;
};

template <class T>
void check_labelled(const char* caller, const Mlp<T>& mlp, Loss loss, const Batch<T>& data) {
  const Index n = data.inputs.rows(), k = mlp.options().widths.back();
  if (n < 1 || static_cast<Index>(data.labels.size()) != n)
    throw InputError(text(caller, ": inputs are ", data.inputs.shape(), " and there are ", data.labels.size(),
                          " labels; there must be a row and one label per row"));
  check_batch(caller, data, loss, k);
  const std::int32_t classes = static_cast<std::int32_t>(std::max<Index>(k, 2));
  for (std::int32_t label : data.labels)
    if (label < 0 || label >= classes)
      throw InputError(text(caller, ": a label is ", label, "; it must be from 0 to ", classes - 1));
}

template <class T>
Matrix<T> outputs_at(const Mlp<T>& mlp, ConstView<T> x, int threads) {
  check_threads("outputs_at", threads);
  const Index n = x.rows(), blocks = block_count(n);
  if (n < 1 || x.cols() != mlp.options().widths.front())
    throw InputError(text("outputs_at: x is ", x.shape(), " and the network has ", mlp.options().widths.front(),
                          " inputs; x must have as many columns, and a row"));
  Matrix<T> result(n, mlp.options().widths.back());
  std::vector<std::exception_ptr> failures;
  parallel_for(paying_threads(threads, output_flops(mlp, n)), blocks, failures, [&](Index i) {
    const RowBlock rows = row_block(n, blocks, i);
    Tape<T> tape;
    const WithoutRecording<T> off(tape);
    const Var<T> f = mlp.on(tape)(tape.borrowed_constant(x.row_block(rows.first, rows.count)));
    std::ranges::copy(f.value().span(), result.row(rows.first).data());
  });
  return result;
}

template <class T>
std::vector<std::int32_t> classes_at(const Mlp<T>& mlp, ConstView<T> x, int threads) {
  const Matrix<T> f = outputs_at(mlp, x, threads);
  std::vector<std::int32_t> classes(static_cast<std::size_t>(f.rows()));
  for (Index i = 0; i < f.rows(); ++i) classes[static_cast<std::size_t>(i)] = predicted_class<T>(f.row(i));
  return classes;
}

template <class T>
Evaluator<T>::Evaluator(const Mlp<T>& mlp, Loss loss, int threads, double output_scale)
    : mlp_(mlp), loss_(loss), threads_(threads), output_scale_(output_scale) {
  check_threads("Evaluator", threads);
}

template <class T>
Evaluator<T>::~Evaluator() = default;

template <class T>
Evaluation Evaluator<T>::operator()(const Batch<T>& data) {
  const Index n = data.inputs.rows(), k = mlp_.options().widths.back();
  const bool is_regression = data.is_regression();
  if (is_regression)
    check_batch("Evaluator", data, loss_, k);
  else
    check_labelled("Evaluator", mlp_, loss_, data);
  if (is_regression) outputs_.resize(n, k);
  const Index blocks = block_count(n);
  while (static_cast<Index>(blocks_.size()) < blocks) blocks_.push_back(std::make_unique<Block>());
  parallel_for(paying_threads(threads_, output_flops(mlp_, n)), blocks, failures_, [&](Index i) {
    Block& block = *blocks_[static_cast<std::size_t>(i)];
    const RowBlock rows = row_block(n, blocks, i);
    const WithoutRecording<T> off(block.tape);
    block.net.bind(mlp_, block.tape);
    const Var<T> f = block.net(block.tape.borrowed_constant(data.inputs.row_block(rows.first, rows.count)));
    Var<T> scaled = output_scale_ == 1 ? f : output_scale_ * f;
    block.loss =
        static_cast<double>(task_loss(loss_, std::move(scaled), target_on(block.tape, data, loss_, rows), n).item());
    block.right = 0;
    const ConstView<T> outputs = f.value();
    if (is_regression) {
      std::ranges::copy(outputs.span(), outputs_.row(rows.first).data());
      return;
    }
    for (Index row = 0; row < rows.count; ++row)
      block.right += is_right<T>(outputs.row(row), data.labels[static_cast<std::size_t>(rows.first + row)]);
  });
  Evaluation result;
  Index right = 0;
  for (Index i = 0; i < blocks; ++i) {
    result.loss += blocks_[static_cast<std::size_t>(i)]->loss;
    right += blocks_[static_cast<std::size_t>(i)]->right;
  }
  if (is_regression) {
    RegressionScores scores = regression_scores<T>(outputs_, data.targets);
    result.accuracy = 100 * scores.mean_r_squared();
    result.rmse = std::move(scores.rmse);
  } else {
    result.accuracy = 100 * static_cast<double>(right) / static_cast<double>(n);
  }
  return result;
}

template Matrix<float> outputs_at(const Mlp<float>&, ConstView<float>, int);
template Matrix<double> outputs_at(const Mlp<double>&, ConstView<double>, int);
template std::vector<std::int32_t> classes_at(const Mlp<float>&, ConstView<float>, int);
template std::vector<std::int32_t> classes_at(const Mlp<double>&, ConstView<double>, int);
template void check_labelled(const char*, const Mlp<float>&, Loss, const Batch<float>&);
template void check_labelled(const char*, const Mlp<double>&, Loss, const Batch<double>&);
template class Evaluator<float>;
template class Evaluator<double>;

}  // namespace normalign
