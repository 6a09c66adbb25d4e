#include "autodiff/tape.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "autodiff/graph.hpp"
#include "autodiff/ops_linear.hpp"
#include "autodiff/shape_rules.hpp"

namespace normalign {

// ---- Graph: Vars ------------------------------------------------------------------------------------------------

template <class T>
Var<T> Graph<T>::leaf(Value value, bool variable) {
  if (recording != Recording::on) return loose(value);
  return handle(add_leaf(value, variable ? VariableSet{1} << (variables_++ % 32) : 0));
}

template <class T>
Var<T> Graph<T>::loose(Value value, VariableSet lost) {
  std::uint32_t index = free_slot_;
  if (index == none) {
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

template <class T>
typename Graph<T>::Value& Graph<T>::value(const Var<T>& var) {
  return var.generation_ == 0 ? var.graph_->slots_[var.index_].value : var.graph_->nodes[var.index_].value;
}

template <class T>
VariableSet Graph<T>::variables(const Var<T>& var) {
  return var.generation_ == 0 ? 0 : var.graph_->nodes[var.index_].depends;
}

template <class T>
VariableSet Graph<T>::lost(const Var<T>& var) {
  return var.generation_ == 0 ? var.graph_->slots_[var.index_].lost_or_next_free : var.graph_->nodes[var.index_].lost;
}

template <class T>
Var<T> Graph<T>::detached(const Var<T>& var) {
  Graph& graph = of("detached", var);
  const Value shared = value(var);
  if (!shared.block) return graph.leaf(shared, false);  // borrowed until a clear, as the leaf is
  BufferPool::retain(shared.block);
  return graph.loose(shared);
}

// ---- Graph: values ----------------------------------------------------------------------------------------------

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

// ---- Graph: recording -------------------------------------------------------------------------------------------

template <class T>
std::uint32_t Graph<T>::add_leaf(Value value, VariableSet depends, VariableSet lost) {
  Node& node = nodes.emplace_back();
  node.value = value;
  node.depends = depends;
  node.lost = lost;
  return static_cast<std::uint32_t>(nodes.size() - 1);
}

// Whether a result may be written over the value of `var`: the one operand that names it is about to go, and no
// rule will read it.
template <class T>
bool Graph<T>::may_take_over(const Var<T>& var, Shape shape) const {
  const bool recorded = var.generation_ != 0;
  const Value& held = value(var);
  const bool alone = recorded ? nodes[var.index_].holds == 2 : slots_[var.index_].handles == 1;
  return alone && held.block && BufferPool::references(held.block) == 1 && held.shape() == shape;
}

template <class T>
Var<T> Graph<T>::apply(const Primitive<T>& primitive, std::span<Var<T>* const> inputs, const Attribute& attribute) {
  if (static_cast<int>(inputs.size()) != primitive.arity)
    throw std::logic_error(
        text(primitive.name, ": applied to ", inputs.size(), " inputs but its arity is ", primitive.arity));
  if (!primitive.shape || !primitive.value)
    throw std::logic_error(text(primitive.name, ": has no ", primitive.shape ? "value" : "shape", " function"));
  std::array<Shape, 3> shapes{};
  VariableSet depending = 0, missing = 0;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Var<T>& x = *inputs[k];
    if (&of(primitive.name, x) != this)
      throw InputError(text(primitive.name, ": its operands live on different tapes"));
    VariableSet x_lost;
    if (is_recorded(x)) {
      const Node& node = nodes[x.index_];
      shapes[k] = node.value.shape();
      if (primitive.pullback[k]) depending |= node.depends;
      x_lost = node.lost;
    } else {
      shapes[k] = slots_[x.index_].value.shape();
      x_lost = slots_[x.index_].lost_or_next_free;
    }
    if (primitive.pullback[k]) missing |= x_lost;
  }
  const Shape shape = primitive.shape(primitive.name, shapes, attribute);
  const bool record = recording == Recording::on && depending;

  unsigned reads = nothing;
  std::array<std::uint32_t, 3> recorded{};
  if (record) {
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      // A value that is not on the tape yet becomes a constant leaf that shares its memory.
      if (!is_recorded(*inputs[k])) {
        const Value shared = value(*inputs[k]);
        if (shared.block) BufferPool::retain(shared.block);
        *inputs[k] = handle(add_leaf(shared, 0, lost(*inputs[k])));
      }
      recorded[k] = inputs[k]->index_;
      if (nodes[recorded[k]].depends) reads |= primitive.reads[k];
    }
    for (std::size_t k = 0; k < inputs.size(); ++k)
      if (reads & (1u << k)) nodes[recorded[k]].holds |= 1;
  }

  Value result;
  if (primitive.in_place && may_take_over(*inputs[0], shape)) {
    // The operand keeps its pointer until the value is computed, then forgets the block without releasing it.
    result = value(*inputs[0]);
  } else {
    result = allocate(shape);
  }
  Call<T> call{.x = {}, .attribute = attribute, .y = MatrixView<T>(result.data, shape.rows, shape.cols)};
  for (std::size_t k = 0; k < inputs.size(); ++k) call.x[k] = value(*inputs[k]).view();
  if (branches && primitive.branches) primitive.branches(call, *branches);
  try {
    primitive.value(call);
  } catch (...) {
    if (result.block != value(*inputs[0]).block) pool.release(result.block);
    throw;
  }
  if (result.block == value(*inputs[0]).block) {
    value(*inputs[0]).data = nullptr;
    value(*inputs[0]).block = nullptr;
  }
  if (!record) {
    if (recording == Recording::swept) missing |= depending;
    return loose(result, recording == Recording::off ? 0 : missing);
  }
  // Filled where it stands: a node made elsewhere and copied takes half as long again.
  Node& node = nodes.emplace_back();
  node.value = result;
  node.primitive = &primitive;
  node.inputs = recorded;
  node.attribute = attribute;
  node.holds = reads & output ? 1 : 0;
  node.depends = depending;
  node.lost = missing;
  return handle(static_cast<std::uint32_t>(nodes.size() - 1));
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

// ---- Var --------------------------------------------------------------------------------------------------------

template <class T>
Var<T>::Var(const Var& other) : graph_(other.graph_), index_(other.index_), generation_(other.generation_) {
  if (graph_) Graph<T>::retain(*this);
}
template <class T>
void Var<T>::release() noexcept {
  Graph<T>::release(*this);
}

template <class T>
ConstView<T> Var<T>::value() const {
  Graph<T>::of("value", *this);
  return Graph<T>::value(*this).view();
}
template <class T>
T Var<T>::item() const {
  const ConstView<T> view = value();
  if (view.size() != 1) throw InputError(text("item: the value is ", view.shape(), "; it must be 1x1"));
  return view(0, 0);
}
template <class T>
Shape Var<T>::shape() const {
  Graph<T>::of("shape", *this);
  return Graph<T>::value(*this).shape();
}
template <class T>
bool Var<T>::depends() const {
  Graph<T>::of("depends", *this);
  return Graph<T>::depends(*this);
}

template <class T>
Var<T> detached(const Var<T>& x) {
  return Graph<T>::detached(x);
}

// ---- Recorded, apply --------------------------------------------------------------------------------------------

// Asked of the declaration and not of the value: that may be there by chance, because somebody holds it.
template <class T>
Var<T> Recorded<T>::declared(unsigned what, std::uint32_t node) const {
  const Primitive<T>& primitive = *graph_.nodes[node_].primitive;
  if (!(primitive.reads[input_] & what))
    throw std::logic_error(text(primitive.name, ": a rule of input ", input_, " reads ",
                                what == output ? "the output" : "an input", " but the primitive does not declare it"));
  return graph_.handle(node);
}
template <class T>
Var<T> Recorded<T>::x(int i) const {
  return declared(1u << i, graph_.nodes[node_].inputs[static_cast<std::size_t>(i)]);
}
template <class T>
Var<T> Recorded<T>::y() const {
  return declared(output, node_);
}
template <class T>
Shape Recorded<T>::x_shape(int i) const {
  return graph_.nodes[graph_.nodes[node_].inputs[static_cast<std::size_t>(i)]].value.shape();
}
template <class T>
Shape Recorded<T>::y_shape() const {
  return graph_.nodes[node_].value.shape();
}
template <class T>
Attribute Recorded<T>::attribute() const {
  return graph_.nodes[node_].attribute;
}
template <class T>
Var<T> Recorded<T>::accumulated_product(Var<T> a, Var<T> b, bool transpose_a, bool transpose_b) const {
  const Transposes transposes{transpose_a, transpose_b};
  if (!sum_) return matmul(std::move(a), std::move(b), transposes);
  return add_product(std::exchange(sum_, {}), std::move(a), std::move(b), transposes);
}

template <class T>
Var<T> apply(const Primitive<T>& primitive, std::initializer_list<Var<T>*> inputs, Attribute attribute) {
  Graph<T>& graph = Graph<T>::of(primitive.name, **inputs.begin());
  return graph.apply(primitive, std::span<Var<T>* const>(inputs.begin(), inputs.size()), attribute);
}

// ---- Tape -------------------------------------------------------------------------------------------------------

template <class T>
Tape<T>::Tape() : graph_(new Graph<T>) {}
template <class T>
Tape<T>::~Tape() {
  graph_->tape_gone();
}
template <class T>
Var<T> Tape<T>::variable(ConstView<T> value) {
  return graph_->leaf(graph_->copy(value), true);
}
template <class T>
Var<T> Tape<T>::borrowed_variable(ConstView<T> value) {
  return graph_->leaf(Graph<T>::borrow(value), true);
}
template <class T>
Var<T> Tape<T>::constant(ConstView<T> value) {
  return graph_->leaf(graph_->copy(value), false);
}
template <class T>
Var<T> Tape<T>::borrowed_constant(ConstView<T> value) {
  return graph_->leaf(Graph<T>::borrow(value), false);
}
template <class T>
Var<T> Tape<T>::full(Shape shape, double fill) {
  const auto value = graph_->allocate(shape);
  std::fill_n(value.data, shape.size(), static_cast<T>(fill));
  return graph_->leaf(value, false);
}
template <class T>
Var<T> Tape<T>::labels(std::span<const std::int32_t> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) check_exact<T>("labels", "label", labels[i], static_cast<Index>(i));
  const auto value = graph_->allocate({static_cast<Index>(labels.size()), 1});
  std::transform(labels.begin(), labels.end(), value.data, [](std::int32_t label) { return static_cast<T>(label); });
  return graph_->leaf(value, false);
}
template <class T>
void Tape<T>::clear() {
  graph_->clear();
}
template <class T>
Index Tape<T>::nodes() const {
  return static_cast<Index>(graph_->nodes.size());
}
template <class T>
Index Tape<T>::buffers() const {
  return static_cast<Index>(graph_->pool.blocks_in_use());
}
template <class T>
Index Tape<T>::bytes() const {
  return static_cast<Index>(graph_->pool.bytes_in_use());
}
template <class T>
Index Tape<T>::peak_bytes() const {
  return static_cast<Index>(graph_->pool.peak_bytes());
}

template <class T>
WithoutRecording<T>::WithoutRecording(Tape<T>& tape) : graph_(tape.graph_), before_(graph_->recording) {
  graph_->recording = Recording::off;
}
template <class T>
WithoutRecording<T>::~WithoutRecording() {
  graph_->recording = before_;
}

#define NORMALIGN_INSTANTIATE(T)           \
  template class Graph<T>;                 \
  template class Var<T>;                   \
  template class Recorded<T>;              \
  template class Tape<T>;                  \
  template class WithoutRecording<T>;      \
  template Var<T> detached(const Var<T>&); \
  template Var<T> apply(const Primitive<T>&, std::initializer_list<Var<T>*>, Attribute);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
