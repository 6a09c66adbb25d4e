#include "nn/mlp_file.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("a network as a file holds its tensors under their names") {
  const TemporaryFolder folder;
  const Mlp<float> mlp({.widths = {4, 3, 2}, .activation = Activation::leaky_relu, .slope = 0.25, .seed = 9});
  write_safetensors(folder / "m.safetensors", tensor_file(mlp));
  const TensorFile file = read_safetensors(folder / "m.safetensors");
  CHECK(file.tensors.size() == 4);
  for (std::size_t i = 0; i < 2; ++i) {
    const Tensor& weight = file.tensors.at(text("layers.", i, ".weight"));
    const Tensor& bias = file.tensors.at(text("layers.", i, ".bias"));
    CHECK_FALSE(weight.is_vector);
    CHECK(bias.is_vector);
    CHECK(same_bits(std::get<Matrix<float>>(weight.values), mlp.layers()[i].weight));
    CHECK(same_bits(std::get<Matrix<float>>(bias.values), mlp.layers()[i].bias));
  }
  CHECK(file.metadata.at("activation") == "leaky_relu");
  CHECK(file.metadata.at("slope") == "0.25");
  CHECK(file.metadata.at("widths") == "4 3 2");
  const Mlp<double> no_bias({.widths = {4, 3}, .bias = false});
  CHECK(tensor_file(no_bias).tensors.size() == 1);
}

template <class Stored, class T>
void check_round_trip(const MlpOptions& options) {
  CAPTURE(sizeof(Stored), sizeof(T), options.bias, options.widths.size());
  const TemporaryFolder folder;
  const Mlp<Stored> mlp(options);
  write_safetensors(folder / "m.safetensors", tensor_file(mlp));
  const Mlp<T> found = mlp_from<T>(read_safetensors(folder / "m.safetensors"));
  CHECK(found.options().widths == options.widths);
  CHECK(found.options().activation == options.activation);
  CHECK(found.options().slope == options.slope);
  CHECK(found.options().bias == options.bias);
  REQUIRE(found.parameters().size() == mlp.parameters().size());
  for (std::size_t p = 0; p < mlp.parameters().size(); ++p) {
    const ConstView<Stored> expected = mlp.parameters()[p];
    const ConstView<T> values = found.parameters()[p];
    REQUIRE(values.shape() == expected.shape());
    for (std::size_t i = 0; i < values.span().size(); ++i)
      CHECK(values.span()[i] == static_cast<T>(expected.span()[i]));
  }
  CHECK(tensor_file(found).metadata == tensor_file(mlp).metadata);
}

TEST_CASE("a network comes back from its file, in either precision") {
  for (const MlpOptions& options :
       {MlpOptions{.widths = {4, 3, 2}, .activation = Activation::leaky_relu, .slope = 1.0 / 3, .seed = 9},
        MlpOptions{.widths = {5, 1}, .activation = Activation::quadratic, .bias = false, .seed = 2},
        MlpOptions{.widths = {1, 7, 6, 5, 1}, .activation = Activation::tanh, .init_scale = 1e3, .seed = 3}}) {
    check_round_trip<float, float>(options);
    check_round_trip<double, double>(options);
    check_round_trip<float, double>(options);
    check_round_trip<double, float>(options);
  }
  // Twelve layers: "layers.10.weight" comes before "layers.2.weight" in the file.
  check_round_trip<double, double>({.widths = {2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2}, .seed = 4});
}

// Weights of the shapes that `widths` have, and biases of all layers or none, under these names. Values tell the layers
// apart.
TensorFile stack(const std::vector<std::string>& names, const std::vector<Index>& widths, bool bias = true) {
  const Mlp<double> mlp({.widths = widths, .seed = 8});
  TensorFile file;
  for (std::size_t l = 0; l < names.size(); ++l) {
    const std::string prefix = names[l].empty() ? "" : names[l] + '.';
    file.tensors[prefix + "weight"] = {.values = mlp.layers()[l].weight};
    if (bias) file.tensors[prefix + "bias"] = {.values = mlp.layers()[l].bias, .is_vector = true};
  }
  return file;
}

Tensor matrix(Index rows, Index cols) { return {.values = M(rows, cols)}; }
Tensor vector(Index length) { return {.values = M(1, length), .is_vector = true}; }

std::string refusal(const TensorFile& file, const MlpFileOptions& options = {}) {
  const std::string message = message_of([&] { mlp_from<double>(file, options); });
  CHECK(message.find('\n') == message.npos);
  return message;
}

std::string refusal(TensorFile file, const std::function<void(TensorFile&)>& change) {
  change(file);
  return refusal(file);
}

TEST_CASE("a file as PyTorch writes it is the network, with the activation that the caller says") {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"layers.0.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
      R"("layers.0.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]},)"
      R"("layers.1.bias":{"dtype":"F64","shape":[1],"data_offsets":[32,40]},)"
      R"("layers.1.weight":{"dtype":"F64","shape":[1,2],"data_offsets":[40,56]}})";
  const auto bytes = [](const auto& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
  };
  const TemporaryFolder folder;
  write_file(folder / "pt.safetensors", bytes(std::array<std::uint64_t, 1>{header.size()}) + header +
                                            bytes(std::array<float, 8>{7, 8, 1, 2, 3, 4, 5, 6}) +
                                            bytes(std::array<double, 3>{-3, 0.5, -0.25}));
  const TensorFile file = read_safetensors(folder / "pt.safetensors");
  const auto relu = mlp_from<double>(file, {.activation = Activation::relu});
  CHECK(relu.options().activation == Activation::relu);
  const auto abs = mlp_from<float>(file, {.widths = {3, 2, 1}, .activation = Activation::abs});
  CHECK(abs.options().activation == Activation::abs);
  CHECK(abs.options().bias);
  const M x{{-6, 0, 1}};  // W_1 x + b_1 = (-6 + 3 + 7, -24 + 6 + 8) = (4, -10)
  CHECK(naive_output<double>(relu, x)(0, 0) == -3 + 0.5 * 4);
  CHECK(naive_output<float>(abs, Matrix<float>{{-6, 0, 1}})(0, 0) == -3 + 0.5 * 4 - 0.25 * 10);
}

TEST_CASE("layers may have any names whose numbers order them") {
  const std::vector<std::vector<std::string>> forms = {
      {"layers.0", "layers.1", "layers.2"},
      {"layers.0", "layers.2", "layers.10"},
      {"0", "2", "4"},
      {"net.2", "net.4", "net.16"},
      {"fc1", "fc2", "fc10"},
      {"l1", "l2", "l3"},
      {"module.fc1", "module.fc2", "module.fc3"},
      {"_orig_mod.model.net.0", "_orig_mod.model.net.3", "_orig_mod.model.net.6"},
      {"layers.0007", "layers.8", "layers.00010"},
      {"blocks.0.out", "blocks.1.linear.3", "blocks.1.linear.12"},
      {"layers.99999999999999999999998", "layers.99999999999999999999999", "layers.100000000000000000000000"}};
  for (const auto& names : forms) {
    CAPTURE(names);
    // Widths that any order would fit, so that names alone decide.
    TensorFile file = stack(names, {4, 4, 4, 4});
    file.metadata = {{"format", "pt"}, {"activation", "ReLU"}};
    const Mlp<double> found = mlp_from<double>(file);
    const Mlp<double> expected({.widths = {4, 4, 4, 4}, .seed = 8});
    for (std::size_t p = 0; p < 6; ++p) CHECK(same_bits(found.parameters()[p], expected.parameters()[p]));
    CHECK(linear_layers(file)[1].weight == names[1] + ".weight");
    CHECK(linear_layers(file)[2].bias == names[2] + ".bias");
  }
}

TEST_CASE("where names do not number the layers, the one order that their shapes leave is theirs") {
  const std::pair<std::vector<std::string>, std::vector<Index>> forms[] = {
      {{"encoder", "decoder", "out"}, {5, 3, 7, 2}},
      {{"input", "hidden.0", "hidden.1", "hidden.2", "head"}, {5, 6, 6, 6, 6, 2}},  // numbers order those between
      {{"head", "body"}, {3, 4, 1}},
      {{"stem.fc", "blocks.1.a", "blocks.2.a", "head"}, {4, 6, 6, 6, 3}},
      {{"z", "y", "x", "w", "v", "u"}, {7, 6, 5, 4, 3, 2, 1}}};
  for (const auto& [names, widths] : forms) {
    CAPTURE(names);
    const std::vector<LayerNames> found = linear_layers(stack(names, widths));
    REQUIRE(found.size() == names.size());
    for (std::size_t l = 0; l < names.size(); ++l) CHECK(found[l].weight == names[l] + ".weight");
  }
  // Several orders: decoder and encoder in either.
  CHECK(refusal(stack({"encoder", "decoder"}, {4, 4, 4})) ==
        "weights: found decoder.weight 4x4, encoder.weight 4x4, which chain in more than one order; expected names "
        "that number them, as layers.0.weight");
  CHECK(contains(refusal(stack({"encoder", "middle", "decoder"}, {6, 4, 6, 4})), "in more than one order"));
  CHECK(contains(refusal(stack({"fc", "fc1", "model.fc2"}, {4, 4, 4, 4})), "in more than one order"));
  CHECK(contains(refusal(stack({"layers.0", "layers.00"}, {4, 4, 4})), "in more than one order"));
  // An autoencoder's halves chain in a ring.
  CHECK(contains(refusal(stack({"encoder.0", "encoder.2", "decoder.0", "decoder.2"}, {9, 4, 2, 4, 9})),
                 "in more than one order"));
  // None, be it by shape or against a number.
  TensorFile none = stack({"encoder", "decoder"}, {4, 3, 2});
  none.tensors["head.weight"] = matrix(5, 5);
  CHECK(refusal(none) ==
        "weights: found decoder.weight 2x3, encoder.weight 3x4, head.weight 5x5, which chain in no order; expected "
        "each to have as many columns as the one before it has rows");
  CHECK(contains(refusal(stack({"in", "fc2", "fc1"}, {5, 4, 3, 2})), "which chain in no order"));
  // Many that are alike end soon.
  std::vector<std::string> many;
  for (char c = 'a'; c <= 'z'; ++c) many.emplace_back(1, c);
  TensorFile alike = stack(many, std::vector<Index>(27, 3));
  alike.tensors["zz.weight"] = matrix(5, 4);
  CHECK(contains(refusal(alike), ", h.weight 3x3 and 19 more, which chain in more than one order"));
  many.clear();
  for (int i = 0; i < 65; ++i) many.push_back(text(static_cast<char>('a' + i % 26), static_cast<char>('a' + i / 26)));
  CHECK(contains(refusal(stack(many, std::vector<Index>(66, 1))), "as there are more than 64"));
}

TEST_CASE("a single layer needs neither a name nor an activation") {
  const TensorFile file = stack({""}, {5, 3});
  CHECK(linear_layers(file)[0].weight == "weight");
  const Mlp<float> found = mlp_from<float>(file);
  CHECK(found.options().widths == std::vector<Index>{5, 3});
  CHECK(found.options().activation == Activation::identity);
  CHECK(mlp_from<float>(file, {.activation = Activation::gelu}).options().activation == Activation::gelu);
}

TEST_CASE("a layer without a bias among others has zeros, and without any the network has none") {
  TensorFile file = stack({"0", "2", "4"}, {4, 3, 2, 5});
  for (const char* name : {"0.bias", "4.bias"}) file.tensors.erase(name);
  const auto some = mlp_from<double>(file, {.activation = Activation::tanh});
  CHECK(some.options().bias);
  CHECK(same_bits(some.layers()[0].bias, M(1, 3)));
  CHECK(same_bits(some.layers()[1].bias, std::get<M>(file.tensors.at("2.bias").values)));
  CHECK(same_bits(some.layers()[2].bias, M(1, 5)));
  const auto none = mlp_from<double>(stack({"0", "2", "4"}, {4, 3, 2, 5}, false), {.activation = Activation::tanh});
  CHECK_FALSE(none.options().bias);
  CHECK(none.layers()[1].bias.empty());
}

TEST_CASE("what is no stack of linear layers is refused with the tensor and those that the file holds") {
  const TensorFile good = [] {
    TensorFile file = stack({"net.0", "net.2", "net.4"}, {4, 3, 2, 5});
    file.metadata["activation"] = "ReLU";
    return file;
  }();
  const std::string holds =
      "; the file holds net.0.bias, net.0.weight, net.2.bias, net.2.weight, net.4.bias, net.4.weight";
  CHECK(refusal(good) == "nothing was thrown");

  // Which tensors there are.
  CHECK(refusal(good, [](TensorFile& f) { f.tensors.clear(); }) ==
        "tensors: found none, expected the weights of linear layers");
  CHECK(refusal(good, [](TensorFile& f) { f.tensors.erase("net.0.weight"); }) ==
        "tensor net.0.bias: found without net.0.weight, expected both; the file holds net.0.bias, net.2.bias, "
        "net.2.weight, net.4.bias, net.4.weight");
  for (const char* name : {"net.1.running_mean", "net.1.num_batches_tracked", "net.0.weight ", "net.0.Weight",
                           "net.0.weight_g", "weights", "net.0.weight.0", "", "."}) {
    const std::string message = refusal(good, [&](TensorFile& f) { f.tensors[name] = vector(1); });
    CHECK(message.starts_with(
        text("tensor ", name, ": found, expected only weights and biases of linear layers; the file holds ")));
  }
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.5.running_mean"] = vector(5); }) ==
        "tensor net.5.running_mean: found, expected only weights and biases of linear layers" + holds +
            ", net.5.running_mean");
  CHECK(contains(refusal(good, [](TensorFile& f) { f.tensors["two\nlines, \xff"] = vector(1); }),
                 "tensor two?lines, ?: found"));
  CHECK(contains(refusal(good, [](TensorFile& f) { f.tensors[std::string(5000, 'x')] = vector(1); }),
                 "tensor " + std::string(60, 'x') + "...: found"));
  CHECK(contains(refusal(good,
                         [](TensorFile& f) {
                           for (int i = 0; i < 100; ++i) f.tensors[text("x", i)] = vector(1);
                         }),
                 "net.4.weight, x0, x1 and 98 more"));

  // Weights. A layer norm has one of one dimension.
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.1.weight"] = f.tensors["net.1.bias"] = vector(3); }) ==
        "tensor net.1.weight: found one dimension of 3, expected two, outputs x inputs; the file holds net.0.bias, "
        "net.0.weight, net.1.bias, net.1.weight, net.2.bias, net.2.weight, net.4.bias, net.4.weight");
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.2.weight"] = matrix(2, 4); }) ==
        "tensor net.2.weight: found 2x4, expected 3 columns, the rows of net.0.weight");
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.10.weight"] = matrix(1, 4); }) ==
        "tensor net.10.weight: found 1x4, expected 5 columns, the rows of net.4.weight");
  CHECK(refusal(good, [](TensorFile& f) {
          f.tensors.erase("net.2.weight");
          f.tensors.erase("net.2.bias");
        }) == "tensor net.4.weight: found 5x2, expected 3 columns, the rows of net.0.weight");
  for (const Shape shape : {Shape{0, 4}, Shape{3, 0}, Shape{0, 0}})
    CHECK(refusal(good, [&](TensorFile& f) { f.tensors["net.0.weight"] = matrix(shape.rows, shape.cols); }) ==
          text("tensor net.0.weight: found ", shape, ", expected at least one row and one column"));

  // Biases.
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.2.bias"] = vector(3); }) ==
        "tensor net.2.bias: found length 3, expected one dimension of 2, the rows of net.2.weight");
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.2.bias"] = vector(0); }) ==
        "tensor net.2.bias: found length 0, expected one dimension of 2, the rows of net.2.weight");
  CHECK(refusal(good, [](TensorFile& f) { f.tensors["net.2.bias"] = matrix(1, 2); }) ==
        "tensor net.2.bias: found 1x2, expected one dimension of 2, the rows of net.2.weight");
}

TEST_CASE("metadata and the caller must agree on widths, activation and slope, and one of them says the latter two") {
  TensorFile file = tensor_file(Mlp<double>({.widths = {4, 3, 2, 5}, .activation = Activation::tanh, .seed = 1}));
  const auto with = [&](const char* key, const std::string& words) {
    TensorFile changed = file;
    changed.metadata[key] = words;
    return changed;
  };
  for (const char* widths : {"4 3 2", "4 3 2 5 1", "4,3,2,5", "4 3  2 5", "", "x", "4 3 2 5\n"})
    CHECK(contains(refusal(with("widths", widths)), "metadata widths: found '"));
  // A file of ours without its last layer is another network: only the metadata know.
  TensorFile shorter = file;
  shorter.tensors.erase("layers.2.weight");
  shorter.tensors.erase("layers.2.bias");
  CHECK(refusal(shorter) == "metadata widths: found '4 3 2 5', expected '4 3 2', those of the tensors");
  CHECK(refusal(file, {.widths = {4, 3, 2}}) == "widths: found '4 3 2 5' in the tensors, expected '4 3 2'");
  CHECK(refusal(file, {.widths = {4, 3, 2, 5}}) == "nothing was thrown");

  CHECK(contains(refusal(with("activation", "E\nLU")), "metadata activation: found 'E?LU', expected one of relu, "));
  CHECK(contains(refusal(with("activation", "")), "metadata activation: found ''"));
  CHECK(contains(refusal(with("activation", "ELU"), {.activation = Activation::relu}), "found 'ELU'"));
  CHECK(refusal(file, {.activation = Activation::tanh}) == "nothing was thrown");
  CHECK(refusal(file, {.activation = Activation::relu}) == "metadata activation: found tanh, expected relu");
  for (const char* slope : {"-0.5", "nan", "inf", "", "x", "0.5x", " 0.5", "1e999", "0,5"})
    CHECK(refusal(with("slope", slope)) == text("metadata slope: found '", slope, "', expected a finite number >= 0"));

  file.metadata = {{"format", "mlx"}};
  CHECK(refusal(file) ==
        "metadata activation: found none, expected one of relu, leaky_relu, abs, tanh, sigmoid, softplus, silu, gelu, "
        "gelu_tanh, quadratic, identity; say it by --activation, or in Python by save_file(..., "
        "metadata={\"activation\": \"ReLU\"})");
  CHECK(contains(refusal(file, {.activation = Activation::leaky_relu}),
                 "metadata slope: found none, expected leaky_relu's; say it by --slope, or in Python by "));
  CHECK(contains(refusal(with("activation", "nn.LeakyReLU()")), "metadata slope: found none, expected leaky_relu's"));
  CHECK(refusal(file, {.activation = Activation::relu, .slope = 0.1}) ==
        "slope: found 0.1, expected none, as the activation is relu");

  const auto found = mlp_from<double>(file, {.activation = Activation::leaky_relu, .slope = 0.1}).options();
  CHECK((found.activation == Activation::leaky_relu && found.slope == 0.1));
  CHECK(mlp_from<double>(with("slope", "0.2"), {.activation = Activation::leaky_relu}).options().slope == 0.2);
  const TensorFile printed = with("activation", "LeakyReLU(negative_slope=0.3)");
  CHECK(mlp_from<double>(printed).options().slope == 0.3);
  CHECK(mlp_from<double>(printed, {.slope = 0.3}).options().slope == 0.3);
  CHECK(refusal(printed, {.slope = 0.2}) == "metadata slope: found 0.3, expected 0.2");
  file = printed;
  CHECK(refusal(with("slope", "0.01")) == "metadata slope: found 0.01, expected 0.3");
}

TEST_CASE("values that are not finite, or that the precision cannot hold, are refused by name") {
  const auto refusal = []<class T>(T, const TensorFile& file) { return message_of([&] { mlp_from<T>(file); }); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double bad : {infinity, -infinity, nan}) {
    Mlp<double> mlp({.widths = {4, 3, 2}});
    mlp.parameters()[2](1, 2) = bad;
    CHECK(refusal(0.0, tensor_file(mlp)) ==
          text("tensor layers.1.weight: found ", bad, " at (1, 2), expected a finite float64"));
    Mlp<float> narrow({.widths = {4, 3, 2}});
    narrow.parameters()[1](0, 2) = static_cast<float>(bad);
    CHECK(refusal(0.0F, tensor_file(narrow)) ==
          text("tensor layers.0.bias: found ", bad, " at (0, 2), expected a finite float32"));
    CHECK(contains(refusal(0.0, tensor_file(narrow)), "tensor layers.0.bias"));
  }
  Mlp<double> large({.widths = {4, 3, 2}});
  large.parameters()[0](2, 3) = -1e39;
  CHECK(refusal(0.0, tensor_file(large)) == "nothing was thrown");
  CHECK(refusal(0.0F, tensor_file(large)) ==
        "tensor layers.0.weight: found -1e+39 at (2, 3), expected a finite float32");
}

}  // namespace
}  // namespace normalign::tests
