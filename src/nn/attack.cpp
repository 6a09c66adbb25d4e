#include "nn/attack.hpp"

#include <algorithm>

#include "autodiff/grad.hpp"

namespace normalign {

template <class T>
struct alignas(64) Attack<T>::Block {
  Tape<T> tape;
  MlpOnTape<T> net;
};

template <class T>
Attack<T>::Attack(const Mlp<T>& mlp, Loss loss, const PgdOptions& options, int threads)
    : mlp_(mlp), loss_(loss), options_(options), threads_(threads), evaluate_(mlp, loss, threads) {
  check(options);
}

template <class T>
Attack<T>::~Attack() = default;

template <class T>
ConstView<T> Attack<T>::inputs(const Batch<T>& data) {
  check_labelled("Attack", mlp_, loss_, data);
  const Index n = data.inputs.rows();
  const std::span<const Index> samples = sample_numbers("Attack", data, counted_samples_);
  inputs_.resize(n, data.inputs.cols());
  const Index blocks = block_count(n);
  const StopPoll stop("attack", options_.stop);
  PgdOptions of_block = options_;
  of_block.stop = stop.inner();
  while (static_cast<Index>(blocks_.size()) < blocks) blocks_.push_back(std::make_unique<Block>());
  parallel_for(threads_, blocks, failures_, [&](Index i) {
    Block& block = *blocks_[static_cast<std::size_t>(i)];
    const RowBlock rows = row_block(n, blocks, i);
    const auto gradient = [&](ConstView<T> points, MatrixView<T> out) {
      block.tape.clear();
      block.net.bind(mlp_, block.tape);
      const Var<T> x = block.tape.borrowed_variable(points);
      const Var<T> f = block.net(x);
      // A sum over rows, so that a row's gradient knows nothing of how many there are and does not underflow for it.
      const Var<T> g = grad(task_loss(loss_, f, target_on(block.tape, data, loss_, rows), 1), x);
      std::ranges::copy(g.value().span(), out.span().begin());
    };
    const Matrix<T> attacked =
        pgd<T>(data.inputs.row_block(rows.first, rows.count), of_block, gradient,
               samples.subspan(static_cast<std::size_t>(rows.first), static_cast<std::size_t>(rows.count)));
    std::ranges::copy(attacked.span(), inputs_.view().row_block(rows.first, rows.count).span().begin());
  });
  return inputs_;
}

template <class T>
Evaluation Attack<T>::operator()(const Batch<T>& data) {
  Batch<T> attacked = data;
  attacked.inputs = inputs(data);
  return evaluate_(attacked);
}

template <class T>
std::vector<ClassAttackResult<T>> class_attacks(const Mlp<T>& mlp, const Batch<T>& data, std::span<const double> radii,
                                                const ClassAttackOptions& options, int threads) {
  check_threads("Attack", threads);
  const Index n = data.inputs.rows(), d = data.inputs.cols(), blocks = block_count(n);
  if (n < 1 || static_cast<Index>(data.labels.size()) != n)
    throw InputError(text("Attack: inputs are ", data.inputs.shape(), " and there are ", data.labels.size(),
                          " labels; there must be a row and one label per row"));
  std::vector<Index> counted;
  const std::span<const Index> samples = sample_numbers("Attack", data, counted);
  std::vector<ClassAttackResult<T>> results(
      radii.size(), {.points = Matrix<T>(n, d), .is_fooled = std::vector<std::uint8_t>(static_cast<std::size_t>(n))});
  const StopPoll stop("attack", options.stop);
  ClassAttackOptions of_block = options;
  of_block.stop = stop.inner();
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index i) {
    const auto [first, count] = row_block(n, blocks, i);
    const auto start = static_cast<std::size_t>(first), size = static_cast<std::size_t>(count);
    Tape<T> tape;
    MlpOnTape<T> net;
    Matrix<T> cotangents;
    const auto pull_back = [&](ConstView<T> points, const OutputCotangents<T>& at_outputs, MatrixView<T> out) {
      tape.clear();
      net.bind(mlp, tape);
      const Var<T> x = tape.borrowed_variable(points);
      const Var<T> f = net(x);
      cotangents = Matrix<T>(f.value());
      at_outputs(0, cotangents);
      const Var<T> g = grad(f, x, {.seed = tape.borrowed_constant(cotangents)});
      std::ranges::copy(g.value().span(), out.span().begin());
    };
    const auto found = class_attacks<T>(data.inputs.row_block(first, count), data.labels.subspan(start, size), radii,
                                        of_block, pull_back, samples.subspan(start, size));
    for (std::size_t r = 0; r < found.size(); ++r) {
      std::ranges::copy(found[r].points.span(), results[r].points.view().row_block(first, count).span().begin());
      std::ranges::copy(found[r].is_fooled, results[r].is_fooled.begin() + first);
    }
  });
  return results;
}

#define NORMALIGN_INSTANTIATE(T)                                                                                    \
  template class Attack<T>;                                                                                         \
  template std::vector<ClassAttackResult<T>> class_attacks(const Mlp<T>&, const Batch<T>&, std::span<const double>, \
                                                           const ClassAttackOptions&, int);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
