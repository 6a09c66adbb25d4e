// A folder of runs as one page that needs no network, no script and no other file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace normalign {

/// What a report shows.
struct ReportOptions {
  std::string title = {};  ///< empty: "Runs in <folder>"
  /// Training curves below the accuracy, as `plot` has them.
  std::vector<std::string> metrics = {"loss", "centroid_alignment", "effective_rank"};
  /// Where the page will be, for its links to the files of the folder; empty: no links.
  std::filesystem::path page = {};
  double largest_picture = 1;  ///< MiB; larger ones are named, not shown
  double all_pictures = 6;     ///< MiB
};

/// The page: tables of `summary` for all kinds of runs there are, curves, inspections, studies, slices and pictures,
/// and each run. Runs that are running or have failed, and files that cannot be read, are told of. Of a picture in
/// several formats the SVG is shown, or the PNG where that is larger than 256 KiB. Throws InputError when the folder is
/// missing or unreadable, or when there is nothing in it to report on.
std::string report(const std::filesystem::path& folder, const ReportOptions& options = {});

}  // namespace normalign
