#include "nn/activation.hpp"

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

constexpr const char* activation_names[] = {"relu",     "leaky_relu", "abs",       "tanh",    "sigmoid",
                                            "softplus", "silu",       "quadratic", "identity"};

TEST_CASE("activations have activation_names that lead back to them") {
  for (const char* word : activation_names) CHECK(name(activation(word)) == word);
  CHECK(activation("relu") == Activation::relu);
  CHECK(activation("identity") == Activation::identity);
  CHECK(message_of([] { activation("gelu"); }) ==
        "activation: found 'gelu', expected one of relu, leaky_relu, abs, tanh, sigmoid, softplus, silu, quadratic, "
        "identity; did you mean relu?");
  CHECK(contains(message_of([] { activation(""); }), "found ''"));
}

TEST_CASE("every activation is its formula") {
  const M t = random_matrix({5, 7}, 1, -4, 4);
  for (const char* word : activation_names) {
    CAPTURE(word);
    const Activation a = activation(word);
    M expected(5, 7);
    for (std::size_t i = 0; i < t.span().size(); ++i) expected.span()[i] = naive_activation(a, t.span()[i], 0.3);
    Tape<double> tape;
    CHECK(relative_error(activated(a, tape.variable(t), 0.3).value(), expected) <= tolerance<double>());
  }
}

TEST_CASE("the frozen pattern is the activation's slope, at kinks too, and nothing else") {
  M t = random_matrix({5, 7}, 1, -4, 4);
  t(0, 0) = t(1, 1) = 0;
  const M u = random_matrix({5, 7}, 2);
  for (const char* word : activation_names) {
    CAPTURE(word);
    const Activation a = activation(word);
    Tape<double> tape;
    const auto at = tape.variable(t), through = tape.variable(u);
    const auto y = activated(a, at, 0.3);
    if (!is_piecewise_affine(a)) {
      CHECK(message_of([&] { through_pattern(a, through, at, y, 0.3); }) ==
            std::string("through_pattern: activation is ") + word +
                "; it must be piecewise affine: relu, leaky_relu, abs or identity");
      continue;
    }
    const auto passed = through_pattern(a, through, at, y, 0.3);
    // The pullback of the activation takes the same slopes.
    CHECK(relative_error(passed.value(), grad(y, at, {.seed = through}).value()) <= tolerance<double>());
    // In u it is linear, in t it is constant.
    const auto seed = tape.constant(random_matrix({5, 7}, 3));
    CHECK(all_zero(grad(passed, at, {.seed = seed}).value()));
    CHECK(relative_error(grad(passed, through, {.seed = seed}).value(), grad(y, at, {.seed = seed}).value()) <=
          tolerance<double>());
  }
}

TEST_CASE("piecewise affine are relu, leaky_relu, abs and identity") {
  for (const char* word : activation_names) {
    const std::string known = word;
    CHECK(is_piecewise_affine(activation(word)) ==
          (known == "relu" || known == "leaky_relu" || known == "abs" || known == "identity"));
  }
}

}  // namespace
}  // namespace normalign::tests
