#include "python/bindings/models/network.hpp"

#include <pybind11/stl/filesystem.h>

#include "base/error.hpp"
#include "geometry/local_geometry.hpp"
#include "nn/evaluate.hpp"
#include "nn/mlp_file.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"
#include "robustness/class_attack.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;
using Biases = std::optional<std::vector<std::optional<ArrayLike>>>;
using Weights = std::vector<ArrayLike>;

template <class To, class From>
Mlp<To> converted_mlp(const Mlp<From>& mlp) {
  std::vector<Layer<To>> layers;
  for (const Layer<From>& layer : mlp.layers())
    layers.push_back({converted<To>(layer.weight.view()), converted<To>(layer.bias.view())});
  return Mlp<To>(mlp.options(), std::move(layers));
}

// ---- how one is made -------------------------------------------------------------------------------------------

// An array of a network file: of one dimension a bias, of two a weight.
template <class T>
Tensor tensor(const std::string& name, const py::array& array) {
  if (array.ndim() == 1) {
    const MatrixArgument<T> row(name.c_str(), as_row(array));
    return {Matrix<T>(row.view()), true};
  }
  return {Matrix<T>(MatrixArgument<T>(name.c_str(), array).view()), false};
}

bool is_all_float32(const TensorFile& file) {
  return std::ranges::all_of(file.tensors, [](const auto& named) { return named.second.values.index() == 0; });
}

// In float where every tensor is.
std::shared_ptr<Network> network_from(const TensorFile& file, const MlpFileOptions& options) {
  if (is_all_float32(file)) return std::make_shared<Network>(mlp_from<float>(file, options));
  return std::make_shared<Network>(mlp_from<double>(file, options));
}

// The slope that the caller or the activation's words say.
std::optional<double> slope_of(const NamedActivation& named, std::optional<double> slope) {
  if (named.slope && slope && *named.slope != *slope)
    throw InputError(text("slope: found ", *slope, ", expected that of the activation, ", *named.slope));
  return slope ? slope : named.slope;
}

MlpFileOptions file_options(const std::optional<std::string>& activation, std::optional<double> slope) {
  MlpFileOptions options{.slope = slope};
  if (!activation) return options;
  const NamedActivation named = named_activation(*activation);
  options.activation = named.activation;
  options.slope = slope_of(named, slope);
  return options;
}

std::shared_ptr<Network> loaded(const std::filesystem::path& path, const std::optional<std::string>& activation,
                                std::optional<double> slope) {
  const MlpFileOptions options = file_options(activation, slope);
  return without_lock([&] { return network_from(read_safetensors(path), options); });
}

std::shared_ptr<Network> from_tensors(const std::map<std::string, ArrayLike>& tensors,
                                      const std::optional<std::string>& activation, std::optional<double> slope) {
  TensorFile file;
  for (const auto& [name, values] : tensors) {
    const py::array array = array_of(name.c_str(), values);
    file.tensors[name] = is_float32(array) ? tensor<float>(name, array) : tensor<double>(name, array);
  }
  return network_from(file, file_options(activation, slope));
}

template <class T>
Mlp<T> mlp_of(const std::vector<py::array>& weights, const std::vector<std::optional<py::array>>& biases,
              MlpOptions options) {
  std::vector<Layer<T>> layers;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Layer<T> layer{Matrix<T>(MatrixArgument<T>("weights", weights[i]).view()), {}};
    if (i == 0) options.widths.push_back(layer.weight.cols());
    options.widths.push_back(layer.weight.rows());
    if (options.bias) layer.bias = Matrix<T>(1, layer.weight.rows());
    if (biases[i]) layer.bias = Matrix<T>(MatrixArgument<T>("biases", as_row(*biases[i])).view());
    layers.push_back(std::move(layer));
  }
  return Mlp<T>(std::move(options), std::move(layers));
}

std::shared_ptr<Network> from_layers(const Weights& weights, const Biases& biases, const std::string& activation,
                                     std::optional<double> slope) {
  const NamedActivation named = named_activation(activation);
  MlpOptions options{.activation = named.activation, .bias = false};
  if (slope && named.activation != Activation::leaky_relu)
    throw InputError(text("slope: found ", *slope, " with activation '", name(named.activation),
                          "', expected one with 'leaky_relu' alone"));
  options.slope = slope_of(named, slope).value_or(options.slope);
  if (biases && biases->size() != weights.size())
    throw InputError(
        text("biases: found ", biases->size(), ", expected one, or None, for each of ", weights.size(), " weights"));
  std::vector<py::array> weight_arrays;
  std::vector<std::optional<py::array>> bias_arrays(weights.size());
  bool is_float = !weights.empty();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    is_float &= is_float32(weight_arrays.emplace_back(array_of("weights", weights[i])));
    if (!biases || !(*biases)[i]) continue;
    bias_arrays[i] = array_of("biases", *(*biases)[i]);
    is_float &= is_float32(*bias_arrays[i]);
    options.bias = true;
  }
  if (is_float) return std::make_shared<Network>(mlp_of<float>(weight_arrays, bias_arrays, options));
  return std::make_shared<Network>(mlp_of<double>(weight_arrays, bias_arrays, options));
}

std::shared_ptr<Network> random_network(const std::vector<Index>& widths, const std::string& activation, bool bias,
                                        double scale, std::uint64_t seed, const py::object& dtype) {
  const NamedActivation named = named_activation(activation);
  MlpOptions options{.widths = widths, .activation = named.activation, .bias = bias, .init_scale = scale, .seed = seed};
  if (named.slope) options.slope = *named.slope;
  if (is_double_precision(dtype)) return std::make_shared<Network>(Mlp<double>(options));
  return std::make_shared<Network>(Mlp<float>(options));
}

// ---- what one does ---------------------------------------------------------------------------------------------

py::array outputs(const Network& network, const ArrayLike& x, std::optional<int> threads) {
  return network.at("X", x, [&]<class T>(const Mlp<T>& mlp, const MatrixArgument<T>& rows) {
    const int count = thread_count(threads);
    return array_from(without_lock([&] { return outputs_at<T>(mlp, rows, count); }));
  });
}

py::array labels(const Network& network, const ArrayLike& x, std::optional<int> threads) {
  return network.at("X", x, [&]<class T>(const Mlp<T>& mlp, const MatrixArgument<T>& rows) {
    const int count = thread_count(threads);
    return array_from(without_lock([&] { return classes_at<T>(mlp, rows, count); }));
  });
}

py::array jacobians(const Network& network, const ArrayLike& x, std::optional<int> threads) {
  return network.at("X", x, [&]<class T>(const Mlp<T>& mlp, const MatrixArgument<T>& rows) -> py::array {
    const Index n = rows.view().rows(), d = mlp.options().widths.front(), k = mlp.options().widths.back();
    const int count = thread_count(threads);
    Matrix<T> all = interruptible([&](const std::function<bool()>& stop) {
      Matrix<T> j = unset_matrix<T>(n * k, d);  // row i k + o: output o at row i of x
      visit_jacobians<T>(
          mlp, rows,
          [&](Index row, ConstView<double> jacobian, ConstView<double>) {
            std::ranges::transform(jacobian.span(), j.row(row * k).data(),
                                   [](double value) { return static_cast<T>(value); });
          },
          count, stop);
      return j;
    });
    return owning_array(std::move(all), {n, k, d});
  });
}

py::list parameters(const py::object& self, bool are_biases) {
  py::list result;
  self.cast<const Network&>().as_stored([&]<class T>(const Mlp<T>& mlp) {
    for (const Layer<T>& layer : mlp.layers()) {
      if (!are_biases)
        result.append(borrowed_array(layer.weight.data(), {layer.weight.rows(), layer.weight.cols()}, self));
      else if (mlp.options().bias)
        result.append(borrowed_array(layer.bias.data(), {layer.bias.cols()}, self));
    }
  });
  return result;
}

std::string described(const Network& network) {
  const MlpOptions& options = network.options();
  std::string activation = "'" + std::string(name(options.activation)) + "'";
  if (options.activation == Activation::leaky_relu) activation += text(", slope=", options.slope);
  return text("Network(widths=[", joined(options.widths, ", ", [](Index width) { return text(width); }),
              "], activation=", activation, options.bias ? "" : ", without biases", ", ",
              network.is_double() ? "float64" : "float32", ")");
}

py::tuple state(const py::object& self) {
  const MlpOptions& options = self.cast<const Network&>().options();
  return py::make_tuple(parameters(self, false), parameters(self, true), std::string(name(options.activation)),
                        options.slope);
}

std::shared_ptr<Network> from_state(const py::tuple& state) {
  const auto activation = state[2].cast<std::string>();
  auto biases = state[1].cast<Biases>();
  if (biases->empty()) biases = std::nullopt;
  return from_layers(state[0].cast<Weights>(), biases, activation,
                     activation == "leaky_relu" ? std::optional(state[3].cast<double>()) : std::nullopt);
}

// ---- the class -------------------------------------------------------------------------------------------------

void bind_construction(py::class_<Network, std::shared_ptr<Network>>& type) {
  type.def(py::init(&from_layers), "weights"_a, "biases"_a = py::none(), py::kw_only(), "activation"_a = "relu",
           "slope"_a = py::none(), R"(
A network of these layers.

weights: a list of arrays (d_out, d_in), first layer first. biases: a list of as many arrays (d_out,), or None for those
that a layer lacks; or None. activation: what stands between the layers, by our name ('relu', 'leaky_relu', 'abs',
'tanh', 'sigmoid', 'softplus', 'silu', 'gelu', 'gelu_tanh', 'quadratic', 'identity') or PyTorch's ('nn.ReLU()'). slope:
of leaky_relu where t <= 0, 0.01 unless said. The arrays are copied.)")
      .def_static("random", &random_network, "widths"_a, py::kw_only(), "activation"_a = "relu", "bias"_a = true,
                  "scale"_a = 1.0, "seed"_a = 0, "dtype"_a = "float32", R"(
A network as training starts it: weights and biases uniform in (-1/sqrt(d_in), 1/sqrt(d_in)), times scale.

widths: [d, hidden widths, k]. dtype: float32 or float64. The same seed gives the same network as in C++.)")
      .def(printed_method, &described)
      .def(py::pickle(&state, &from_state));
}

void bind_outputs(py::class_<Network, std::shared_ptr<Network>>& type) {
  type.def("__call__", &outputs, "X"_a, py::kw_only(), "threads"_a = py::none(), R"(
f at the rows of X (n, d): (n, k). threads: as many as there are cores unless said; the bits are the same at any number.)")
      .def("predict", &outputs, "X"_a, py::kw_only(), "threads"_a = py::none(),
           R"(f at the rows of X (n, d): (n, k). The same as calling the network; `labels` gives classes.)")
      .def("labels", &labels, "X"_a, py::kw_only(), "threads"_a = py::none(), R"(
The class at each row of X (n, d): (n,) int32, the first of the largest outputs; of one output f, 1 where f > 0, else 0.)")
      .def("jacobian", &jacobians, "X"_a, py::kw_only(), "threads"_a = py::none(), R"(
The Jacobian of f at each row of X (n, d): (n, k, d), by k backward passes. relu and abs have slope 0 at 0.)")
      .def(
          "save",
          [](const Network& network, const std::filesystem::path& path) {
            network.as_stored([&](const auto& mlp) { write_safetensors(path, tensor_file(mlp)); });
          },
          "path"_a, R"(
Writes the network to a safetensors file, which `load` and PyTorch read. A file that is there is replaced at once.)");
}

void bind_properties(py::class_<Network, std::shared_ptr<Network>>& type) {
  type.def_property_readonly(
          "widths", [](const Network& network) { return network.options().widths; }, "[d, hidden widths, k].")
      .def_property_readonly(
          "activation", [](const Network& network) { return std::string(name(network.options().activation)); },
          "What stands between the layers, by our name.")
      .def_property_readonly(
          "slope",
          [](const Network& network) {
            const MlpOptions& options = network.options();
            return options.activation == Activation::leaky_relu ? std::optional(options.slope) : std::nullopt;
          },
          "That of leaky_relu where t <= 0; None for the others.")
      .def_property_readonly(
          "dtype",
          [](const Network& network) { return network.is_double() ? py::dtype::of<double>() : py::dtype::of<float>(); },
          "float32 or float64.")
      .def_property_readonly(
          "weights", [](const py::object& self) { return parameters(self, false); },
          "A list of arrays (d_out, d_in), first layer first, which cannot be written to.")
      .def_property_readonly(
          "biases", [](const py::object& self) { return parameters(self, true); },
          "A list of arrays (d_out,), empty for a network without biases.");
}

}  // namespace

const MlpOptions& Network::options() const {
  return as_stored([](const auto& mlp) -> const MlpOptions& { return mlp.options(); });
}

template <class T>
const Mlp<T>& Network::mlp() const {
  if (const auto* stored = std::get_if<Mlp<T>>(&mlp_)) return *stored;
  auto& other = [this]() -> auto& {
    if constexpr (std::is_same_v<T, float>)
      return in_float_;
    else
      return in_double_;
  }
  ();
  std::call_once(has_other_, [&] {
    other = as_stored([](const auto& mlp) { return std::make_unique<const Mlp<T>>(converted_mlp<T>(mlp)); });
  });
  return *other;
}

const std::shared_ptr<const PiecewiseAffineNetwork>& Network::pieces() const {
  std::call_once(has_pieces_, [this] {
    pieces_ = as_stored(
        [](const auto& mlp) { return std::make_shared<const PiecewiseAffineNetwork>(piecewise_affine(mlp)); });
  });
  return pieces_;
}

template const Mlp<float>& Network::mlp() const;
template const Mlp<double>& Network::mlp() const;

void bind_networks(py::module_& module) {
  py::class_<Network, std::shared_ptr<Network>> type(module, "Network", printed(), R"(
A multilayer perceptron f(x) = W_L a(... a(W_1 x + b_1) ...) + b_L. It never changes; threads may share it.

Its precision is float32 where all its arrays are float32, else float64. A call computes in float64 where the network
or the array is float64, and in float32 else. Points are rows: X is (n, d) and the outputs are (n, k).)");
  bind_construction(type);
  bind_outputs(type);
  bind_properties(type);

  module.def("load", &loaded, "path"_a, py::kw_only(), "activation"_a = py::none(), "slope"_a = py::none(), R"(
The network in a safetensors file, as `Network.save`, `normalign train` or PyTorch write it.

activation, slope: what stands between the layers, where the file does not say (PyTorch's do not).)");
  module.def("network_from_tensors", &from_tensors, "tensors"_a, py::kw_only(), "activation"_a = py::none(),
             "slope"_a = py::none(), R"(
The network of the linear layers in a state dict: arrays by name, "NAME.weight" (d_out, d_in) and "NAME.bias" (d_out,).

The order is the one in which shapes chain and numbers in the names rise.)");
}

}  // namespace normalign::python
