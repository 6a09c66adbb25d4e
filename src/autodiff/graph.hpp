// The engine behind Tape and Var: nodes, values and their lifetimes. It knows no operation.
#pragma once

#include <vector>

#include "autodiff/primitive.hpp"
#include "linalg/buffer_pool.hpp"
#include "linalg/huge_pages.hpp"

namespace normalign {

/// The state that a tape and its Vars share.
///
/// Lifetimes: a value is a counted block of the pool, or borrowed. A node keeps its block while a Var names the
/// node or some rule will read the value (`kept`). Values of unrecorded Vars live in slots of their own and
/// survive `clear`. The object lives until its tape and all its Vars are gone.
template <class T>
class Graph {
 public:
  /// The memory of one matrix.
  struct Value {
    T* data = nullptr;
    void* block = nullptr;  ///< null: borrowed, or released
    std::int32_t rows = 0;
    std::int32_t cols = 0;
    Shape shape() const { return {rows, cols}; }
    MatrixView<T> view() const { return {data, rows, cols}; }
  };

  /// One recorded operation or leaf.
  struct Node {
    Value value{};
    const Primitive<T>* primitive = nullptr;  ///< null: a leaf
    std::array<std::uint32_t, 3> inputs{};
    std::uint32_t handles = 0;
    Attribute attribute{};
    bool kept = false;     ///< some rule will read the value
    bool depends = false;  ///< derivatives flow through it
  };

  // ---- Vars
  /// A new leaf, with derivatives or without.
  Var<T> leaf(Value value, bool variable);
  /// An unrecorded Var that owns `value`.
  Var<T> loose(Value value);
  /// A Var that names a node.
  Var<T> handle(std::uint32_t node);
  /// Counts one Var more, or one less, on what `var` names.
  static void retain(const Var<T>& var);
  static void release(const Var<T>& var);
  /// The graph of a Var; throws InputError, opened by `caller`, on an empty or stale one.
  static Graph& of(const char* caller, const Var<T>& var);
  static Value& value(const Var<T>& var);
  static bool is_recorded(const Var<T>& var) { return var.generation_ != 0; }
  static std::uint32_t index(const Var<T>& var) { return var.index_; }
  static bool depends(const Var<T>& var);

  // ---- values
  /// A block of the pool, its values not set; `copy` sets them, `borrow` takes no block.
  Value allocate(Shape shape);
  Value copy(ConstView<T> view);
  static Value borrow(ConstView<T> view);

  // ---- recording
  /// The result of a primitive, recorded where recording is on. Throws InputError, naming the primitive, on a misfit.
  Var<T> apply(const Primitive<T>& primitive, std::span<Var<T>* const> inputs, const Attribute& attribute);
  /// Forgets every node; unrecorded values stay.
  void clear();
  /// Tells that no tape is left: recorded Vars are stale, and the last Var deletes the graph.
  void tape_gone();

  /// Working memory of the sweeps, kept between them.
  struct Scratch {
    LargeVector<Var<T>> derivatives;
    std::vector<std::uint8_t> marks;
  };

  /// What the operations and sweeps work on.
  LargeVector<Node> nodes;
  BufferPool pool;
  Scratch scratch;
  bool recording = true;
  BranchHash* branches = nullptr;  ///< where operations with kinks report, while a gradient check runs

 private:
  struct Slot {
    Value value{};
    std::uint32_t handles = 0;
    std::uint32_t next_free = 0;
  };
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  std::uint32_t add_leaf(Value value, bool depends);
  void release_value(Value& value);
  bool may_take_over(const Var<T>& var, Shape shape) const;

  std::vector<Slot> slots_;
  std::uint32_t free_slot_ = none;
  std::uint32_t generation_ = 1;
  std::uint64_t vars_ = 0;
  bool tape_alive_ = true;
};

/// A scope that sets whether a graph records.
template <class T>
class RecordingScope {
 public:
  /// Sets it until the end of the scope.
  RecordingScope(Graph<T>& graph, bool recording) : graph_(graph), before_(graph.recording) {
    graph.recording = recording;
  }
  ~RecordingScope() { graph_.recording = before_; }
  RecordingScope(const RecordingScope&) = delete;
  RecordingScope& operator=(const RecordingScope&) = delete;

 private:
  Graph<T>& graph_;
  bool before_;
};

}  // namespace normalign
