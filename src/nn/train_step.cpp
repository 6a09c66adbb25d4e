#include "nn/train_step.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

// A tape, and the losses of the row block that is on it now. Aligned, so that two threads' share no cache line.
template <class T>
struct alignas(64) TrainStep<T>::Recorder {
  // Declared before the Vars, which are gone first.
  Tape<T> tape;
  MlpOnTape<T> net;
  std::vector<Matrix<T>> directions;
  std::vector<Var<T>> direction_vars;
  Var<T> task_loss, norm, offset;  // 1x1 each, sums over the block divided by the batch's rows; empty when off
  Index peak_bytes = 0, recorded_bytes = 0;

  void clear() {
    for (Var<T>& v : direction_vars) v = {};
    task_loss = norm = offset = {};
    tape.clear();
  }
};

// What is left of a row block once its tape has gone on to the next.
template <class T>
struct alignas(64) TrainStep<T>::Block {
  double task_loss = 0, norm = 0, offset = 0;
  std::vector<Var<T>> gradients;
};

// A part of one parameter: the unit of work of the update, small enough to stay in the nearest cache.
template <class T>
struct TrainStep<T>::Stretch {
  std::size_t parameter;
  Index first;
  Index count;
};

namespace {
constexpr Index stretch_values = 2048;
// With fewer gradient values in all blocks together the update stays on one thread, in whose cache they are.
constexpr Index two_threads_values = 100'000;
constexpr Index gradient_copies_limit = Index{64} << 20;  // bytes

// Makes `parts` hold at least `count` of them.
template <class Part>
void grow(std::vector<std::unique_ptr<Part>>& parts, Index count) {
  while (static_cast<Index>(parts.size()) < count) parts.push_back(std::make_unique<Part>());
}

template <class T>
double item_or_zero(const Var<T>& var) {
  return var ? static_cast<double>(var.item()) : 0.0;
}
}  // namespace

template <class T>
TrainStep<T>::TrainStep(Mlp<T>& mlp, Optimizer<T>& optimizer, std::vector<GradientFilter<T>*> filters,
                        const TrainStepOptions& options)
    : mlp_(mlp), optimizer_(optimizer), filters_(std::move(filters)), options_(options), parameters_(mlp.parameters()) {
  check(options.grokalign);
  check_threads("TrainStep", options.threads);
  if (!(options.gradient_clip >= 0))
    throw InputError(text("TrainStep: gradient_clip is ", options.gradient_clip, "; it must not be negative"));
  optimizer_.start(parameters_);
  for (GradientFilter<T>* filter : filters_) filter->start(parameters_);
  // A thread's share is a part of every parameter, where it is the one that has computed most of the gradient's rows.
  for (Index t = 0; t < options.threads; ++t)
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      const Index size = parameters_[p].size();
      const RowBlock mine = row_block((size + stretch_values - 1) / stretch_values, options.threads, t);
      for (Index i = mine.first; i < mine.first + mine.count; ++i)
        stretches_.push_back({p, i * stretch_values, std::min(stretch_values, size - i * stretch_values)});
    }
  if (!filters_.empty() || options.gradient_clip > 0) keep_gradients();
}

template <class T>
TrainStep<T>::~TrainStep() = default;

template <class T>
void TrainStep<T>::keep_gradients() {
  if (!gradients_.empty()) return;
  for (const MatrixView<T>& p : parameters_) gradients_.emplace_back(p.rows(), p.cols());
}

template <class T>
Index TrainStep<T>::blocks_for(Index rows) const {
  if (rows <= rows_per_block) return 1;
  const Index blocks = block_count(rows);
  const Index bytes = blocks * mlp_.parameter_count() * static_cast<Index>(sizeof(T));
  return bytes > gradient_copies_limit ? 1 : blocks;
}

template <class T>
void TrainStep<T>::check_batch(const Batch<T>& batch) const {
  const Index n = batch.inputs.rows(), k = mlp_.options().widths.back();
  if (n < 1) throw InputError(text("TrainStep: inputs are ", batch.inputs.shape(), "; there must be a row"));
  if (options_.loss == Loss::cross_entropy) {
    if (static_cast<Index>(batch.labels.size()) != n)
      throw InputError(text("TrainStep: inputs are ", batch.inputs.shape(), " but there are ", batch.labels.size(),
                            " labels; there must be one per row"));
  } else if (batch.targets.shape() != Shape{n, k}) {
    throw InputError(text("TrainStep: targets are ", batch.targets.shape(), "; they must be ", Shape{n, k}));
  }
  if (options_.grokalign.lambda > 0 && static_cast<Index>(batch.samples.size()) != n)
    throw InputError(text("TrainStep: inputs are ", batch.inputs.shape(), " but there are ", batch.samples.size(),
                          " sample numbers; there must be one per row"));
}

// The losses of one row block, on a tape.
template <class T>
void TrainStep<T>::record(Recorder& recorder, Block& block, const Batch<T>& batch, RowBlock rows, std::uint32_t step) {
  const GrokAlignOptions& penalty = options_.grokalign;
  const Index n = batch.inputs.rows(), k = mlp_.options().widths.back();
  const double samples = static_cast<double>(n);
  const auto first = static_cast<std::size_t>(rows.first), count = static_cast<std::size_t>(rows.count);
  const bool penalised = penalty.lambda > 0;
  Tape<T>& tape = recorder.tape;
  recorder.clear();
  const Index bytes_before = tape.bytes();  // gradients of other blocks
  recorder.net.bind(mlp_, tape);
  const ConstView<T> inputs = batch.inputs.row_block(rows.first, rows.count);
  const Var<T> x = penalised ? tape.borrowed_variable(inputs) : tape.borrowed_constant(inputs);
  const Var<T> f = recorder.net(x);
  Var<T> target = options_.loss == Loss::cross_entropy
                      ? tape.labels(batch.labels.subspan(first, count))
                      : tape.borrowed_constant(batch.targets.row_block(rows.first, rows.count));
  Var<T> scaled = options_.output_scale == 1 ? f : options_.output_scale * f;
  recorder.task_loss =
      task_loss(options_.loss, std::move(scaled), std::move(target), n, options_.cross_entropy_gradient);
  if (penalised && penalty.jacobian) {
    const Index directions = direction_count(penalty, k);
    recorder.directions.resize(static_cast<std::size_t>(directions));
    recorder.direction_vars.resize(recorder.directions.size());
    for (Index m = 0; m < directions; ++m) {
      Matrix<T>& v = recorder.directions[static_cast<std::size_t>(m)];
      v.resize(rows.count, k);
      fill_directions(penalty, m, v.view(), batch.samples.subspan(first, count), options_.seed, step);
      recorder.direction_vars[static_cast<std::size_t>(m)] = tape.borrowed_constant(v);
    }
    recorder.norm = sum(jacobian_norms(x, f, std::span<const Var<T>>(recorder.direction_vars))) / samples;
  }
  if (penalised && penalty.offset && !recorder.net.has_no_offset())
    recorder.offset = sum(square(recorder.net.offset(x, f))) / samples;
  recorder.recorded_bytes = std::max(recorder.recorded_bytes, tape.bytes() - bytes_before);
  block.task_loss = item_or_zero(recorder.task_loss);
  block.norm = item_or_zero(recorder.norm);
  block.offset = item_or_zero(recorder.offset);
}

// The gradients of the recorded block's part of the loss; the Jacobian norm counts with `norm_weight`.
template <class T>
void TrainStep<T>::sweep(Recorder& recorder, Block& block, double norm_weight) {
  Var<T> loss = recorder.task_loss;
  if (recorder.norm) loss = std::move(loss) + norm_weight * recorder.norm;
  if (recorder.offset) loss = std::move(loss) + options_.grokalign.lambda * recorder.offset;
  block.gradients.resize(parameters_.size());
  grad(loss, recorder.net.parameters(), std::span<Var<T>>(block.gradients));
  recorder.peak_bytes = std::max(recorder.peak_bytes, recorder.tape.peak_bytes());
}

template <class T>
StepResult TrainStep<T>::operator()(const Batch<T>& batch, std::uint32_t step) {
  check_batch(batch);
  const GrokAlignOptions& penalty = options_.grokalign;
  const Index n = batch.inputs.rows();
  active_blocks_ = blocks_for(n);
  // A level's slope is known only when every block has been recorded, so each stays on a tape of its own. Else a thread
  // takes its blocks one after the other on one tape, whose memory is then still in its cache.
  const Index recorders = penalty.level ? active_blocks_ : std::min<Index>(options_.threads, active_blocks_);
  grow(blocks_, active_blocks_);
  grow(recorders_, recorders);
  // Here, as another thread's tape may hold them.
  for (const auto& block : blocks_)
    for (Var<T>& gradient : block->gradients) gradient = {};
  for (const auto& recorder : recorders_) recorder->peak_bytes = recorder->recorded_bytes = 0;
  const auto block = [&](Index i) -> Block& { return *blocks_[static_cast<std::size_t>(i)]; };
  const auto recorder = [&](Index i) -> Recorder& { return *recorders_[static_cast<std::size_t>(i)]; };
  const auto record_block = [&](Index r, Index i) {
    record(recorder(r), block(i), batch, row_block(n, active_blocks_, i), step);
  };

  StepResult result;
  const auto add_up = [&] {
    for (Index i = 0; i < active_blocks_; ++i) {
      result.task_loss += block(i).task_loss;
      result.jacobian_norm += block(i).norm;
      result.offset_norm += block(i).offset;
    }
  };
  if (penalty.level) {
    parallel_for(options_.threads, active_blocks_, failures_, [&](Index i) { record_block(i, i); });
    add_up();
    const double above = result.jacobian_norm - *penalty.level;
    const double weight = penalty.lambda * (above > 0 ? 1 : above < 0 ? -1 : 0);
    parallel_for(options_.threads, active_blocks_, failures_, [&](Index i) { sweep(recorder(i), block(i), weight); });
  } else {
    parallel_for(options_.threads, recorders, failures_, [&](Index r) {
      const RowBlock mine = row_block(active_blocks_, recorders, r);
      for (Index i = mine.first; i < mine.first + mine.count; ++i) {
        record_block(r, i);
        sweep(recorder(r), block(i), penalty.lambda);
      }
    });
    add_up();
  }
  const double norm_term =
      penalty.level && penalty.jacobian ? std::abs(result.jacobian_norm - *penalty.level) : result.jacobian_norm;
  result.total = result.task_loss + penalty.lambda * (norm_term + result.offset_norm);
  update();
  return result;
}

// Scales all gradients down so that together they are no longer than the clip.
template <class T>
void TrainStep<T>::clip() {
  double squares = 0;
  for (const Matrix<T>& g : gradients_) squares += dot(g.span(), g.span());
  const double length = std::sqrt(squares);
  if (!(length > options_.gradient_clip)) return;
  const T scale = static_cast<T>(options_.gradient_clip / length);
  for (Matrix<T>& g : gradients_)
    for (T& value : g.span()) value *= scale;
}

// Adds the blocks' gradients in block order and updates the parameters, a stretch at a time in one pass; filters,
// which look at whole parameters, take a pass of their own.
template <class T>
void TrainStep<T>::update() {
  optimizer_.begin_step();
  const auto stretches = static_cast<Index>(stretches_.size());
  const bool whole = !gradients_.empty(), at_once = filters_.empty() && options_.gradient_clip == 0;
  const int threads = active_blocks_ * mlp_.parameter_count() < two_threads_values ? 1 : options_.threads;
  const auto summed = [&](const Stretch& s, T* out) -> const T* {
    const auto of_block = [&](Index b) {
      return blocks_[static_cast<std::size_t>(b)]->gradients[s.parameter].value().data() + s.first;
    };
    const T* first = of_block(0);
    if (active_blocks_ == 1) return whole ? std::copy_n(first, s.count, out) - s.count : first;
    const T* second = of_block(1);
#pragma omp simd
    for (Index i = 0; i < s.count; ++i) out[i] = first[i] + second[i];
    for (Index b = 2; b < active_blocks_; ++b) {
      const T* g = of_block(b);
#pragma omp simd
      for (Index i = 0; i < s.count; ++i) out[i] += g[i];
    }
    return out;
  };
  const auto updated = [&](const Stretch& s, const T* gradient) {
    const auto count = static_cast<std::size_t>(s.count);
    optimizer_.update(s.parameter, s.first, {parameters_[s.parameter].data() + s.first, count}, {gradient, count});
  };
  const auto kept = [&](const Stretch& s) { return gradients_[s.parameter].data() + s.first; };
  parallel_for(threads, stretches, failures_, [&](Index i) {
    const Stretch& s = stretches_[static_cast<std::size_t>(i)];
    T local[stretch_values];
    const T* gradient = summed(s, whole ? kept(s) : local);
    if (at_once) updated(s, gradient);
  });
  if (at_once) return;
  if (options_.gradient_clip > 0) clip();
  for (std::size_t p = 0; p < parameters_.size(); ++p)
    for (GradientFilter<T>* filter : filters_) filter->apply(p, parameters_[p], gradients_[p]);
  parallel_for(threads, stretches, failures_, [&](Index i) {
    const Stretch& s = stretches_[static_cast<std::size_t>(i)];
    updated(s, kept(s));
  });
}

template <class T>
Index TrainStep<T>::tape_bytes() const {
  Index bytes = 0;
  for (const auto& recorder : recorders_) bytes += recorder->peak_bytes;
  return bytes;
}

template <class T>
Index TrainStep<T>::recorded_bytes() const {
  Index bytes = 0;
  for (const auto& recorder : recorders_) bytes += recorder->recorded_bytes;
  return bytes;
}

template class TrainStep<float>;
template class TrainStep<double>;

}  // namespace normalign
