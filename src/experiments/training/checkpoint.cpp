#include "experiments/training/checkpoint.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdio>

#include "base/json_text.hpp"
#include "experiments/training/run_identity.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr const char *head_key = "checkpoint", *checksum_key = "crc32";
constexpr const char* remedy = "; without this file, or with --overwrite of train, the run begins anew";

std::string tensor_name(std::size_t i) { return text("state.", i); }

// CRC-32 of the head and of each tensor's name and values, as eight hexadecimal digits.
std::string checksum(const TensorFile& file) {
  uLong sum = ::crc32_z(0, nullptr, 0);
  const auto add = [&](const auto& values) {
    // No bytes at all may have no address, by which the function would start anew.
    if (const auto bytes = std::as_bytes(std::span(values)); !bytes.empty())
      sum = ::crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  add(file.metadata.at(head_key));
  for (const auto& [name, tensor] : file.tensors) {
    add(name);
    std::visit([&](const auto& values) { add(values.span()); }, tensor.values);
  }
  char digits[20];
  std::snprintf(digits, sizeof digits, "%08lx", sum);
  return digits;
}

}  // namespace

template <class T>
void write_checkpoint(const fs::path& path, const Checkpoint& checkpoint, std::span<const MatrixView<T>> state) {
  TensorFile file;
  const Json head = {{"log", checkpoint.log},
                     {"epoch", checkpoint.epoch},
                     {"steps", checkpoint.steps},
                     {"opt_time", checkpoint.opt_time}};
  file.metadata[head_key] = head.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (std::size_t i = 0; i < state.size(); ++i)
    file.tensors[tensor_name(i)] = {.values = Matrix<T>(ConstView<T>(state[i]))};
  file.metadata[checksum_key] = checksum(file);
  write_safetensors(path, file);
}

template <class T>
std::optional<Checkpoint> read_checkpoint(const fs::path& path, const RunLog& expected,
                                          std::span<const MatrixView<T>> state) {
  if (!fs::exists(path)) return std::nullopt;
  const auto refuse = [&](const auto&... parts) { throw InputError(text(path.string(), ": ", parts..., remedy)); };
  const TensorFile file = within(
      "", [&] { return read_safetensors(path); }, remedy);
  if (!file.metadata.contains(head_key)) refuse("found no checkpoint of a run");
  const auto written = file.metadata.find(checksum_key);
  if (written == file.metadata.end()) refuse("found no checksum, as an earlier version wrote it");
  if (const std::string found = checksum(file); found != written->second)
    refuse("the file is damaged: found the checksum ", found, ", expected ", one_line(written->second));
  Checkpoint checkpoint;
  try {
    const Json head = parsed_json<Json>(file.metadata.at(head_key));
    head.at("log").get_to(checkpoint.log);
    head.at("epoch").get_to(checkpoint.epoch);
    head.at("steps").get_to(checkpoint.steps);
    head.at("opt_time").get_to(checkpoint.opt_time);
  } catch (const std::exception& error) {
    refuse("found no checkpoint of a run: ", error.what());
  }
  if (const auto difference = run_difference(checkpoint.log, expected)) refuse("belongs to another run: ", *difference);
  if (file.tensors.size() != state.size()) refuse("found ", file.tensors.size(), " tensors, expected ", state.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    const auto tensor = file.tensors.find(tensor_name(i));
    const auto* values = tensor == file.tensors.end() ? nullptr : std::get_if<Matrix<T>>(&tensor->second.values);
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
