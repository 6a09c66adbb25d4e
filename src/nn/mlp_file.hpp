// Networks in safetensors files, PyTorch's among them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "linalg/safetensors.hpp"
#include "nn/mlp.hpp"

namespace normalign {

/// The network as a file: tensors "layers.i.weight" (d_out x d_in) and "layers.i.bias" (one dimension), i = 0, 1, ...,
/// metadata with activation, slope and widths (d, hidden widths and k, a space between).
template <class T>
TensorFile tensor_file(const Mlp<T>& mlp);

/// What a caller knows of a network in a file. A file that says otherwise is refused.
struct MlpFileOptions {
  /// d, hidden widths, k; empty: those of the tensors.
  std::vector<Index> widths{};
  /// What stands between the layers; absent: the metadata's.
  std::optional<Activation> activation{};
  /// leaky_relu's slope for t <= 0, and only for that activation; absent: the metadata's.
  std::optional<double> slope{};
};

/// The names of the tensors of one linear layer in a file; `bias` is empty where there is none.
struct LayerNames {
  std::string weight, bias;
};

/// The linear layers of a file in the order in which they are applied. Each is a matrix "NAME.weight" (d_out x d_in),
/// and "NAME.bias" (one dimension of d_out) or no bias; NAME is any, with its dot left out where it is empty.
///
/// The order is the one in which each layer has as many columns as the one before has rows, and in which names that
/// first differ in a number are in the order of that number ("fc2" before "fc10", "net.0" before "net.2").
///
/// Throws InputError on one line, with the tensors of the file, when there is no such order or more than one, or more
/// than 64 layers that numbers do not order, and, naming the tensor, on one that is not of a linear layer.
std::vector<LayerNames> linear_layers(const TensorFile& file);

/// The network of the linear layers of a file, with one activation between all of them, as `tensor_file` makes it or as
/// PyTorch and others save the parameters of a stack of linear layers; values of the other precision are rounded to T.
///
/// Where some layers have biases the others get zeros; where none has, the network has none. Activation and slope are
/// those of the metadata, as `named_activation` understands them, or the options'. Neither is assumed: one of both must
/// say the activation, unless there is but one layer (then it is identity), and leaky_relu's slope.
///
/// Throws InputError on one line as `linear_layers` does, and, naming the tensor or the metadata, what was found and
/// what was expected, on: a value that is not finite or overflows T, metadata widths that are not the tensors', an
/// unknown activation or none, a slope that is no finite number >= 0 or that leaky_relu lacks, and on what is not as
/// the options say.
template <class T>
Mlp<T> mlp_from(const TensorFile& file, const MlpFileOptions& options = {});

}  // namespace normalign
