#include "experiments/report/report.hpp"

#include <iostream>
#include <memory>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct ReportArguments {
  std::string folder, out = "report.html";
  ReportOptions options;
};

int write_report(ReportArguments a) {
  const fs::path out = a.out;
  a.options.page = out;
  const std::string page = report(a.folder, a.options);
  if (out.has_parent_path()) make_folder(out.parent_path());
  write_text_file(out, page);
  std::cout << a.out << ": " << (page.size() + 1023) / 1024 << " KiB\n";
  return 0;
}

}  // namespace

Command add_report(CLI::App& app) {
  const auto arguments = std::make_shared<ReportArguments>();
  ReportArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "report", "One page of HTML on all that a folder holds: tables, curves, slices, pictures and each run");
  command->footer(
      "The page needs no network, no script and no other file. Runs that still go on or have failed, and files that\n"
      "cannot be read, are told of in it.");
  add(*command, "folder", a.folder, "Folder with logs, searched with what is below it", "DIR");
  add(*command, "-o,--out", a.out, "The page (default report.html)", "FILE.html");
  add(*command, "--title", a.options.title, "Its title (default: \"Runs in DIR\")", "WORDS");
  add(*command, "--metric", a.options.metrics,
      "Training curves below the accuracy: metrics of the logs, with or without test_ (default: loss "
      "centroid_alignment effective_rank)",
      "NAME");
  return [arguments] { return write_report(*arguments); };
}

}  // namespace normalign::commands
