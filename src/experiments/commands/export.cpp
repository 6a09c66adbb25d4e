#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/nearest_name.hpp"
#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/results/log_table.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/run_files.hpp"
#include "experiments/studies/geometry_tables.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct ExportArguments {
  std::vector<std::string> paths;
  std::string csv, npz, table;
};

// A file that is exported: a log, or the geometry of one model.
struct ExportedFile {
  fs::path path;
  std::string kind;
  Json json;
};

struct GeometryKind {
  const char* kind;
  FileTables (*tables)(Json json);
  const char* first_table;  // what --csv writes unless --table says otherwise
};
constexpr GeometryKind geometry_kinds[] = {{kind::inspection, inspection_tables, ""},
                                           {kind::slice, slice_tables, "regions"},
                                           {kind::regions, region_tables, "regions"},
                                           {kind::robustness, robustness_tables, ""}};

// What is exported, and which table to CSV.
struct Exported {
  FileTables found = {};
  std::string first_table = {};
};

bool is_log(const std::string& kind) { return kind == kind::run_log || kind == kind::tabular_log; }

std::string exported_kind(const Json& json) {
  const std::string found = kind_of(json);
  // A log that lacks its name is damaged, and its reader says so.
  return found.empty() && json.is_object() && json.contains("metrics") ? kind::run_log : found;
}

// What is read of one path: of a folder the logs, other JSON is passed over.
void read_files(const fs::path& path, Unreadable& unreadable, std::set<fs::path>& seen,
                std::vector<ExportedFile>& files) {
  std::error_code ignored;
  const fs::file_status there = fs::status(path, ignored);
  if (!fs::exists(there))
    throw InputError(text(path.string(), ": found no such file or folder, expected logs of runs"));
  const bool is_folder = fs::is_directory(there);
  for (const fs::path& file : is_folder ? json_files(path) : std::vector<fs::path>{path}) {
    if (!seen.insert(fs::weakly_canonical(file, ignored)).second) continue;
    try {
      Json json = log_json::parsed_file(file);
      std::string kind = exported_kind(json);
      if (is_folder && !is_log(kind)) continue;
      files.push_back({.path = file, .kind = std::move(kind), .json = std::move(json)});
    } catch (const UnreadableLog& error) {
      unreadable.emplace(file, error.what());
    }
  }
}

void check_kinds(const std::vector<ExportedFile>& files) {
  for (const ExportedFile& file : files) {
    std::vector<std::string> known = {kind::run_log, kind::tabular_log};
    for (const GeometryKind& entry : geometry_kinds) known.push_back(entry.kind);
    if (std::ranges::find(known, file.kind) == known.end())
      throw InputError(text(file.path.string(), ": found ",
                            file.kind.empty() ? "JSON of no kind" : "a file of kind " + one_line(file.kind),
                            ", expected one of ", joined(known, ", ")));
    if (const ExportedFile& first = files.front(); file.kind != first.kind)
      throw InputError(text(file.path.string(), ": found a file of kind ", file.kind, ", expected ", first.kind,
                            ", as ", first.path.string(), " is"));
  }
  if (files.size() > 1 && !is_log(files[0].kind))
    throw InputError(text(files[1].path.string(), ": found a second file of kind ", files[1].kind,
                          ", expected one at a time, or logs of runs"));
}

template <class Log>
std::vector<LogFile<Log>> logs_of(std::vector<ExportedFile>& files, Unreadable& unreadable) {
  std::vector<LogFile<Log>> logs;
  std::vector<std::string> unfinished;
  for (ExportedFile& file : files) {
    try {
      logs.emplace_back(file.path, log_json::log_in<Log>(file.json, file.path));
      if (logs.back().second.status == RunStatus::running) unfinished.push_back(logs.back().second.run_name);
      file.json = nullptr;
    } catch (const UnreadableLog& error) {
      unreadable.emplace(file.path, error.what());
    }
  }
  if (!unfinished.empty())
    std::cerr << "normalign: " << unfinished.size() << (unfinished.size() == 1 ? " run is" : " runs are")
              << " unfinished, exported as far as written: " << joined(unfinished, ", ") << '\n';
  return logs;
}

Exported exported(std::vector<ExportedFile>& files, Unreadable& unreadable) {
  if (files.empty()) return {};
  const std::string kind = files.front().kind;
  if (kind == kind::run_log) return {.found = {.tables = {epochs_table(logs_of<RunLog>(files, unreadable))}}};
  if (kind == kind::tabular_log) return {.found = {.tables = {folds_table(logs_of<TabularLog>(files, unreadable))}}};
  const GeometryKind& entry = named("kind", kind, geometry_kinds, &GeometryKind::kind);
  return within(files.front().path.string() + ": ", [&] {
    return Exported{.found = entry.tables(std::move(files.front().json)), .first_table = entry.first_table};
  });
}

void write_csv(const Exported& exported, const ExportArguments& a) {
  if (!a.table.empty() && exported.found.tables.front().name.empty())
    throw InputError(text("--table: found '", one_line(a.table), "', expected none, as ", a.paths.front(),
                          " is exported as one table"));
  const ArrayTable& table =
      named("--table", a.table.empty() ? exported.first_table : a.table, exported.found.tables, &ArrayTable::name);
  if (table.rows == 0)
    throw InputError(text("--table: found no rows of ", table.name, " in ", a.paths.front(), ", expected some"));
  write_text_file(a.csv, as_csv(table));
  std::cerr << a.csv << ": " << table.rows << (table.rows == 1 ? " row\n" : " rows\n");
}

void write_archive(const FileTables& found, const std::string& path) {
  NpzWriter file(path);
  add(file, found);
  file.finish();
  std::size_t arrays = found.others.size();
  for (const ArrayTable& table : found.tables) arrays += table.columns.size();
  std::cerr << path << ": " << arrays << " arrays\n";
}

int export_files(const ExportArguments& a) {
  if (a.csv.empty() && a.npz.empty()) throw InputError("export: found neither --csv nor --npz, expected one or both");
  if (a.csv == a.npz) throw InputError(text("--npz: found ", a.npz, ", expected another file than that of --csv"));
  if (!a.table.empty() && a.csv.empty())
    throw InputError("--table: found without --csv, which it is about; --npz has all tables");
  Unreadable unreadable;
  std::set<fs::path> seen;
  std::vector<ExportedFile> files;
  for (const std::string& path : a.paths) read_files(path, unreadable, seen, files);
  check_kinds(files);
  const Exported content = exported(files, unreadable);
  if (std::ranges::all_of(content.found.tables, [](const ArrayTable& table) { return table.rows == 0; }))
    throw InputError(unreadable.empty() ? text(a.paths.front(), ": found no row of a log, expected some")
                                        : unreadable.begin()->second);
  if (!a.csv.empty()) write_csv(content, a);
  if (!a.npz.empty()) write_archive(content.found, a.npz);
  tell(unreadable, std::cerr, std::cerr);  // standard output may be the CSV
  return 0;
}

}  // namespace

Command add_export(CLI::App& app) {
  const auto arguments = std::make_shared<ExportArguments>();
  ExportArguments& a = *arguments;
  CLI::App* command =
      app.add_subcommand("export", "Metrics by epoch, or the geometry in a file, as CSV and as a NumPy archive");
  command->footer(
      "Of logs there is a row for each evaluated epoch, of runs on tables for each fold, of inspect for each sample.\n"
      "In Python: pandas.read_csv(FILE), or pandas.DataFrame(dict(numpy.load(FILE))) of logs; docs/formats.md names "
      "the\n"
      "arrays. Logs that cannot be read are named and left out.");
  add(*command, "files", a.paths,
      "Logs and folders of logs, searched with what is below them; or one file of inspect --json, slice, regions "
      "--json "
      "or robustness --json",
      "PATH");
  add(*command, "--csv", a.csv, "Write a table as CSV, with every digit", "FILE");
  add(*command, "--npz", a.npz, "Write all as a NumPy archive (.npz)", "FILE");
  add(*command, "--table", a.table,
      "Which table of a file goes to --csv: of slice regions (default), corners, vertices, edges, boundary or points; "
      "of regions regions (default), facets, pieces, components or classes",
      "NAME");
  return [arguments] { return export_files(*arguments); };
}

}  // namespace normalign::commands
