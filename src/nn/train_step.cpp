#include "nn/train_step.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "base/clock.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

// The drawn rows that are on a row block's tape, for a penalty on a share of the samples.
template <class T>
struct TrainStep<T>::DrawnRows {
  Matrix<T> inputs;
  std::vector<Index> samples;
};

// A tape, and the losses of the row block that is on it. Aligned, so that two threads' share no cache line.
template <class T>
struct alignas(64) TrainStep<T>::Recorder {
  // Declared before the Vars, which are gone first.
  Tape<T> tape;
  MlpOnTape<T> net, net_on_drawn;
  std::vector<PenaltyMemory<T>> memory;  // one for each penalty
  std::vector<DrawnRows> drawn;          // the same
  Var<T> task_loss;                      // 1x1, the block's share of the batch's
  std::vector<Var<T>> terms;             // the same of each penalty's term, empty where zero
  Index peak_bytes = 0, recorded_bytes = 0;

  void clear() {
    for (PenaltyMemory<T>& kept : memory) std::ranges::fill(kept.vars, Var<T>());
    std::ranges::fill(terms, Var<T>());
    task_loss = {};
    tape.clear();
  }
};

// What is left of a row block once its tape has gone on to the next.
template <class T>
struct alignas(64) TrainStep<T>::Block {
  double task_loss = 0;
  std::vector<double> terms;
  std::vector<Var<T>> gradients;
};

// A penalty that is on, which of all terms are its own, and the rows on which the step at hand finds them.
template <class T>
struct TrainStep<T>::PenaltyTerms {
  const Penalty<T>* penalty;
  std::size_t first;
  std::size_t count;
  SampleShare drawn{};

  template <class Value>
  std::span<Value> of(std::vector<Value>& all) const {
    return std::span(all).subspan(first, count);
  }
};

// A part of one parameter: the unit of work of the update, small enough to stay in the nearest cache.
template <class T>
struct TrainStep<T>::Stretch {
  std::size_t parameter;
  Index first;
  std::size_t count;

  template <class Value>
  std::span<Value> of(std::span<Value> parameter_values) const {
    return parameter_values.subspan(static_cast<std::size_t>(first), count);
  }
};

namespace {
constexpr Index stretch_values = 2048;
// With fewer gradient values in all blocks together the update stays on one thread, in whose cache they are.
constexpr Index two_threads_values = 100'000;
constexpr Index gradient_copies_limit = Index{64} << 20;  // bytes

int valid_threads(int threads) {
  check_threads("TrainStep", threads);
  return threads;
}

// Makes `parts` hold at least `count` of them.
template <class Part>
void grow(std::vector<std::unique_ptr<Part>>& parts, Index count) {
  while (static_cast<Index>(parts.size()) < count) parts.push_back(std::make_unique<Part>());
}
}  // namespace

template <class T>
TrainStep<T>::TrainStep(Mlp<T>& mlp, Optimizer<T>& optimizer, TrainStepOptions<T> options)
    : mlp_(mlp),
      optimizer_(optimizer),
      options_(std::move(options)),
      threads_(valid_threads(options_.threads), omp_get_num_procs()),
      parameters_(mlp.parameters()) {
  if (!(options_.gradient_clip >= 0))
    throw InputError(text("TrainStep: gradient_clip is ", options_.gradient_clip, "; it must not be negative"));
  add_penalties();
  cut_into_stretches();
  optimizer_.start(parameters_);
  for (GradientFilter<T>* filter : options_.filters) filter->start(parameters_);
  if (!options_.filters.empty() || options_.gradient_clip > 0) keep_gradients();
}

template <class T>
TrainStep<T>::~TrainStep() = default;

template <class T>
void TrainStep<T>::add_penalties() {
  for (const Penalty<T>* penalty : options_.penalties) {
    const std::vector<PenaltyTerm> terms = penalty->terms();
    if (terms.empty()) continue;
    check_share("TrainStep", penalty->share());
    penalties_.push_back({penalty, term_names_.size(), terms.size()});
    is_linear_ = is_linear_ && penalty->is_linear();
    for (const PenaltyTerm& term : terms) {
      if (std::ranges::count(term_names_, term.name))
        throw InputError(text("TrainStep: two terms of penalties have the name ", term.name, "; each needs its own"));
      term_names_.push_back(term.name);
      weights_.push_back(term.weight);
    }
  }
  slopes_ = weights_;
  terms_.resize(weights_.size());
}

template <class T>
void TrainStep<T>::cut_into_stretches() {
  // A thread's share is a part of every parameter, where it is the one that has computed most of the gradient's rows.
  for (Index t = 0; t < options_.threads; ++t)
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      const Index size = parameters_[p].size();
      const RowBlock mine = row_block((size + stretch_values - 1) / stretch_values, options_.threads, t);
      for (Index first = mine.first * stretch_values; first < (mine.first + mine.count) * stretch_values;
           first += stretch_values)
        stretches_.push_back({p, first, static_cast<std::size_t>(std::min(stretch_values, size - first))});
    }
}

template <class T>
void TrainStep<T>::keep_gradients() {
  if (!gradients_.empty()) return;
  for (const MatrixView<T>& p : parameters_) gradients_.emplace_back(p.rows(), p.cols());
}

template <class T>
Index TrainStep<T>::blocks_for(Index rows) const {
  if (rows <= rows_per_block) return 1;
  const Index copy_bytes = std::max<Index>(mlp_.parameter_count(), 1) * static_cast<Index>(sizeof(T));
  const Index blocks = std::min(block_count(rows), gradient_copies_limit / copy_bytes);
  return blocks < 2 ? 1 : blocks - blocks % 2;  // two threads have the same number
}

// The losses of row block `index`, on a tape.
template <class T>
void TrainStep<T>::record(Recorder& recorder, Block& block, const Batch<T>& batch, Index index, std::uint32_t step) {
  const Index n = batch.inputs.rows();
  const RowBlock rows = row_block(n, active_blocks_, index);
  Tape<T>& tape = recorder.tape;
  recorder.clear();
  const Index bytes_before = tape.bytes();  // gradients of other blocks
  recorder.net.bind(mlp_, tape);
  const ConstView<T> inputs = batch.inputs.row_block(rows.first, rows.count);
  const bool is_penalised =
      std::ranges::any_of(penalties_, [](const PenaltyTerms& p) { return p.drawn.is_whole && p.drawn.count > 0; });
  const Var<T> x = is_penalised ? tape.borrowed_variable(inputs) : tape.borrowed_constant(inputs);
  const Var<T> f = recorder.net(x);
  Var<T> scaled = options_.output_scale == 1 ? f : options_.output_scale * f;
  recorder.task_loss = task_loss(options_.loss, std::move(scaled), target_on(tape, batch, options_.loss, rows), n,
                                 options_.cross_entropy_gradient);
  recorder.terms.resize(terms_.size());
  recorder.memory.resize(penalties_.size());
  recorder.drawn.resize(penalties_.size());
  const auto samples = samples_.subspan(static_cast<std::size_t>(rows.first), static_cast<std::size_t>(rows.count));
  for (std::size_t p = 0; p < penalties_.size(); ++p) {
    const PenaltyTerms& terms = penalties_[p];
    const PenaltyBlock<T> whole{.tape = tape,
                                .net = recorder.net,
                                .x = x,
                                .f = f,
                                .task_loss = recorder.task_loss,
                                .batch_rows = n,
                                .samples = samples,
                                .seed = options_.seed,
                                .step = step,
                                .memory = recorder.memory[p]};
    if (!terms.drawn.is_whole)
      record_drawn(p, recorder, whole, batch, drawn_rows_of(terms.drawn, index));
    else if (terms.drawn.count > 0)
      terms.penalty->record(whole, terms.of(recorder.terms));
  }
  recorder.recorded_bytes = std::max(recorder.recorded_bytes, tape.bytes() - bytes_before);
  block.task_loss = static_cast<double>(recorder.task_loss.item());
  block.terms.resize(terms_.size());
  for (std::size_t i = 0; i < terms_.size(); ++i)
    block.terms[i] = recorder.terms[i] ? static_cast<double>(recorder.terms[i].item()) : 0.0;
}

// Those of the drawn rows that go on the tape of row block `index`: few to a tape make thin products, so neighbours
// share one of the blocks, wherever in the batch they are.
template <class T>
std::span<const Index> TrainStep<T>::drawn_rows_of(const SampleShare& drawn, Index index) const {
  constexpr Index rows_together = 48;
  const Index groups = std::clamp<Index>(drawn.count / rows_together, 1, active_blocks_);
  const Index group = index * groups / active_blocks_;
  const bool is_last_of_group = (index + 1) * groups / active_blocks_ > group;
  if (!is_last_of_group) return {};
  const auto [first, count] = row_block(drawn.count, groups, group);
  return std::span(drawn.rows).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

// Penalty p on drawn rows of the batch; `whole` is the row block whose tape they go on.
template <class T>
void TrainStep<T>::record_drawn(std::size_t p, Recorder& recorder, PenaltyBlock<T> whole, const Batch<T>& batch,
                                std::span<const Index> rows) {
  if (rows.empty()) return;
  const PenaltyTerms& terms = penalties_[p];
  auto& [drawn_inputs, samples] = recorder.drawn[p];
  drawn_inputs.resize(static_cast<Index>(rows.size()), batch.inputs.cols());
  samples.clear();
  for (const Index row : rows) {
    std::ranges::copy(batch.inputs.row(row), drawn_inputs.row(static_cast<Index>(samples.size())).begin());
    samples.push_back(samples_[static_cast<std::size_t>(row)]);
  }
  // Other activations, the same parameters.
  recorder.net_on_drawn = recorder.net;
  const Var<T> x = whole.tape.borrowed_variable(drawn_inputs);
  const Var<T> f = recorder.net_on_drawn(x);
  terms.penalty->record({.tape = whole.tape,
                         .net = recorder.net_on_drawn,
                         .x = x,
                         .f = f,
                         .task_loss = whole.task_loss,
                         .batch_rows = terms.drawn.count,
                         .samples = samples,
                         .seed = whole.seed,
                         .step = whole.step,
                         .memory = whole.memory},
                        terms.of(recorder.terms));
}

// The gradients of the recorded block's share of the loss.
template <class T>
void TrainStep<T>::sweep(Recorder& recorder, Block& block) {
  Var<T> loss = recorder.task_loss;
  for (std::size_t i = 0; i < slopes_.size(); ++i)
    if (recorder.terms[i]) loss = std::move(loss) + slopes_[i] * recorder.terms[i];
  block.gradients.resize(parameters_.size());
  grad(loss, recorder.net.parameters(), std::span<Var<T>>(block.gradients));
  recorder.peak_bytes = std::max(recorder.peak_bytes, recorder.tape.peak_bytes());
}

// What the penalties add to the loss at the terms as they are; sets the slopes.
template <class T>
double TrainStep<T>::penalty() {
  slopes_ = weights_;
  double sum = 0;
  for (const PenaltyTerms& p : penalties_) {
    sum += p.drawn.weight * p.penalty->value(p.of(terms_), p.of(slopes_));
    for (double& slope : p.of(slopes_)) slope *= p.drawn.weight;
  }
  return sum;
}

// The result of a step whose blocks are recorded.
template <class T>
StepResult TrainStep<T>::summed_up() {
  StepResult result{.terms = terms_};
  std::ranges::fill(terms_, 0.0);
  for (Index b = 0; b < active_blocks_; ++b) {
    const Block& block = *blocks_[static_cast<std::size_t>(b)];
    result.task_loss += block.task_loss;
    for (std::size_t i = 0; i < terms_.size(); ++i) terms_[i] += block.terms[i];
  }
  result.total = result.task_loss + penalty();
  for (const PenaltyTerms& p : penalties_)
    for (double& term : p.of(terms_)) term *= p.drawn.weight;
  return result;
}

template <class T>
StepResult TrainStep<T>::operator()(const Batch<T>& batch, std::uint32_t step) {
  check_batch("TrainStep", batch, options_.loss, mlp_.options().widths.back());
  samples_ = sample_numbers("TrainStep", batch, counted_samples_);
  const auto start = Clock::now();
  const Index n = batch.inputs.rows();
  active_blocks_ = blocks_for(n);
  for (PenaltyTerms& p : penalties_) draw_share(p.penalty->share(), n, options_.seed, step, p.drawn);
  // Slopes that depend on the terms are known only when every block has been recorded, so each stays on a tape of its
  // own. Else a thread takes its blocks one after the other on one tape, whose memory is then still in its cache.
  const Index recorders = is_linear_ ? std::min<Index>(threads_.threads(), active_blocks_) : active_blocks_;
  grow(blocks_, active_blocks_);
  grow(recorders_, recorders);
  // Here, as another thread's tape may hold them.
  for (const auto& block : blocks_) std::ranges::fill(block->gradients, Var<T>());
  for (const auto& recorder : recorders_) recorder->peak_bytes = recorder->recorded_bytes = 0;
  const auto block = [&](Index i) -> Block& { return *blocks_[static_cast<std::size_t>(i)]; };
  const auto recorder = [&](Index i) -> Recorder& { return *recorders_[static_cast<std::size_t>(i)]; };
  const auto record_block = [&](Index r, Index i) { record(recorder(r), block(i), batch, i, step); };

  StepResult result;
  if (is_linear_) {
    penalty();  // the slopes are the same at any terms
    parallel_for(threads_.threads(), recorders, failures_, [&](Index r) {
      const RowBlock mine = row_block(active_blocks_, recorders, r);
      for (Index i = mine.first; i < mine.first + mine.count; ++i) {
        record_block(r, i);
        sweep(recorder(r), block(i));
      }
    });
    result = summed_up();
  } else {
    parallel_for(threads_.threads(), active_blocks_, failures_, [&](Index i) { record_block(i, i); });
    result = summed_up();
    parallel_for(threads_.threads(), active_blocks_, failures_, [&](Index i) { sweep(recorder(i), block(i)); });
  }
  update();
  threads_.took(seconds_since(start));
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

// The gradient of a stretch: the blocks' gradients added in their order, in `sum` where there are several.
template <class T>
std::span<const T> TrainStep<T>::summed(const Stretch& stretch, std::span<T> sum) const {
  const auto of_block = [&](Index b) {
    return stretch.of(blocks_[static_cast<std::size_t>(b)]->gradients[stretch.parameter].value().span());
  };
  if (active_blocks_ == 1) return of_block(0);
  T* const out = sum.data();
  std::ranges::copy(of_block(0), out);
  for (Index b = 1; b < active_blocks_; ++b) {
    const T* g = of_block(b).data();
#pragma omp simd
    for (std::size_t i = 0; i < stretch.count; ++i) out[i] += g[i];
  }
  return sum.first(stretch.count);
}

// Updates the parameters a stretch at a time: in one pass, unless whole gradients are looked at before the optimizer.
template <class T>
void TrainStep<T>::update() {
  optimizer_.begin_step();
  const int threads = active_blocks_ * mlp_.parameter_count() < two_threads_values ? 1 : threads_.threads();
  const auto for_each_stretch = [&](const auto& body) {
    parallel_for(threads, static_cast<Index>(stretches_.size()), failures_,
                 [&](Index i) { body(stretches_[static_cast<std::size_t>(i)]); });
  };
  const auto take = [&](const Stretch& s, std::span<const T> gradient) {
    optimizer_.update(s.parameter, s.first, s.of(parameters_[s.parameter].span()), gradient);
  };
  if (gradients_.empty())
    return for_each_stretch([&](const Stretch& s) {
      T sum[stretch_values];
      take(s, summed(s, sum));
    });
  for_each_stretch([&](const Stretch& s) {
    T sum[stretch_values];
    std::ranges::copy(summed(s, sum), s.of(gradients_[s.parameter].span()).begin());
  });
  if (options_.gradient_clip > 0) clip();
  for (std::size_t p = 0; p < parameters_.size(); ++p)
    for (GradientFilter<T>* filter : options_.filters) filter->apply(p, parameters_[p], gradients_[p]);
  for_each_stretch([&](const Stretch& s) { take(s, s.of(gradients_[s.parameter].span())); });
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
