// Networks in safetensors files, PyTorch's among them.
#pragma once

#include "linalg/safetensors.hpp"
#include "nn/mlp.hpp"

namespace normalign {

/// The network as a file: tensors "layers.i.weight" (d_out x d_in) and "layers.i.bias" (one dimension), i = 0, 1, ...,
/// metadata with activation, slope and widths (d, hidden widths and k, a space between).
template <class T>
TensorFile tensor_file(const Mlp<T>& mlp);

/// The network in a file as `tensor_file` makes them, or as PyTorch writes the state of `layers`, a ModuleList of
/// nn.Linear; values of the other precision are rounded to T.
///
/// Widths and the presence of biases are the tensors'; activation and slope the metadata's, or those of `options` where
/// the metadata say nothing. `options.widths`, where given, are what the caller expects. The rest of `options` is
/// passed on to Mlp::options, `options.bias` aside.
///
/// Throws InputError on one line naming the tensor or the metadata, what was found and what was expected, on: a missing
/// or unknown tensor (a gap in i), weights that are no matrices, are empty or do not chain, biases in some layers only
/// or not of their layer's length, a value that is not finite or overflows T, metadata widths that are not the
/// tensors', an unknown activation, a slope that is no finite number >= 0, and widths that are not the expected ones.
template <class T>
Mlp<T> mlp_from(const TensorFile& file, MlpOptions options = {});

}  // namespace normalign
