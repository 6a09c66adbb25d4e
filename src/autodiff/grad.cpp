#include "autodiff/grad.hpp"

#include <algorithm>
#include <utility>

#include "autodiff/ops_elementwise.hpp"
#include "autodiff/ops_linear.hpp"
#include "autodiff/ops_reduce.hpp"

namespace normalign {
namespace {

using detail::Graph;
using detail::Recording;

// The nodes of a graph from `first` to `last` during one sweep: the derivative of each as far as it is known, and
// which of them matter; no node where `to` is less than `from`. The memory is the graph's, which has it back empty,
// with its capacity, exceptions included.
template <class T>
class Sweep {
 public:
  Sweep(Graph<T>& of, std::uint32_t from, std::uint32_t to, Recording recording)
      : graph(of), first(from), last(to), scratch_(std::exchange(of.scratch, {})), scope_(of.recording, recording) {
    scratch_.derivatives.resize(last - first + 1);
    scratch_.marks.assign(last - first + 1, 0);
  }
  ~Sweep() {
    scratch_.derivatives.clear();
    graph.scratch = std::move(scratch_);
    graph.swept = detail::no_node;
  }

  bool covers(std::uint32_t node) const { return node >= first && node <= last; }
  Var<T>& derivative(std::uint32_t node) { return scratch_.derivatives[node - first]; }
  std::uint8_t& mark(std::uint32_t node) { return scratch_.marks[node - first]; }

  Graph<T>& graph;
  const std::uint32_t first, last;

 private:
  typename Graph<T>::Scratch scratch_;
  ScopedValue<Recording> scope_;
};

// Marks on a node.
constexpr std::uint8_t matters = 1;  // the result depends on it
constexpr std::uint8_t asked = 2;    // it is an input that the derivative is asked for

// Adds what `rule`, of the node's input `input`, makes of `derivative` to `sum`, of the given shape.
template <class T>
void accumulate(Graph<T>& graph, std::uint32_t node, std::size_t input, const Rule<T>& rule, Shape shape,
                Var<T> derivative, Var<T>& sum) {
  graph.swept = node;
  const Recorded<T> recorded(graph, node, input);
  Var<T> share;
  if (rule.product) {
    auto [a, b, transposes] = rule.product(std::move(derivative), recorded);
    if (sum) {  // one product with beta = 1 in place of a product and a sum
      sum = add_product(std::move(sum), std::move(a), std::move(b), transposes);
      return;
    }
    share = matmul(std::move(a), std::move(b), transposes);
  } else {
    share = rule.share(std::move(derivative), recorded);
  }
  if (!share || share.shape() != shape)  // or broadcasting would hide it
    throw std::logic_error(text(graph.nodes[node].primitive->name, ": a rule of input ", input, " returns ",
                                share ? text(share.shape()) : "an empty Var", "; it must be ", shape));
  sum = sum ? std::move(sum) + std::move(share) : std::move(share);
}

// The backward sweep: each node that matters, the last first, hands its cotangent, complete by then, through its
// pullbacks to its inputs.
template <class T>
void sweep_back(Sweep<T>& sweep) {
  for (std::uint32_t i = sweep.last + 1; i-- > sweep.first;) {
    if (!sweep.derivative(i) || !(sweep.mark(i) & matters)) continue;
    // Copies: the rules may record, and the nodes move.
    const Primitive<T>& primitive = *sweep.graph.nodes[i].primitive;
    const auto inputs = sweep.graph.nodes[i].inputs;
    const auto wants = [&](std::size_t k) {
      return primitive.pullback[k] && sweep.covers(inputs[k]) && sweep.mark(inputs[k]);
    };
    Var<T> g = sweep.mark(i) & asked ? sweep.derivative(i) : std::move(sweep.derivative(i));
    std::size_t uses = 0;
    for (std::size_t k = 0; k < primitive.arity; ++k) uses += wants(k);
    for (std::size_t k = 0; k < primitive.arity; ++k)
      if (wants(k)) {
        Var<T> cotangent = --uses ? g : std::move(g);  // NOLINT(bugprone-use-after-move): only the last use moves
        accumulate(sweep.graph, i, k, primitive.pullback[k], sweep.graph.nodes[inputs[k]].value.shape(),
                   std::move(cotangent), sweep.derivative(inputs[k]));
      }
  }
}

// The forward sweep: each node that matters gathers its tangent from those of its inputs, through its pushforwards.
template <class T>
void sweep_forward(Sweep<T>& sweep) {
  for (std::uint32_t i = sweep.first + 1; i <= sweep.last; ++i) {
    if (!sweep.mark(i) || !sweep.graph.nodes[i].primitive) continue;
    const auto node = sweep.graph.nodes[i];  // a copy, as above
    for (std::size_t k = 0; k < node.primitive->arity; ++k)
      if (node.primitive->pushforward[k] && sweep.covers(node.inputs[k]) && sweep.derivative(node.inputs[k]))
        accumulate(sweep.graph, i, k, node.primitive->pushforward[k], node.value.shape(),
                   sweep.derivative(node.inputs[k]), sweep.derivative(i));
  }
}

// Marks the nodes that depend on a node that is `asked` for, through inputs that have rules.
template <class T>
void mark_dependents(Sweep<T>& sweep) {
  for (std::uint32_t i = sweep.first; i <= sweep.last; ++i) {
    const auto& node = sweep.graph.nodes[i];
    if (!node.primitive || !node.depends) continue;
    for (std::size_t k = 0; k < node.primitive->arity; ++k)
      if (node.primitive->pullback[k] && sweep.covers(node.inputs[k]) && sweep.mark(node.inputs[k]))
        sweep.mark(i) |= matters;
  }
}

// Marks the nodes that the last one depends on; the tape may hold much else.
template <class T>
void mark_precedents(Sweep<T>& sweep) {
  sweep.mark(sweep.last) = matters;
  for (std::uint32_t i = sweep.last + 1; i-- > sweep.first;) {
    const auto& node = sweep.graph.nodes[i];
    if (!sweep.mark(i) || !node.primitive) continue;
    for (std::size_t k = 0; k < node.primitive->arity; ++k)
      if (node.primitive->pushforward[k] && sweep.covers(node.inputs[k])) sweep.mark(node.inputs[k]) = matters;
  }
}

// Throws where f cannot be differentiated by x.
template <class T>
void check_input(const char* caller, const Var<T>& f, const Var<T>& x) {
  if (&Graph<T>::of(caller, x) != &Graph<T>::of(caller, f))
    throw InputError(text(caller, ": f and x live on different tapes"));
  const detail::VariableSet of_x = Graph<T>::variables(x);
  if (!of_x) throw InputError(text(caller, ": x is a constant; make it with Tape::variable to differentiate by it"));
  if ((Graph<T>::lost(f) & of_x) == of_x)
    throw InputError(text(caller,
                          ": f holds a derivative that was taken without create_graph, so how it depends on x is "
                          "lost; take that one with .create_graph = true, or make it a constant with detached"));
}

// Throws where `direction`, called `name`, has not the tape and the shape of x, called `of`.
template <class T>
void check_direction(const char* caller, const char* name, const Var<T>& direction, const char* of, const Var<T>& x) {
  if (&Graph<T>::of(caller, direction) != &Graph<T>::of(caller, x))
    throw InputError(text(caller, ": ", name, " and ", of, " live on different tapes"));
  if (direction.shape() != x.shape())
    throw InputError(
        text(caller, ": ", name, " is ", direction.shape(), " but ", of, " is ", x.shape(), "; they must be equal"));
}

// How a sweep records. One within WithoutRecording gives constants, like all else there.
template <class T>
Recording recording_of(const char* caller, const Graph<T>& graph, bool create_graph) {
  if (!create_graph) return graph.recording == Recording::off ? Recording::off : Recording::swept;
  if (graph.recording != Recording::on)
    throw InputError(text(caller, ": a derivative was asked for that can be differentiated, but recording is off"));
  return Recording::on;
}

}  // namespace

template <class T>
void grad(const Var<T>& f, std::span<const Var<T>> wrt, std::span<Var<T>> out,
          const std::type_identity_t<GradOptions<T>>& options) {
  Graph<T>& graph = Graph<T>::of("grad", f);
  if (wrt.size() != out.size())
    throw InputError(text("grad: ", wrt.size(), " inputs but ", out.size(), " outputs; they must be equal"));
  const std::uint32_t last = Graph<T>::index(f);
  std::uint32_t first = detail::no_node;
  for (const Var<T>& x : wrt) {
    check_input("grad", f, x);
    first = std::min(first, Graph<T>::index(x));
  }
  if (options.seed)
    check_direction("grad", "seed", options.seed, "f", f);
  else if (f.shape() != Shape{1, 1})
    throw InputError(text("grad: f is ", f.shape(), " and there is no seed; give one of f's shape, or sum f first"));
  const Recording recording = recording_of("grad", graph, options.create_graph);

  const bool connected = Graph<T>::variables(f) && first <= last;
  Sweep<T> sweep(graph, connected ? first : last + 1, last, recording);
  for (const Var<T>& x : wrt)
    if (sweep.covers(Graph<T>::index(x))) sweep.mark(Graph<T>::index(x)) |= asked;
  mark_dependents(sweep);
  if (connected) sweep.derivative(last) = options.seed ? options.seed : graph.loose(graph.filled({1, 1}, 1));
  sweep_back(sweep);
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    const std::uint32_t x = Graph<T>::index(wrt[i]);
    const bool found = sweep.covers(x) && sweep.derivative(x);
    out[i] = found ? sweep.derivative(x) : graph.loose(graph.filled(wrt[i].shape(), 0));
  }
}

template <class T>
Var<T> jvp(const Var<T>& f, const Var<T>& x, const Var<T>& tangent, ForwardOptions options) {
  Graph<T>& graph = Graph<T>::of("jvp", f);
  check_input("jvp", f, x);
  check_direction("jvp", "tangent", tangent, "x", x);
  const Recording recording = recording_of("jvp", graph, options.create_graph);
  const std::uint32_t first = Graph<T>::index(x), last = Graph<T>::index(f);
  const bool connected = Graph<T>::variables(f) && first <= last;
  Sweep<T> sweep(graph, connected ? first : last + 1, last, recording);
  if (connected) {
    mark_precedents(sweep);
    sweep.derivative(first) = tangent;
    sweep_forward(sweep);
    if (sweep.derivative(last)) return sweep.derivative(last);
  }
  return graph.loose(graph.filled(f.shape(), 0));
}

template <class T>
std::vector<Var<T>> jacobian(const Var<T>& f, const Var<T>& x, ForwardOptions options) {
  if (f.rows() != x.rows())
    throw InputError(text("jacobian: f is ", f.shape(), " but x is ", x.shape(), "; f.rows must equal x.rows"));
  Graph<T>& graph = Graph<T>::of("jacobian", f);
  std::vector<Var<T>> rows;
  for (Index j = 0; j < f.cols(); ++j) {
    Var<T> seed = graph.loose(graph.filled(f.shape(), 0));
    const auto values = Graph<T>::value(seed).view();
    for (Index i = 0; i < f.rows(); ++i) values(i, j) = 1;
    rows.push_back(grad(f, x, {.seed = std::move(seed), .create_graph = options.create_graph}));
  }
  return rows;
}

template <class T>
std::vector<Var<T>> hvp(const Var<T>& loss, std::type_identity_t<std::span<const Var<T>>> wrt,
                        const std::vector<Var<T>>& direction) {
  if (wrt.size() != direction.size())
    throw InputError(text("hvp: ", wrt.size(), " inputs but ", direction.size(), " directions; they must be equal"));
  const std::vector<Var<T>> gradient = grad(loss, wrt, {.create_graph = true});
  Var<T> slope;
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    check_direction("hvp", "a direction", direction[i], "its input", wrt[i]);
    Var<T> share = sum(gradient[i] * detached(direction[i]));
    slope = slope ? std::move(slope) + std::move(share) : std::move(share);
  }
  if (!slope) return {};
  return grad(slope, wrt);
}

#define NORMALIGN_INSTANTIATE(T)                                                                        \
  template void grad(const Var<T>&, std::span<const Var<T>>, std::span<Var<T>>, const GradOptions<T>&); \
  template Var<T> jvp(const Var<T>&, const Var<T>&, const Var<T>&, ForwardOptions);                     \
  template std::vector<Var<T>> jacobian(const Var<T>&, const Var<T>&, ForwardOptions);                  \
  template std::vector<Var<T>> hvp(const Var<T>&, std::span<const Var<T>>, const std::vector<Var<T>>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
