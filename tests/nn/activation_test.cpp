#include "nn/activation.hpp"

#include <map>

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

TEST_CASE("activations have names that lead back to them") {
  for (const std::string& word : activation_names()) CHECK(name(activation(word)) == word);
  CHECK(activation_names().size() == 11);
  CHECK(activation("relu") == Activation::relu);
  CHECK(activation("gelu") == Activation::gelu);
  CHECK(activation("identity") == Activation::identity);
}

TEST_CASE("an activation is understood as PyTorch writes it") {
  using enum Activation;
  const std::map<std::string, NamedActivation> expected = {
      // classes, functions, in any module
      {"ReLU", {relu}},
      {"nn.ReLU", {relu}},
      {"torch.nn.ReLU", {relu}},
      {"torch.relu", {relu}},
      {"torch.nn.functional.relu", {relu}},
      {"F.relu", {relu}},
      {"LeakyReLU", {leaky_relu}},
      {"F.leaky_relu", {leaky_relu}},
      {"Tanh", {tanh}},
      {"torch.tanh", {tanh}},
      {"Sigmoid", {sigmoid}},
      {"Softplus", {softplus}},
      {"SiLU", {silu}},
      {"GELU", {gelu}},
      {"F.gelu", {gelu}},
      {"nn.GELU", {gelu}},
      {"torch.abs", {abs}},
      {"Identity", {identity}},
      // as printed, by PyTorch 1 and 2
      {"ReLU()", {relu}},
      {"ReLU(inplace=True)", {relu}},
      {"LeakyReLU(negative_slope=0.01)", {leaky_relu, 0.01}},
      {"LeakyReLU(negative_slope=0.25, inplace=True)", {leaky_relu, 0.25}},
      {"LeakyReLU(negative_slope=1e-05)", {leaky_relu, 1e-5}},
      {"nn.LeakyReLU(0.1)", {leaky_relu, 0.1}},
      {"GELU()", {gelu}},
      {"GELU(approximate=none)", {gelu}},
      {"GELU(approximate='none')", {gelu}},
      {"GELU(approximate='tanh')", {gelu_tanh}},
      {"nn.GELU(approximate = \"tanh\")", {gelu_tanh}},
      {"gelu_tanh", {gelu_tanh}},
      {"Softplus(beta=1, threshold=20)", {softplus}},
      {"Softplus(beta=1.0, threshold=20.0)", {softplus}},
      {"SiLU()", {silu}},
      {"Tanh()", {tanh}}};
  for (const auto& [words, meant] : expected) {
    CAPTURE(words);
    CHECK(named_activation(words).activation == meant.activation);
    CHECK(named_activation(words).slope == meant.slope);
  }
}

TEST_CASE("words that name no activation, or another function, are refused") {
  for (const char* words : {"", "ELU", "ReLU6", "PReLU(num_parameters=1)", "Softmax(dim=1)", "relu(", "(relu)",
                            "relu()x", "my.relu", "nn.", "()"})
    CHECK(message_of([&] { activation(words); }) == text("activation: found '", words,
                                                         "', expected one of relu, leaky_relu, abs, tanh, sigmoid, "
                                                         "softplus, silu, gelu, gelu_tanh, quadratic, identity"));
  const std::pair<const char*, const char*> arguments[] = {{"Softplus(beta=2, threshold=20)", "beta=2"},
                                                           {"Softplus(beta=1, threshold=2)", " threshold=2"},
                                                           {"GELU(approximate='fast')", "approximate='fast'"},
                                                           {"LeakyReLU(negative_slope=-1)", "negative_slope=-1"},
                                                           {"LeakyReLU(negative_slope=x)", "negative_slope=x"},
                                                           {"LeakyReLU(negative_slope=inf)", "negative_slope=inf"},
                                                           {"Tanh(2)", "2"}};
  for (const auto& row : arguments)
    CHECK(message_of([&] { activation(row.first); }) ==
          text("activation: found '", row.first, "', expected no ", row.second));
  CHECK(message_of([] { activation("LeakyReLU(0.1)"); }) ==
        "activation: found 'LeakyReLU(0.1)', expected a name without a slope");
  CHECK(contains(message_of([] { activation("two\nlines"); }), "'two?lines'"));
}

TEST_CASE("every activation is its formula") {
  const M t = random_matrix({5, 7}, 1, -4, 4);
  for (const std::string& word : activation_names()) {
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
  for (const std::string& word : activation_names()) {
    CAPTURE(word);
    const Activation a = activation(word);
    Tape<double> tape;
    const auto at = tape.variable(t), through = tape.variable(u);
    const auto y = activated(a, at, 0.3);
    if (!is_piecewise_affine(a)) {
      CHECK(message_of([&] { through_pattern(a, through, at, y, 0.3); }) ==
            "through_pattern: activation is " + word +
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
  for (const std::string& word : activation_names()) {
    CHECK(is_piecewise_affine(activation(word)) ==
          (word == "relu" || word == "leaky_relu" || word == "abs" || word == "identity"));
  }
}

}  // namespace
}  // namespace normalign::tests
