// The tape and the values on it: what a user of the autodiff folder includes first.
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "linalg/matrix.hpp"

namespace normalign {

template <class T>
class Graph;
enum class Recording;

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
 public:
  /// No value; assigning is the only thing to do with it.
  Var() = default;
  Var(const Var& other);
  Var(Var&& other) noexcept
      : graph_(std::exchange(other.graph_, nullptr)), index_(other.index_), generation_(other.generation_) {}
  Var& operator=(Var other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(index_, other.index_);
    std::swap(generation_, other.generation_);
    return *this;
  }
  ~Var() {
    if (graph_) release();
  }

  /// Whether there is a value at all.
  explicit operator bool() const { return graph_ != nullptr; }
  /// The value; valid while this Var lives and the tape is not cleared. Throws InputError on a stale Var.
  ConstView<T> value() const;
  /// The only value of a 1x1 Var. Throws InputError on another shape.
  T item() const;
  Shape shape() const;
  Index rows() const { return shape().rows; }
  Index cols() const { return shape().cols; }
  /// Whether derivatives with respect to some variable can flow through it.
  bool depends() const;

 private:
  friend class Graph<T>;
  void release() noexcept;
  Var(Graph<T>* graph, std::uint32_t index, std::uint32_t generation)
      : graph_(graph), index_(index), generation_(generation) {}

  Graph<T>* graph_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t generation_ = 0;  // 0: an unrecorded value, index_ counts loose values
};

/// Records operations so that derivatives can be taken; owns the memory of every value on it.
///
/// Clearing keeps the memory, so a loop that records the same graph again allocates nothing.
template <class T>
class Tape {
 public:
  Tape();
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// A leaf that derivatives are taken with respect to; the values are copied.
  Var<T> variable(ConstView<T> value);
  /// The same without a copy: `value` must not change or go away before the tape is cleared.
  Var<T> borrowed_variable(ConstView<T> value);
  /// A leaf without derivatives; the values are copied.
  Var<T> constant(ConstView<T> value);
  /// The same without a copy: `value` must not change or go away before the tape is cleared.
  Var<T> borrowed_constant(ConstView<T> value);
  /// A constant filled with one number. Throws InputError on a negative extent.
  Var<T> full(Shape shape, double fill);
  /// Class labels as a constant n x 1 column of whole numbers. Throws InputError on one that T does not tell from its
  /// neighbours: of size 2^24 or more in float.
  Var<T> labels(std::span<const std::int32_t> labels);

  /// Forgets every recorded node; recorded Vars become stale, memory stays for the next round.
  void clear();

  /// Recorded nodes.
  Index nodes() const;
  /// Blocks of memory in use by values, recorded or not.
  Index buffers() const;
  /// Bytes in use by values, recorded or not, as the pool rounds them.
  Index bytes() const;
  /// Bytes in use by values at the highest point since the tape was made or last cleared.
  Index peak_bytes() const;

 private:
  template <class U>
  friend class WithoutRecording;
  Graph<T>* graph_;  // shared with the Vars, the last of which deletes it
};

/// A scope in which a tape does not record, so that every result is a constant; recording is as before at its end,
/// exceptions included.
template <class T>
class WithoutRecording {
 public:
  /// Recording of `tape` is off from here on.
  explicit WithoutRecording(Tape<T>& tape);
  ~WithoutRecording();
  WithoutRecording(const WithoutRecording&) = delete;
  WithoutRecording& operator=(const WithoutRecording&) = delete;

 private:
  Graph<T>* graph_;
  Recording before_;
};

/// The value of x as a constant: derivatives do not flow through it, and nobody asks for them. No copy is made.
template <class T>
Var<T> detached(const Var<T>& x);

}  // namespace normalign
