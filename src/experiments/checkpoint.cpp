#include "experiments/checkpoint.hpp"

#include <algorithm>

#include "experiments/run_identity.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

std::string tensor_name(std::size_t i) { return text("state.", i); }

}  // namespace

template <class T>
void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint, std::span<const MatrixView<T>> state) {
  TensorFile file;
  const Json head = {{"log", checkpoint.log},
                     {"epoch", checkpoint.epoch},
                     {"steps", checkpoint.steps},
                     {"opt_time", checkpoint.opt_time}};
  file.metadata["checkpoint"] = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t i = 0; i < state.size(); ++i)
    file.tensors[tensor_name(i)] = {.values = Matrix<T>(ConstView<T>(state[i]))};
  write_safetensors(path, file);
}

template <class T>
std::optional<Checkpoint> read_checkpoint(const fs::path& path, const RunLog& expected,
                                          std::span<const MatrixView<T>> state) {
  if (!fs::exists(path)) return std::nullopt;
  const auto refuse = [&](const auto&... parts) { throw InputError(text(path.string(), ": ", parts...)); };
  const TensorFile file = read_safetensors(path);
  Checkpoint checkpoint;
  try {
    const Json head = Json::parse(file.metadata.at("checkpoint"));
    head.at("log").get_to(checkpoint.log);
    head.at("epoch").get_to(checkpoint.epoch);
    head.at("steps").get_to(checkpoint.steps);
    head.at("opt_time").get_to(checkpoint.opt_time);
  } catch (const std::exception& error) {
    refuse("found no checkpoint of a run: ", error.what());
  }
  if (const auto difference = run_difference(checkpoint.log, expected))
    refuse("belongs to another run: ", *difference, "; --overwrite begins anew, as does removing it");
  if (file.tensors.size() != state.size()) refuse("found ", file.tensors.size(), " tensors, expected ", state.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto stored = file.tensors.find(tensor_name(i));
    const auto* values = stored == file.tensors.end() ? nullptr : std::get_if<Matrix<T>>(&stored->second.values);
    if (!values || values->shape() != state[i].shape())
      refuse("tensor ", tensor_name(i), " is missing or not ", state[i].shape(), " of the run's precision");
  }
  for (std::size_t i = 0; i < state.size(); ++i)
    std::ranges::copy(std::get<Matrix<T>>(file.tensors.at(tensor_name(i)).values).span(), state[i].span().begin());
  return checkpoint;
}

#define NORMALIGN_INSTANTIATE(T)                                                                      \
  template void write_checkpoint(const fs::path&, const Checkpoint&, std::span<const MatrixView<T>>); \
  template std::optional<Checkpoint> read_checkpoint(const fs::path&, const RunLog&, std::span<const MatrixView<T>>);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
