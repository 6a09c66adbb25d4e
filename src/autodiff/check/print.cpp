#include "autodiff/check/print.hpp"

#include <algorithm>
#include <string>

#include "autodiff/primitive.hpp"

namespace normalign {
namespace {

template <class Node>
std::string operation(const Node& node) {
  if (!node.primitive) return node.depends ? "variable" : "constant";
  std::string result = node.primitive->name;
  for (std::size_t k = 0; k < node.primitive->arity; ++k) result += text(k ? ", " : "(", node.inputs[k]);
  return result + ')';
}

template <class Node>
std::string keepers(const Node& node) {
  const auto vars = node.holds / 2;
  std::string result = vars > 1 ? text(vars, " Vars") : vars ? "a Var" : "";
  const auto add = [&](const char* keeper) { result += (result.empty() ? "" : ", ") + std::string(keeper); };
  if (node.holds % 2) add("a rule");
  if (node.value.data && !node.value.block) add("the caller");
  return result.empty() ? "nobody" : result;
}

}  // namespace

template <class T>
void print(const Tape<T>& tape, std::ostream& out) {
  const auto& nodes = detail::Graph<T>::of(tape).nodes;
  std::size_t width = std::string("operation").size();
  for (const auto& node : nodes) width = std::max(width, operation(node).size());
  const auto padded = [](std::string word, std::size_t columns) {
    word.resize(std::max(word.size(), columns), ' ');
    return word + "  ";
  };
  out << "node  " << padded("operation", width) << padded("shape", 9) << "kept by\n";
  for (std::size_t i = 0; i < nodes.size(); ++i)
    out << padded(text(i), 4) << padded(operation(nodes[i]), width) << padded(text(nodes[i].value.shape()), 9)
        << keepers(nodes[i]) << '\n';
}

template void print(const Tape<float>&, std::ostream&);
template void print(const Tape<double>&, std::ostream&);

}  // namespace normalign
