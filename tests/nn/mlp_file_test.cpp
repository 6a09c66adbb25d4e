#include "nn/mlp_file.hpp"

#include <cmath>
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

TEST_CASE("a file as PyTorch writes it needs no metadata; what they do not say the caller does") {
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
  const Mlp<double> relu = mlp_from<double>(file);
  CHECK(relu.options().activation == Activation::relu);
  const Mlp<float> abs =
      mlp_from<float>(file, {.widths = {3, 2, 1}, .activation = Activation::abs, .bias = false, .seed = 5});
  CHECK(abs.options().activation == Activation::abs);
  CHECK(abs.options().bias);
  CHECK(abs.options().seed == 5);
  const M x{{-6, 0, 1}};  // W_1 x + b_1 = (-6 + 3 + 7, -24 + 6 + 8) = (4, -10)
  CHECK(naive_output<double>(relu, x)(0, 0) == -3 + 0.5 * 4);
  CHECK(naive_output<float>(abs, Matrix<float>{{-6, 0, 1}})(0, 0) == -3 + 0.5 * 4 - 0.25 * 10);
}

TEST_CASE("a file that holds no network is refused with the tensor's name") {
  const TensorFile good = tensor_file(Mlp<double>({.widths = {4, 3, 2, 5}, .seed = 1}));
  const auto refusal = [&](const auto& change, const MlpOptions& options = {}) {
    TensorFile file = good;
    change(file);
    const std::string message = message_of([&] { mlp_from<double>(file, options); });
    CHECK(message.find('\n') == message.npos);
    return message;
  };
  const auto matrix = [](Index rows, Index cols) { return Tensor{.values = M(rows, cols)}; };
  const auto vector = [](Index length) { return Tensor{.values = M(1, length), .is_vector = true}; };
  CHECK(refusal([](TensorFile&) {}) == "nothing was thrown");

  // Which tensors there are.
  CHECK(refusal([](TensorFile& f) { f.tensors.clear(); }) == "tensor layers.0.weight: found none, expected a matrix");
  CHECK(refusal([](TensorFile& f) { f.tensors.erase("layers.0.weight"); }) ==
        "tensor 'layers.0.bias': found, expected layers.0.weight");
  CHECK(refusal([](TensorFile& f) { f.tensors.erase("layers.1.weight"); }) ==
        "tensor 'layers.1.bias': found, expected only the weights and biases of layers 0 to 0, as there is no "
        "layers.1.weight");
  CHECK(refusal([](TensorFile& f) {
          f.tensors.erase("layers.1.weight");
          f.tensors.erase("layers.1.bias");
        }) ==
        "tensor 'layers.2.bias': found, expected only the weights and biases of layers 0 to 0, as there is no "
        "layers.1.weight");
  // A file without its last layer is another network: only the metadata know.
  CHECK(refusal([](TensorFile& f) {
          f.tensors.erase("layers.2.weight");
          f.tensors.erase("layers.2.bias");
        }) == "metadata widths: found '4 3 2 5', expected '4 3 2', those of the tensors");
  for (const char* name : {"layers.3.bias", "layers.00.weight", "layers.0.weight ", "layers.-1.weight",
                           "layers.0.running_mean", "fc.weight", "", "layers.18446744073709551616.weight"})
    CHECK(refusal([&](TensorFile& f) { f.tensors[name] = vector(1); }) ==
          text("tensor '", name,
               "': found, expected only the weights and biases of layers 0 to 2, as there is no layers.3.weight"));
  CHECK(contains(refusal([&](TensorFile& f) { f.tensors["two\nlines, \xff"] = vector(1); }), "'two?lines, ?'"));
  CHECK(contains(refusal([&](TensorFile& f) { f.tensors[std::string(5000, 'x')] = vector(1); }),
                 "'" + std::string(60, 'x') + "...'"));

  // Weights.
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.1.weight"] = matrix(2, 4); }) ==
        "tensor layers.1.weight: found 2x4, expected 3 columns, the rows of layers.0.weight");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.1.weight"] = matrix(3, 2); }) ==
        "tensor layers.1.weight: found 3x2, expected 3 columns, the rows of layers.0.weight");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.3.weight"] = matrix(1, 4); }) ==
        "tensor layers.3.weight: found 1x4, expected 5 columns, the rows of layers.2.weight");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.2.weight"] = vector(2); }) ==
        "tensor layers.2.weight: found one dimension of 2, expected two, outputs x inputs");
  for (const Shape shape : {Shape{0, 4}, Shape{3, 0}, Shape{0, 0}})
    CHECK(refusal([&](TensorFile& f) { f.tensors["layers.0.weight"] = matrix(shape.rows, shape.cols); }) ==
          text("tensor layers.0.weight: found ", shape, ", expected at least one row and one column"));

  // Biases.
  CHECK(refusal([](TensorFile& f) { f.tensors.erase("layers.1.bias"); }) ==
        "tensor layers.1.bias: found none, expected one, since layer 0 has one");
  CHECK(refusal([](TensorFile& f) { f.tensors.erase("layers.0.bias"); }) ==
        "tensor layers.1.bias: found, expected none, since layer 0 has none");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.1.bias"] = vector(3); }) ==
        "tensor layers.1.bias: found length 3, expected one dimension of 2, the rows of layers.1.weight");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.1.bias"] = vector(0); }) ==
        "tensor layers.1.bias: found length 0, expected one dimension of 2, the rows of layers.1.weight");
  CHECK(refusal([&](TensorFile& f) { f.tensors["layers.1.bias"] = matrix(1, 2); }) ==
        "tensor layers.1.bias: found 1x2, expected one dimension of 2, the rows of layers.1.weight");

  // Metadata and the caller.
  for (const char* widths : {"4 3 2", "4 3 2 5 1", "4,3,2,5", "4 3  2 5", "", "x", "4 3 2 5\n"})
    CHECK(contains(refusal([&](TensorFile& f) { f.metadata["widths"] = widths; }), "metadata widths: found '"));
  CHECK(contains(refusal([](TensorFile& f) { f.metadata["activation"] = "ge\nlu"; }),
                 "metadata activation: found 'ge?lu', expected one of relu, "));
  CHECK(contains(refusal([](TensorFile& f) { f.metadata["activation"] = ""; }), "metadata activation: found ''"));
  for (const char* slope : {"-0.5", "nan", "inf", "", "x", "0.5x", " 0.5", "1e999", "0,5"})
    CHECK(refusal([&](TensorFile& f) { f.metadata["slope"] = slope; }) ==
          text("metadata slope: found '", slope, "', expected a finite number >= 0"));
  CHECK(refusal([](TensorFile&) {}, {.widths = {4, 3, 2}}) ==
        "widths: found '4 3 2 5' in the tensors, expected '4 3 2'");
  CHECK(refusal([](TensorFile&) {}, {.widths = {4, 3, 2, 5}}) == "nothing was thrown");
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
