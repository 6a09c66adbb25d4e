#include "autodiff/graph.hpp"

#include <algorithm>
#include <limits>
#include <new>

#include "autodiff/primitive.hpp"

namespace normalign::detail {

// Vars: what names a node or a slot.

template <class T>
Var<T> Graph<T>::leaf(Value value, bool variable) {
  if (recording != Recording::on) return loose(value);
  return handle(add_leaf(value, variable ? VariableSet{1} << (variables_++ % 32) : 0));
}

template <class T>
Var<T> Graph<T>::loose(Value value, VariableSet lost) {
  std::uint32_t index = free_slot_;
  if (index == no_node) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.push_back({});
  } else {
    free_slot_ = slots_[index].lost_or_next_free;
  }
  slots_[index] = {.value = value, .handles = 1, .lost_or_next_free = lost};
  ++vars_;
  return Var<T>(this, index, 0);
}

template <class T>
Var<T> Graph<T>::detached(const Var<T>& var) {
  Graph& graph = of("detached", var);
  const Value shared = value(var);
  if (!shared.block) return graph.leaf(shared, false);  // borrowed until a clear, as the leaf is
  BufferPool::retain(shared.block);
  return graph.loose(shared);
}

template <class T>
Var<T> Graph<T>::handle(std::uint32_t node) {
  nodes[node].holds += 2;
  ++vars_;
  return Var<T>(this, node, generation_);
}

template <class T>
void Graph<T>::retain(const Var<T>& var) {
  Graph& graph = *var.graph_;
  ++graph.vars_;
  if (var.generation_ == 0)
    ++graph.slots_[var.index_].handles;
  else if (var.generation_ == graph.generation_)
    graph.nodes[var.index_].holds += 2;
}

template <class T>
void Graph<T>::release(const Var<T>& var) {
  Graph& graph = *var.graph_;
  if (var.generation_ == 0) {
    Slot& slot = graph.slots_[var.index_];
    if (--slot.handles == 0) {
      graph.release_value(slot.value);
      slot.lost_or_next_free = std::exchange(graph.free_slot_, var.index_);
    }
  } else if (var.generation_ == graph.generation_) {
    Node& node = graph.nodes[var.index_];
    if ((node.holds -= 2) == 0) graph.release_value(node.value);
  }
  if (--graph.vars_ == 0 && !graph.tape_alive_) delete &graph;
}

template <class T>
Graph<T>& Graph<T>::of(const char* caller, const Var<T>& var) {
  if (!var.graph_) throw InputError(text(caller, ": a Var is empty; it must hold a value"));
  if (var.generation_ != 0 && !var.graph_->tape_alive_) throw InputError(text(caller, ": a Var has outlived its tape"));
  if (var.generation_ != 0 && var.generation_ != var.graph_->generation_)
    throw InputError(text(caller, ": a Var was recorded before its tape was cleared; record it anew"));
  return *var.graph_;
}

// Values: the memory of matrices.

namespace {
std::int32_t extent(Index value) {
  if (value < 0 || value > std::numeric_limits<std::int32_t>::max())
    throw InputError(text("tape: an extent is ", value, "; it must be between 0 and 2147483647"));
  return static_cast<std::int32_t>(value);
}
}  // namespace

template <class T>
typename Graph<T>::Value Graph<T>::allocate(Shape shape) {
  const std::int32_t rows = extent(shape.rows), cols = extent(shape.cols);
  // Two extents of 31 bits make a size of 62, whose bytes may be more than 64 bits tell.
  if (shape.size() > std::numeric_limits<Index>::max() / static_cast<Index>(sizeof(T))) throw std::bad_alloc();
  void* block = pool.acquire(static_cast<std::size_t>(shape.size()) * sizeof(T));
  return {.data = static_cast<T*>(block), .block = block, .rows = rows, .cols = cols};
}

template <class T>
typename Graph<T>::Value Graph<T>::copy(ConstView<T> view) {
  const Value value = allocate(view.shape());
  std::copy_n(view.data(), view.size(), value.data);
  return value;
}

template <class T>
typename Graph<T>::Value Graph<T>::filled(Shape shape, T fill) {
  const Value value = allocate(shape);
  std::fill_n(value.data, shape.size(), fill);
  return value;
}

template <class T>
typename Graph<T>::Value Graph<T>::borrow(ConstView<T> view) {
  // The one place that drops const: a borrowed value is never written, since only owned blocks are taken over.
  return {.data = const_cast<T*>(view.data()), .rows = extent(view.rows()), .cols = extent(view.cols())};
}

template <class T>
void Graph<T>::release_value(Value& value) {
  if (value.block) pool.release(value.block);
  value.data = nullptr;
  value.block = nullptr;
}

// Recording: what an operation leaves on the tape.

template <class T>
Var<T> Graph<T>::apply(const Primitive<T>& primitive, std::span<Var<T>* const> inputs, const Attribute& attribute) {
  if (inputs.size() != primitive.arity)
    throw std::logic_error(
        text(primitive.name, ": applied to ", inputs.size(), " inputs but its arity is ", primitive.arity));
  if (!primitive.shape || !primitive.value)
    throw std::logic_error(text(primitive.name, ": has no ", primitive.shape ? "value" : "shape", " function"));
  std::array<Shape, 3> shapes{};
  VariableSet depends = 0, missing = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Var<T>& x = *inputs[k];
    if (&of(primitive.name, x) != this)
      throw InputError(text(primitive.name, ": its operands live on different tapes"));
    shapes[k] = value(x).shape();
    if (!primitive.pullback[k]) continue;
    depends |= variables(x);
    missing |= lost(x);
  }
  const Shape shape = primitive.shape(primitive.name, shapes, attribute);
  if (recording != Recording::on || !depends) {
    const Value result = computed(primitive, inputs, attribute, shape, no_node);
    if (recording == Recording::off) missing = 0;
    if (recording == Recording::swept) missing |= depends;
    return loose(result, missing);
  }
  std::array<std::uint32_t, 3> recorded{};
  const bool output_is_read = record_inputs(primitive, inputs, recorded);
  const auto index = static_cast<std::uint32_t>(nodes.size());
  const Value result = computed(primitive, inputs, attribute, shape, index);
  // Filled where it stands: a node made elsewhere and copied takes half as long again.
  Node& node = nodes.emplace_back();
  node.value = result;
  node.primitive = &primitive;
  node.inputs = recorded;
  node.attribute = attribute;
  node.holds = output_is_read;
  node.depends = depends;
  node.lost = missing;
  return handle(index);
}

// Writes the inputs' nodes to `recorded` and marks those whose values a rule will read. Returns whether one will read
// the output.
template <class T>
bool Graph<T>::record_inputs(const Primitive<T>& primitive, std::span<Var<T>* const> inputs,
                             std::array<std::uint32_t, 3>& recorded) {
  Reads reads = Reads::nothing;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    // A value that is not on the tape yet becomes a constant leaf that shares its memory.
    if (!is_recorded(*inputs[k])) {
      const Value shared = value(*inputs[k]);
      if (shared.block) BufferPool::retain(shared.block);
      *inputs[k] = handle(add_leaf(shared, 0, lost(*inputs[k])));
    }
    recorded[k] = inputs[k]->index_;
    if (nodes[recorded[k]].depends) reads = reads | primitive.reads[k];
  }
  for (std::size_t k = 0; k < inputs.size(); ++k)
    if (reads & Reads{1u << k}) nodes[recorded[k]].holds |= 1;
  return reads & Reads::output;
}

// The value of a primitive, in a block of its own or in that of its first input.
template <class T>
typename Graph<T>::Value Graph<T>::computed(const Primitive<T>& primitive, std::span<Var<T>* const> inputs,
                                            const Attribute& attribute, Shape shape, std::uint32_t node) {
  Value& first = value(*inputs[0]);
  const bool takes_over = primitive.in_place && !watch && may_take_over(*inputs[0], shape);
  const Value result = takes_over ? first : allocate(shape);
  Call<T> call{.x = {}, .attribute = attribute, .y = result.view()};
  for (std::size_t k = 0; k < inputs.size(); ++k) call.x[k] = value(*inputs[k]).view();
  try {
    primitive.value(call);
    if (watch) watch->see(primitive, call, node);
  } catch (...) {
    if (!takes_over) pool.release(result.block);
    throw;
  }
  // The input has kept its pointer until here, and forgets the block without releasing it.
  if (takes_over) first.data = nullptr, first.block = nullptr;
  return result;
}

// Whether a result may be written over the value of `var`: the one operand that names it is about to go, and no
// rule will read it.
template <class T>
bool Graph<T>::may_take_over(const Var<T>& var, Shape shape) const {
  const Value& held = value(var);
  const bool alone = is_recorded(var) ? nodes[var.index_].holds == 2 : slots_[var.index_].handles == 1;
  return alone && held.block && BufferPool::references(held.block) == 1 && held.shape() == shape;
}

template <class T>
std::uint32_t Graph<T>::add_leaf(Value value, VariableSet depends, VariableSet lost) {
  Node& node = nodes.emplace_back();
  node.value = value;
  node.depends = depends;
  node.lost = lost;
  return static_cast<std::uint32_t>(nodes.size() - 1);
}

template <class T>
void Graph<T>::clear() {
  for (Node& node : nodes) release_value(node.value);
  nodes.clear();
  // The variables that are lost are gone: what lives on is constant.
  for (Slot& slot : slots_)
    if (slot.handles > 0) slot.lost_or_next_free = 0;
  variables_ = 0;
  ++generation_;
  if (generation_ == 0) generation_ = 1;
  pool.reset_peak();
}

template <class T>
void Graph<T>::tape_gone() {
  clear();
  tape_alive_ = false;
  if (vars_ == 0) delete this;
}

template class Graph<float>;
template class Graph<double>;

}  // namespace normalign::detail
