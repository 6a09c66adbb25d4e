// The pictures of a folder in the page.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/report/parts.hpp"

namespace normalign {

/// Pictures by their name without extension, shown at most once each and only as long as there is room.
class Pictures {
 public:
  /// `paths`: of .svg and .png files, below `folder`. `largest`, `all`: bytes of one picture and of all.
  Pictures(std::filesystem::path folder, const std::vector<std::filesystem::path>& paths, double largest, double all);

  /// The picture whose path without extension is that of `path`, with its path below it; where there is no room for
  /// it, its path alone. Empty where there is none.
  html::Markup figure(const std::filesystem::path& path, const AddressOf& address_of);
  /// Of those that were not asked for yet, in the order of their paths.
  std::vector<std::filesystem::path> left() const;

 private:
  std::filesystem::path folder_;
  std::map<std::filesystem::path, std::vector<std::filesystem::path>> left_;  // by path without extension
  double largest_, room_;
};

}  // namespace normalign
