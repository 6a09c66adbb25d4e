#include "data/tables/array_file.hpp"

#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

NumpyArray array_of_tensor(const std::string& name, const Tensor& tensor) {
  NumpyArray array{.name = name, .numbers = values_as<double>(tensor)};
  const auto [rows, cols] = array.numbers.shape();
  if (tensor.is_vector) {
    array.shape = {cols};
    array.numbers.resize(cols, 1);
  } else {
    array.shape = {rows, cols};
  }
  return array;
}

}  // namespace

bool is_array_file(const std::filesystem::path& path) { return is_numpy_file(path) || is_safetensors_file(path); }

std::vector<NumpyArray> arrays_in(const std::filesystem::path& path) {
  if (!is_safetensors_file(path)) return numpy_arrays(path);
  TensorFile file = read_safetensors(path, TensorKinds::of_tables);
  std::vector<NumpyArray> result;
  for (auto& [name, tensor] : file.tensors) {
    result.push_back(array_of_tensor(name, tensor));
    tensor = {};  // before the next takes memory
  }
  return result;
}

std::vector<std::string> array_names(const std::filesystem::path& path) {
  return is_safetensors_file(path) ? tensor_names(path) : numpy_names(path);
}

}  // namespace normalign
