#include "autodiff/check/print.hpp"

#include <sstream>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

template <class T>
std::string printed(const Tape<T>& tape) {
  std::ostringstream out;
  print(tape, out);
  return out.str();
}

TEST_CASE("a tape prints its nodes, their inputs and shapes, and who keeps their values") {
  const M held(4, 3);
  Tape<double> tape;
  const V w = tape.variable(M{{1, 2, 3}}), same = w;
  const V x = tape.borrowed_constant(held);
  V y = sum(tanh(linear(x, w)));
  const V fresh = tape.constant(M(0, 2));
  CHECK(printed(tape) ==
        "node  operation     shape      kept by\n"
        "0     variable      1x3        2 Vars\n"
        "1     constant      4x3        a Var, a rule, the caller\n"
        "2     matmul(1, 0)  4x1        nobody\n"
        "3     tanh(2)       4x1        a rule\n"
        "4     sum(3)        1x1        a Var\n"
        "5     constant      0x2        a Var\n");
  y = {};
  CHECK(printed(tape).find("sum(3)        1x1        nobody\n") != std::string::npos);
  tape.clear();
  CHECK(printed(tape) == "node  operation  shape      kept by\n");
}

TEST_CASE("an unrecorded sweep prints nothing, a recorded one the operations of its rules") {
  Tape<float> tape;
  const Var<float> x = tape.variable(Matrix<float>{{1, 2}});
  const Var<float> f = sum(exp(x));
  const std::string before = printed(tape);
  grad(f, x);
  CHECK(printed(tape) == before);
  const Var<float> g = grad(f, x, {.create_graph = true});
  const std::string after = printed(tape);
  CHECK(after.find("multiply(") != std::string::npos);
}

}  // namespace
}  // namespace normalign::tests
