// What a training run is a run of: by this a log or a checkpoint is known as that of a run that is asked for.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "experiments/training/config.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// The log of a run of `config` on `threads` threads that has yet to begin: `running`, without rows, with the settings
/// that the run reads and the hashes of the files that it reads. Throws InputError, naming it, when such a file cannot
/// be read.
RunLog new_log(const RunConfig& config, int threads);

/// The first thing, of all that a result depends on, in which the run of the log `found` is another than the one of
/// `expected`, as "config.lambda: found 0.2, expected 0.1" or "file_hashes.data: found ..., expected ..."; nothing when
/// it is the same run. Where files lie does not count, what they hold does. A setting that `found` does not have is at
/// the default of `RunConfig`, as there was none in its time; one that `expected` does not have does not count.
std::optional<std::string> run_difference(const RunLog& found, const RunLog& expected);

}  // namespace normalign
