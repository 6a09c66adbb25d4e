// The state of an unfinished run in one file, so that a run that was killed goes on where it was.
#pragma once

#include <filesystem>
#include <optional>
#include <span>

#include "experiments/training/run_log.hpp"

namespace normalign {

/// How far a run was, at the start of an epoch's pass over the training set.
struct Checkpoint {
  RunLog log = {};          ///< with the rows of all epochs so far, this one's included if it is logged
  Index epoch = 0;          ///< the epoch whose pass comes next
  std::uint32_t steps = 0;  ///< steps taken
  double opt_time = 0;      ///< seconds of optimisation so far
};

/// Writes a checkpoint with `state`, the matrices that training changes, as a safetensors file, under a temporary name
/// that is then renamed: a reader finds the former state or this one. The file carries a checksum of all that is read
/// back. Throws as `write_safetensors` does when it cannot be written.
template <class T>
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      std::span<const MatrixView<T>> state);

/// The checkpoint at `path`, with `state` set to what it was; nothing, and `state` unchanged, when there is no file.
/// Throws InputError, naming the file and how the run begins anew, when the file is damaged, has no checksum or belongs
/// to another run than `expected`, the log of the run as it begins.
template <class T>
std::optional<Checkpoint> read_checkpoint(const std::filesystem::path& path, const RunLog& expected,
                                          std::span<const MatrixView<T>> state);

}  // namespace normalign
