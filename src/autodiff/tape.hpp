// The tape and the values on it: what a user of the autodiff folder includes first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "autodiff/graph.hpp"
#include "base/scoped_value.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// A matrix that a tape knows: the handle that every operation takes and returns.
///
/// A recorded Var names a node of its tape. It is good until the tape is cleared or destroyed; any use after
/// that throws. An unrecorded Var (made while recording was off, or independent of every variable) owns its
/// value and lives on. Copies are cheap and share the value. A Var and its tape belong to one thread at a time.
///
/// A derivative that was taken without `create_graph` is unrecorded but no constant: until the tape is cleared it, and
/// what is computed from it, may not be differentiated by the variables on which it depends (see grad).
///
/// Operations take their operands by value: an operand that is moved in, and that nobody else needs, lends its
/// memory to the result.
template <class T>
class Var {
  using Graph = detail::Graph<T>;

 public:
  /// No value; assigning is the only thing to do with it.
  Var() = default;
  Var(const Var& other) : graph_(other.graph_), index_(other.index_), generation_(other.generation_) {
    if (graph_) Graph::retain(*this);
  }
  Var(Var&& other) noexcept
      : graph_(std::exchange(other.graph_, nullptr)), index_(other.index_), generation_(other.generation_) {}
  Var& operator=(Var other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(index_, other.index_);
    std::swap(generation_, other.generation_);
    return *this;
  }
  ~Var() {
    if (graph_) Graph::release(*this);
  }

  /// Whether there is a value at all.
  explicit operator bool() const { return graph_ != nullptr; }
  /// The value; valid while this Var lives and the tape is not cleared. Throws InputError on a stale Var.
  ConstView<T> value() const { return Graph::value(checked("value")).view(); }
  /// The only value of a 1x1 Var. Throws InputError on another shape.
  T item() const {
    if (const Shape shape = value().shape(); shape.size() != 1)
      throw InputError(text("item: the value is ", shape, "; it must be 1x1"));
    return value()(0, 0);
  }
  Shape shape() const { return Graph::value(checked("shape")).shape(); }
  Index rows() const { return shape().rows; }
  Index cols() const { return shape().cols; }
  /// Whether derivatives with respect to some variable can flow through it.
  bool depends() const { return Graph::variables(checked("depends")) != 0; }

 private:
  friend Graph;
  Var(Graph* graph, std::uint32_t index, std::uint32_t generation)
      : graph_(graph), index_(index), generation_(generation) {}
  const Var& checked(const char* caller) const {
    Graph::of(caller, *this);
    return *this;
  }

  Graph* graph_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 0;  // 0: an unrecorded value, index_ counts loose values
};

/// Throws InputError, opened by `name`, when T does not tell the whole number `value` from its neighbours: from 2^24
/// on in float and 2^53 in double, where the next one has the same rounding. `what`, in row `row`, is what it is
/// called.
template <class T>
void check_exact(const char* name, const char* what, Index value, Index row) {
  constexpr Index limit = Index{1} << std::numeric_limits<T>::digits;
  if (value >= limit || value <= -limit)
    throw InputError(text(name, ": ", what, ' ', value, " in row ", row, "; whole numbers from ", limit,
                          " on are not exact in ", sizeof(T) == 4 ? "float, use double" : "double"));
}

/// Records operations so that derivatives can be taken; owns the memory of every value on it.
///
/// Clearing keeps the memory, so a loop that records the same graph again allocates nothing.
template <class T>
class Tape {
  using Graph = detail::Graph<T>;

 public:
  Tape() : graph_(new Graph) {}
  ~Tape() { graph_->tape_gone(); }
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A leaf that derivatives are taken with respect to; the values are copied.
  Var<T> variable(ConstView<T> value) { return graph_->leaf(graph_->copy(value), true); }
  /// The same without a copy: `value` must not change or go away before the tape is cleared.
  Var<T> borrowed_variable(ConstView<T> value) { return graph_->leaf(Graph::borrow(value), true); }
  /// A leaf without derivatives; the values are copied.
  Var<T> constant(ConstView<T> value) { return graph_->leaf(graph_->copy(value), false); }
  /// The same without a copy: `value` must not change or go away before the tape is cleared.
  Var<T> borrowed_constant(ConstView<T> value) { return graph_->leaf(Graph::borrow(value), false); }
  /// A constant filled with one number. Throws InputError on a negative extent.
  Var<T> full(Shape shape, double fill) { return graph_->leaf(graph_->filled(shape, static_cast<T>(fill)), false); }
  /// Class labels as a constant n x 1 column of whole numbers. Throws InputError on one that T does not tell from its
  /// neighbours: of size 2^24 or more in float.
  Var<T> labels(std::span<const std::int32_t> labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) check_exact<T>("labels", "label", labels[i], static_cast<Index>(i));
    const auto value = graph_->allocate({static_cast<Index>(labels.size()), 1});
    std::ranges::transform(labels, value.data, [](std::int32_t label) { return static_cast<T>(label); });
    return graph_->leaf(value, false);
  }

  /// Forgets every recorded node; recorded Vars become stale, memory stays for the next round.
  void clear() { graph_->clear(); }

  /// Recorded nodes.
  Index nodes() const { return static_cast<Index>(graph_->nodes.size()); }
  /// Blocks of memory in use by values, recorded or not.
  Index buffers() const { return static_cast<Index>(graph_->pool.blocks_in_use()); }
  /// Bytes in use by values, recorded or not, as the pool rounds them.
  Index bytes() const { return static_cast<Index>(graph_->pool.bytes_in_use()); }
  /// Bytes in use by values at the highest point since the tape was made or last cleared.
  Index peak_bytes() const { return static_cast<Index>(graph_->pool.peak_bytes()); }

 private:
  friend Graph;
  Graph* graph_;  // shared with the Vars, the last of which deletes it
};

/// A scope in which a tape does not record, so that every result is a constant; recording is as before at its end,
/// exceptions included.
template <class T>
class WithoutRecording {
 public:
  /// Recording of `tape` is off from here on.
  explicit WithoutRecording(Tape<T>& tape) : scope_(detail::Graph<T>::of(tape).recording, detail::Recording::off) {}

 private:
  ScopedValue<detail::Recording> scope_;
};

/// The value of x as a constant: derivatives do not flow through it, and nobody asks for them. No copy is made.
template <class T>
Var<T> detached(const Var<T>& x) {
  return detail::Graph<T>::detached(x);
}

}  // namespace normalign
