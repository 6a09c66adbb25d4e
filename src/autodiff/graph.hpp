// The engine behind Tape and Var: nodes, values and their lifetimes. It knows no operation.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/huge_pages.hpp"
#include "linalg/buffer_pool.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

template <class T>
class Var;
template <class T>
class Tape;
template <class T>
struct Primitive;
template <class T>
struct Call;

/// The numbers that an operation carries beside its inputs; what each means, the operation says.
struct Attribute {
  double scalar = 0;
  double offset = 0;
  std::int32_t first = 0;
  std::int32_t second = 0;
};

namespace detail {

/// A set of a tape's variables: one bit for each, which every 32nd shares. So an answer that sets give may be a
/// needless yes where there are more than 32 variables, and is never a wrong no.
using VariableSet = std::uint32_t;

/// Whether operations are recorded, and what results are that are not.
enum class Recording {
  on,
  off,    ///< by the user's wish, WithoutRecording: results are constants
  swept,  ///< in a sweep without create_graph: results know of the variables on which they would have depended
};

/// The number of no node.
inline constexpr std::uint32_t no_node = ~std::uint32_t{0};

/// Looks on while a graph computes, recorded or not. See check/.
template <class T>
class Watch {
 public:
  /// Called when the value is computed, never in place of an input. Its node will be `node`; no_node: it is not
  /// recorded. What this throws ends the operation.
  virtual void see(const Primitive<T>& primitive, const Call<T>& call, std::uint32_t node) = 0;

 protected:
  ~Watch() = default;
};

/// The state that a tape and its Vars share.
///
/// Lifetimes: a value is a counted block of the pool, or borrowed. A node keeps its block while a Var names the
/// node or some rule will read the value (`holds`). Values of unrecorded Vars live in slots of their own and
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
    std::uint32_t holds = 0;  ///< twice the number of Vars that name it, and 1 more where some rule will read the value
    Attribute attribute{};
    VariableSet depends = 0;  ///< the variables from which derivatives flow through it; not empty where some do
    VariableSet lost = 0;     ///< those from which they do not, because a sweep was not recorded
  };

  /// A new leaf, with derivatives or without.
  Var<T> leaf(Value value, bool variable);
  /// An unrecorded Var that owns `value`, and does not know any more how it depends on `lost`.
  Var<T> loose(Value value, VariableSet lost = 0);
  /// The value of `var` as a constant, in the same memory.
  static Var<T> detached(const Var<T>& var);
  /// A Var that names a node.
  Var<T> handle(std::uint32_t node);
  /// Counts one Var more, or one less, on what `var` names.
  static void retain(const Var<T>& var);
  static void release(const Var<T>& var);

  /// The graph of a tape, or of a Var; throws InputError, opened by `caller`, on an empty or stale Var.
  static Graph& of(const Tape<T>& tape) { return *tape.graph_; }
  static Graph& of(const char* caller, const Var<T>& var);
  static bool is_recorded(const Var<T>& var) { return var.generation_ != 0; }
  static std::uint32_t index(const Var<T>& var) { return var.index_; }
  static Value& value(const Var<T>& var) {
    return is_recorded(var) ? var.graph_->nodes[var.index_].value : var.graph_->slots_[var.index_].value;
  }
  /// The variables from which derivatives flow to `var`.
  static VariableSet variables(const Var<T>& var) {
    return is_recorded(var) ? var.graph_->nodes[var.index_].depends : 0;
  }
  /// The variables on which `var` depends in a way that was not recorded.
  static VariableSet lost(const Var<T>& var) {
    return is_recorded(var) ? var.graph_->nodes[var.index_].lost : var.graph_->slots_[var.index_].lost_or_next_free;
  }

  /// A block of the pool, its values not set; `filled` and `copy` set them, `borrow` takes no block.
  Value allocate(Shape shape);
  Value filled(Shape shape, T fill);
  Value copy(ConstView<T> view);
  static Value borrow(ConstView<T> view);

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
  Recording recording = Recording::on;
  std::uint32_t swept = no_node;  ///< the node whose rule is running
  Watch<T>* watch = nullptr;

 private:
  struct Slot {
    Value value{};
    std::uint32_t handles = 0;
    std::uint32_t lost_or_next_free = 0;  ///< while somebody holds it a VariableSet, then the next free slot
  };

  std::uint32_t add_leaf(Value value, VariableSet depends, VariableSet lost = 0);
  void release_value(Value& value);
  bool may_take_over(const Var<T>& var, Shape shape) const;
  bool record_inputs(const Primitive<T>& primitive, std::span<Var<T>* const> inputs,
                     std::array<std::uint32_t, 3>& recorded);
  Value computed(const Primitive<T>& primitive, std::span<Var<T>* const> inputs, const Attribute& attribute,
                 Shape shape, std::uint32_t node);

  std::vector<Slot> slots_;
  std::uint32_t free_slot_ = no_node;
  std::uint32_t generation_ = 1;
  std::uint32_t variables_ = 0;  // made since the last clear
  std::uint64_t vars_ = 0;
  bool tape_alive_ = true;
};

}  // namespace detail
}  // namespace normalign
