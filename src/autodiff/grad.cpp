#include "autodiff/grad.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/graph.hpp"
#include "autodiff/ops_elementwise.hpp"
#include "autodiff/ops_reduce.hpp"

namespace normalign {
namespace {

// Marks on a node during a sweep.
constexpr std::uint8_t reached = 1;  // depends on one of the inputs of the derivative
constexpr std::uint8_t asked = 2;    // is one of them

// A graph's working memory for the time of one sweep; given back empty, with its capacity, exceptions included.
template <class T>
class Borrowed {
 public:
  Borrowed(Graph<T>& graph, std::size_t size) : graph_(graph), scratch_(std::exchange(graph.scratch, {})) {
    scratch_.derivatives.resize(size);
    scratch_.marks.assign(size, 0);
  }
  ~Borrowed() {
    scratch_.derivatives.clear();
    graph_.scratch = std::move(scratch_);
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  LargeVector<Var<T>>& derivatives() { return scratch_.derivatives; }
  std::vector<std::uint8_t>& marks() { return scratch_.marks; }

 private:
  Graph<T>& graph_;
  typename Graph<T>::Scratch scratch_;
};

template <class T>
void check_input(const char* caller, Graph<T>& graph, const Var<T>& x) {
  if (&Graph<T>::of(caller, x) != &graph) throw InputError(text(caller, ": f and x live on different tapes"));
  if (!Graph<T>::depends(x))
    throw InputError(text(caller, ": x is a constant; make it with Tape::variable to differentiate by it"));
}

template <class T>
void check_direction(const char* caller, const char* name, const char* of, const Var<T>& direction, Shape shape,
                     const Graph<T>& graph) {
  if (&Graph<T>::of(caller, direction) != &graph)
    throw InputError(text(caller, ": ", name, " and ", of, " live on different tapes"));
  if (direction.shape() != shape)
    throw InputError(
        text(caller, ": ", name, " is ", direction.shape(), " but ", of, " is ", shape, "; they must be equal"));
}

// The derivative of f in x would lack what a sweep without create_graph has lost.
template <class T>
void check_complete(const char* caller, const Var<T>& f, const Var<T>& x) {
  const VariableSet of_x = Graph<T>::variables(x);
  if ((Graph<T>::lost(f) & of_x) == of_x)
    throw InputError(text(caller,
                          ": f holds a derivative that was taken without create_graph, so how it depends on x is "
                          "lost; take that one with .create_graph = true, or make it a constant with detached"));
}

// How a sweep records. One within WithoutRecording gives constants, like all else there.
template <class T>
Recording recording_of(const char* caller, const Graph<T>& graph, bool create_graph) {
  if (!create_graph) return graph.recording == Recording::off ? Recording::off : Recording::swept;
  if (graph.recording != Recording::on)
    throw InputError(text(caller, ": a derivative was asked for that can be differentiated, but recording is off"));
  return Recording::on;
}

template <class T>
Var<T> zeros(Graph<T>& graph, Shape shape) {
  const auto value = graph.allocate(shape);
  std::fill_n(value.data, shape.size(), T{0});
  return graph.loose(value);
}

// Adds the share that `rule`, of the node's input `input`, returns to what `sum` holds; both are of the given shape. A
// rule made of one product may have added it already.
template <class T>
void accumulate(Graph<T>& graph, std::uint32_t node, std::size_t input, Rule<T> rule, Shape shape, Var<T> derivative,
                Var<T>& sum) {
  Var<T> share = rule(std::move(derivative), Recorded<T>(graph, node, input, sum));
  if (!share)
    throw std::logic_error(text(graph.nodes[node].primitive->name, ": a rule of input ", input,
                                " returns an empty Var; it must be ", shape));
  if (share.shape() != shape)  // or broadcasting would hide it
    throw std::logic_error(text(graph.nodes[node].primitive->name, ": a rule of input ", input, " returns ",
                                share.shape(), "; it must be ", shape));
  sum = sum ? std::move(sum) + std::move(share) : std::move(share);
}

// Marks every node from first to last that depends on a node marked `asked`, through inputs that have rules.
template <class T>
void mark_reached(const Graph<T>& graph, std::uint32_t first, std::vector<std::uint8_t>& marks) {
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const auto& node = graph.nodes[first + i];
    if (!node.primitive || !node.depends) continue;
    for (std::size_t k = 0; k < static_cast<std::size_t>(node.primitive->arity); ++k)
      if (node.primitive->pullback[k] && node.inputs[k] >= first && marks[node.inputs[k] - first]) marks[i] |= reached;
  }
}

}  // namespace

template <class T>
void grad(const Var<T>& f, std::span<const Var<T>> wrt, std::span<Var<T>> out,
          const std::type_identity_t<GradOptions<T>>& options) {
  Graph<T>& graph = Graph<T>::of("grad", f);
  if (wrt.size() != out.size())
    throw InputError(text("grad: ", wrt.size(), " inputs but ", out.size(), " outputs; they must be equal"));
  std::uint32_t first = ~std::uint32_t{0};
  for (const Var<T>& x : wrt) {
    check_input("grad", graph, x);
    check_complete("grad", f, x);
    first = std::min(first, Graph<T>::index(x));
  }
  if (options.seed)
    check_direction("grad", "seed", "f", options.seed, f.shape(), graph);
  else if (f.shape() != Shape{1, 1})
    throw InputError(text("grad: f is ", f.shape(), " and there is no seed; give one of f's shape, or sum f first"));

  const Recording recording = recording_of("grad", graph, options.create_graph);

  const bool connected = Graph<T>::depends(f) && Graph<T>::index(f) >= first;
  const std::uint32_t last = Graph<T>::index(f);
  Borrowed<T> scratch(graph, connected ? last - first + 1 : 0);
  auto& cotangents = scratch.derivatives();
  auto& marks = scratch.marks();
  const RecordingScope<T> scope(graph, recording);
  if (connected) {
    for (const Var<T>& x : wrt)
      if (Graph<T>::index(x) <= last) marks[Graph<T>::index(x) - first] |= asked;
    mark_reached(graph, first, marks);
    if (options.seed) {
      cotangents.back() = options.seed;
    } else {
      const auto one = graph.allocate({1, 1});
      *one.data = 1;
      cotangents.back() = graph.loose(one);
    }
    for (std::uint32_t i = last + 1; i-- > first;) {
      Var<T>& here = cotangents[i - first];
      const auto mark = marks[i - first];
      if (!here || !(mark & reached)) continue;
      // Copies: the rules may record, and the nodes move.
      const Primitive<T>& primitive = *graph.nodes[i].primitive;
      const auto inputs = graph.nodes[i].inputs;
      const auto wants = [&](std::size_t k) {
        return primitive.pullback[k] && inputs[k] >= first && marks[inputs[k] - first];
      };
      Var<T> g = (mark & asked) ? here : std::move(here);
      std::size_t uses = 0;
      const auto arity = static_cast<std::size_t>(primitive.arity);
      for (std::size_t k = 0; k < arity; ++k) uses += wants(k);
      for (std::size_t k = 0; k < arity; ++k)
        if (wants(k)) {
          Var<T> cotangent = --uses ? g : std::move(g);  // NOLINT(bugprone-use-after-move): only the last use moves
          accumulate(graph, i, k, primitive.pullback[k], graph.nodes[inputs[k]].value.shape(), std::move(cotangent),
                     cotangents[inputs[k] - first]);
        }
    }
  }
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    const std::uint32_t x = Graph<T>::index(wrt[i]);
    if (connected && x <= last && cotangents[x - first])
      out[i] = cotangents[x - first];
    else
      out[i] = zeros(graph, wrt[i].shape());
  }
}

template <class T>
std::vector<Var<T>> grad(const Var<T>& f, const std::vector<Var<T>>& wrt,
                         const std::type_identity_t<GradOptions<T>>& options) {
  std::vector<Var<T>> out(wrt.size());
  grad(f, std::span<const Var<T>>(wrt), std::span<Var<T>>(out), options);
  return out;
}

template <class T>
Var<T> grad(const Var<T>& f, const Var<T>& x, const std::type_identity_t<GradOptions<T>>& options) {
  Var<T> out;
  grad(f, std::span<const Var<T>>(&x, 1), std::span<Var<T>>(&out, 1), options);
  return out;
}

template <class T>
Var<T> jvp(const Var<T>& f, const Var<T>& x, const Var<T>& tangent, ForwardOptions options) {
  Graph<T>& graph = Graph<T>::of("jvp", f);
  check_input("jvp", graph, x);
  check_complete("jvp", f, x);
  check_direction("jvp", "tangent", "x", tangent, x.shape(), graph);
  const Recording recording = recording_of("jvp", graph, options.create_graph);
  const std::uint32_t first = Graph<T>::index(x), last = Graph<T>::index(f);
  if (!Graph<T>::depends(f) || last < first) return zeros(graph, f.shape());

  Borrowed<T> scratch(graph, last - first + 1);
  auto& tangents = scratch.derivatives();
  auto& marks = scratch.marks();
  const RecordingScope<T> scope(graph, recording);
  // Nodes that f depends on; the tape may hold much else between x and f.
  marks.back() = reached;
  for (std::uint32_t i = last + 1; i-- > first;) {
    const auto& node = graph.nodes[i];
    if (!marks[i - first] || !node.primitive) continue;
    for (std::size_t k = 0; k < static_cast<std::size_t>(node.primitive->arity); ++k)
      if (node.primitive->pushforward[k] && node.inputs[k] >= first) marks[node.inputs[k] - first] = reached;
  }
  tangents.front() = tangent;
  for (std::uint32_t i = first + 1; i <= last; ++i) {
    if (!marks[i - first]) continue;
    const auto node = graph.nodes[i];
    if (!node.primitive) continue;
    for (std::size_t k = 0; k < static_cast<std::size_t>(node.primitive->arity); ++k)
      if (node.primitive->pushforward[k] && node.inputs[k] >= first && tangents[node.inputs[k] - first])
        accumulate(graph, i, k, node.primitive->pushforward[k], node.value.shape(), tangents[node.inputs[k] - first],
                   tangents[i - first]);
  }
  return tangents.back() ? tangents.back() : zeros(graph, f.shape());
}

template <class T>
std::vector<Var<T>> jacobian(const Var<T>& f, const Var<T>& x, ForwardOptions options) {
  if (f.rows() != x.rows())
    throw InputError(text("jacobian: f is ", f.shape(), " but x is ", x.shape(), "; f.rows must equal x.rows"));
  Graph<T>& graph = Graph<T>::of("jacobian", f);
  std::vector<Var<T>> rows;
  for (Index j = 0; j < f.cols(); ++j) {
    Var<T> seed = zeros(graph, f.shape());
    const auto values = Graph<T>::value(seed).view();
    for (Index i = 0; i < f.rows(); ++i) values(i, j) = 1;
    rows.push_back(grad(f, x, {.seed = std::move(seed), .create_graph = options.create_graph}));
  }
  return rows;
}

template <class T>
std::vector<Var<T>> hvp(const Var<T>& loss, const std::vector<Var<T>>& wrt, const std::vector<Var<T>>& direction) {
  if (wrt.size() != direction.size())
    throw InputError(text("hvp: ", wrt.size(), " inputs but ", direction.size(), " directions; they must be equal"));
  const std::vector<Var<T>> gradient = grad(loss, wrt, {.create_graph = true});
  Var<T> slope;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    check_direction("hvp", "a direction", "its input", direction[i], wrt[i].shape(), Graph<T>::of("hvp", loss));
    Var<T> share = sum(gradient[i] * detached(direction[i]));
    slope = slope ? std::move(slope) + std::move(share) : std::move(share);
  }
  if (!slope) return {};
  return grad(slope, wrt);
}

#define NORMALIGN_INSTANTIATE(T)                                                                   \
  template void grad(const Var<T>&, std::span<const Var<T>>, std::span<Var<T>>,                    \
                     const std::type_identity_t<GradOptions<T>>&);                                 \
  template std::vector<Var<T>> grad(const Var<T>&, const std::vector<Var<T>>&,                     \
                                    const std::type_identity_t<GradOptions<T>>&);                  \
  template Var<T> grad(const Var<T>&, const Var<T>&, const std::type_identity_t<GradOptions<T>>&); \
  template Var<T> jvp(const Var<T>&, const Var<T>&, const Var<T>&, ForwardOptions);                \
  template std::vector<Var<T>> jacobian(const Var<T>&, const Var<T>&, ForwardOptions);             \
  template std::vector<Var<T>> hvp(const Var<T>&, const std::vector<Var<T>>&, const std::vector<Var<T>>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
