#include "autodiff/check/op_table.hpp"

#include <cctype>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "autodiff/grad.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

std::string shapes_text(const std::vector<Shape>& shapes) {
  std::string result;
  for (const Shape& shape : shapes) result += text(result.empty() ? "" : ", ", shape);
  return result;
}

std::vector<Var<double>> variables(Tape<double>& tape, const std::vector<Matrix<double>>& values) {
  std::vector<Var<double>> result;
  for (const auto& value : values) result.push_back(tape.variable(value));
  return result;
}

// How many shapes, "3x4", a message names.
std::ptrdiff_t shapes_in(const std::string& message) {
  const auto digit = [&](std::size_t at) {
    return at < message.size() && std::isdigit(static_cast<unsigned char>(message[at]));
  };
  std::ptrdiff_t count = 0;
  for (std::size_t i = 1; i < message.size(); ++i) count += message[i] == 'x' && digit(i - 1) && digit(i + 1);
  return count;
}

// The names of the primitives that a source defines, each the identifier without its `_op`.
std::vector<std::string> defined_in(const std::string& source) {
  static const std::regex definition("Primitive<T> \\w+<T>::(\\w+)_op = ");
  std::vector<std::string> result;
  for (std::sregex_iterator match(source.begin(), source.end(), definition), end; match != end; ++match)
    result.push_back((*match)[1]);
  return result;
}

// The name that an error opens with: the function that a user called.
std::string caller(const OpRow& row) {
  const auto colon = row.name.find(": ");
  return colon == std::string::npos ? row.primitive() : row.name.substr(colon + 2);
}

template <class T>
std::map<std::string, const Primitive<T>*> primitives_by_name() {
  std::map<std::string, const Primitive<T>*> result;
  for (const Primitive<T>* primitive : all_primitives<T>()) result[primitive->name] = primitive;
  return result;
}

// A leaf's value. Zeros stand in for a constant that the tape has freed, since no rule reads it; where the
// operation's value looks at it, the comparison with the original fails.
template <class T>
Matrix<T> leaf_value(const detail::Graph<double>::Node& leaf) {
  Matrix<T> value(leaf.value.rows, leaf.value.cols);
  if (leaf.value.data)
    std::ranges::transform(leaf.value.view().span(), value.data(), [](double x) { return static_cast<T>(x); });
  return value;
}

// A tape written down anew, operation by operation, in another scalar type.
template <class T>
struct Transcript {
  Tape<T> tape;
  std::vector<Var<T>> vars;  // one for each node of the original

  explicit Transcript(const detail::Graph<double>& original) {
    static const auto primitives = primitives_by_name<T>();
    for (const auto& node : original.nodes) {
      if (!node.primitive) {
        const Matrix<T> value = leaf_value<T>(node);
        vars.push_back(node.depends ? tape.variable(value) : tape.constant(value));
        continue;
      }
      std::vector<Var<T>> inputs;
      std::vector<Var<T>*> pointers;
      for (std::size_t k = 0; k < node.primitive->arity; ++k) inputs.push_back(vars.at(node.inputs[k]));
      for (auto& input : inputs) pointers.push_back(&input);
      auto& graph = detail::Graph<T>::of("test", inputs[0]);
      vars.push_back(graph.apply(*primitives.at(node.primitive->name), pointers, node.attribute));
    }
  }
};

TEST_CASE("every operation gives the value of the plain loops, recorded or not") {
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.shapes) {
      CAPTURE(row.name, shapes_text(shapes));
      const auto inputs = row.inputs(shapes, 1);
      const Matrix<double> expected = row.naive(inputs);
      Tape<double> tape;
      const auto x = variables(tape, inputs);
      const auto recorded = row.function(tape, x);
      CHECK(relative_error(recorded.value(), expected) <= tolerance<double>());

      const Index nodes = tape.nodes();
      const WithoutRecording<double> scope(tape);
      const auto unrecorded = row.function(tape, x);
      CHECK(same_bits(unrecorded.value(), recorded.value()));
      CHECK(tape.nodes() == nodes);
      for (std::size_t k = 0; k < x.size(); ++k) CHECK(same_bits(x[k].value(), inputs[k]));
    }
}

TEST_CASE("every operation's derivatives pass the gradient check to the third order") {
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.shapes) {
      CAPTURE(row.name, shapes_text(shapes));
      const auto report = gradcheck(row.function, row.inputs(shapes, 2), {.name = row.name, .order = 3});
      INFO(report.failure);
      CHECK(report.passed);
      for (double error : report.forward_error) CHECK(error <= tolerance<double>(3));
    }
}

// gradcheck never differentiates a pushforward; a penalty on Jacobian-vector products does.
TEST_CASE("every operation's pushforward can itself be differentiated twice") {
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.shapes) {
      CAPTURE(row.name, shapes_text(shapes));
      const DifferentiableFunction pushed = [&](Tape<double>& tape, std::span<const Var<double>> x) {
        const std::size_t count = x.size() / 2;
        const auto y = row.function(tape, x.first(count));
        Var<double> total = tape.full(y.shape(), 0);
        for (std::size_t k = 0; k < count; ++k) total = total + jvp(y, x[k], x[count + k], {.create_graph = true});
        return total;
      };
      auto inputs = row.inputs(shapes, 3);
      for (const Shape& shape : shapes) inputs.push_back(random_matrix(shape, 4));
      const auto report = gradcheck(pushed, inputs, {.name = row.name, .order = 2});
      INFO(report.failure);
      CHECK(report.passed);
    }
}

TEST_CASE("every misfit of shapes is refused with the operation's name, both shapes and what is required") {
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.misfits) {
      CAPTURE(row.name, shapes_text(shapes));
      Tape<double> tape;
      const auto x = variables(tape, row.inputs(shapes, 5));
      const std::string message = message_of([&] { row.function(tape, x); });
      CAPTURE(message);
      CHECK(message.starts_with(caller(row) + ": "));
      CHECK(contains(message, row.message));
      const bool names_one_of_them =
          std::ranges::any_of(shapes, [&](const Shape& shape) { return contains(message, text(shape)); });
      CHECK(names_one_of_them);
      const auto named = shapes_in(message);
      CHECK(named >= std::min<std::ptrdiff_t>(2, std::ssize(shapes)));
      CHECK(tape.nodes() == std::ssize(shapes));
      CHECK(tape.buffers() == std::ssize(shapes));
    }
}

TEST_CASE("every primitive has a row and every row a primitive") {
  std::set<std::string> in_table;
  for (const OpRow& row : op_table()) in_table.insert(row.primitive());
  std::set<std::string> doubles, floats;
  for (const auto* primitive : all_primitives<double>()) CHECK(doubles.insert(primitive->name).second);
  for (const auto* primitive : all_primitives<float>()) CHECK(floats.insert(primitive->name).second);
  CHECK(doubles == floats);
  CHECK(in_table == doubles);

  std::set<std::string> rows;
  for (const OpRow& row : op_table()) {
    CAPTURE(row.name);
    CHECK(rows.insert(row.name).second);
    CHECK_FALSE(row.shapes.empty());
  }
}

TEST_CASE("every primitive in the sources is in all_primitives") {
  const std::filesystem::path folder = "src/autodiff";
  if (!std::filesystem::exists(folder)) return skip("primitives in the sources: there is no folder src/autodiff here");
  std::set<std::string> listed, written;
  for (const auto* primitive : all_primitives<double>()) listed.insert(primitive->name);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (!file.starts_with("ops_") || !file.ends_with(".cpp")) continue;
    for (const std::string& name : defined_in(read_file(entry.path()))) {
      CAPTURE(file, name);
      CHECK(written.insert(name).second);
    }
  }
  CHECK(written == listed);
}

TEST_CASE("every operation's value and gradient in float agree with those in double") {
  std::set<std::string> not_recorded;
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.shapes) {
      CAPTURE(row.name, shapes_text(shapes));
      Tape<double> tape;
      const auto x = variables(tape, row.inputs(shapes, 6));
      const auto y = row.function(tape, x);
      if (!y.depends()) {
        not_recorded.insert(row.name);
        continue;
      }
      const auto& graph = detail::Graph<double>::of("test", y);
      const auto output = detail::Graph<double>::index(y);
      const Transcript<float> in_float(graph);
      CHECK(relative_error(in_float.vars[output].value(), y.value()) <= tolerance<float>());

      const Matrix<double> seed = random_matrix(y.shape(), 7);
      Matrix<float> float_seed(seed.rows(), seed.cols());
      std::ranges::transform(seed.span(), float_seed.data(), [](double s) { return static_cast<float>(s); });
      Transcript<float> again(graph);
      const auto seed_var = again.tape.constant(float_seed);
      for (const auto& input : x) {
        const auto expected = grad(y, input, {.seed = tape.constant(seed)});
        const auto found =
            grad(again.vars[output], again.vars[detail::Graph<double>::index(input)], {.seed = seed_var});
        CHECK(relative_error(found.value(), expected.value()) <= tolerance<float>(1));
      }
    }
  CHECK(not_recorded == std::set<std::string>{"sign"});  // its derivative is zero: see ops_elementwise_test
}

TEST_CASE("an operand that lends its memory to the result does not change the result") {
  for (const OpRow& row : op_table())
    for (const auto& shapes : row.shapes) {
      Tape<double> tape;
      const auto x = variables(tape, row.inputs(shapes, 8));
      const auto y = row.function(tape, x);
      if (!y.depends()) continue;
      const auto& nodes = detail::Graph<double>::of("test", y).nodes;
      if (std::ranges::count_if(nodes, [](const auto& node) { return node.primitive != nullptr; }) != 1) continue;
      const auto& node = nodes[detail::Graph<double>::index(y)];
      for (const bool recorded : {false, true}) {
        CAPTURE(row.name, shapes_text(shapes), recorded);
        Tape<double> other;
        std::map<std::uint32_t, Var<double>> leaves;
        for (std::size_t k = 0; k < node.primitive->arity; ++k) {
          const auto value = leaf_value<double>(nodes[node.inputs[k]]);
          leaves[node.inputs[k]] =
              recorded && nodes[node.inputs[k]].depends ? other.variable(value) : other.constant(value);
        }
        std::vector<Var<double>> inputs;
        for (std::size_t k = 0; k < node.primitive->arity; ++k) inputs.push_back(leaves.at(node.inputs[k]));
        leaves.clear();  // the operands are now the only handles, except where one occurs twice
        std::vector<Var<double>*> pointers;
        for (auto& input : inputs) pointers.push_back(&input);
        const auto result =
            detail::Graph<double>::of("test", inputs[0]).apply(*node.primitive, pointers, node.attribute);
        CHECK(same_bits(result.value(), y.value()));
      }
    }
}

}  // namespace
}  // namespace normalign::tests
