// What a file of JSON holds: each says its kind, which is also the name of its schema in docs/schema.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace normalign {

namespace kind {
/// The kinds of files that are written or read.
inline constexpr const char* run_log = "run_log";
inline constexpr const char* tabular_log = "tabular_log";
inline constexpr const char* summary = "summary";
inline constexpr const char* geometry_summary = "geometry_summary";
inline constexpr const char* metric_summary = "metric_summary";
inline constexpr const char* tabular_summary = "tabular_summary";
inline constexpr const char* inspection = "inspection";
inline constexpr const char* robustness = "robustness";
inline constexpr const char* slice = "slice";
inline constexpr const char* regions = "regions";
inline constexpr const char* sparsity = "sparsity";
inline constexpr const char* rfm_grokking = "rfm_grokking";
inline constexpr const char* machine = "machine";
inline constexpr const char* datasets = "datasets";
inline constexpr const char* gradcheck = "gradcheck";
inline constexpr const char* sweep = "sweep";
inline constexpr const char* status = "status";
inline constexpr const char* importances = "importances";
}  // namespace kind

/// `content` with its kind: an object begins with the key `kind`; a list becomes the object of `kind` and `entries`.
nlohmann::ordered_json of_kind(const char* kind, nlohmann::ordered_json content);

/// The kind that the JSON of a file says. A file from before files said it is known by its keys, where it is a log, an
/// inspection, a comparison of robustness, a slice or a study; empty for anything else.
std::string kind_of(const nlohmann::ordered_json& json);

/// The list of a file that is one: its `entries`, or the list that it was before files said their kind.
const nlohmann::ordered_json& entries_in(const nlohmann::ordered_json& json);

/// Writes `content`, with its kind, to the file at `path`, indented. Throws as `write_text_file` does.
void write_json_file(const std::filesystem::path& path, const char* kind, nlohmann::ordered_json content);

}  // namespace normalign
