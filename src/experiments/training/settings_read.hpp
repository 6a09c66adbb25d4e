// Which of its settings a run reads. A setting that a user gave and that nothing reads is a mistake, and the log holds
// what was read alone.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "experiments/training/config.hpp"

namespace normalign {

/// Whether the setting is one of conditions, which runs without such a condition do not read: lambda, for one.
bool is_of_conditions(const std::string& setting);

/// Whether a run of `config` reads the setting of that name: its task's data or training do, and whatever else the
/// setting belongs to (a condition, an optimizer, another setting) is part of the run. Grids are read where there are
/// any. A task that is none of `all_tasks` is taken to read every setting of data.
bool reads(const RunConfig& config, const std::string& setting);

/// Who reads the setting, for a message: "the condition hold_jacobian", "the tasks mnist_ce, mnist_se".
std::string readers(const std::string& setting);

/// Throws InputError unless at least one of `runs` reads the setting. `place`: how the user gave it, such as "--lambda"
/// or "settings.mod_add.lambda", with which the message begins; it goes on to who would read it.
void require_read(const std::string& place, const std::string& setting, std::span<const RunConfig> runs);

/// The settings that a run of `config` reads, one key per field, in the order of `to_json`.
nlohmann::ordered_json settings_read(const RunConfig& config);

}  // namespace normalign
