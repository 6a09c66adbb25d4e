#include "experiments/report/pictures.hpp"

#include <fstream>
#include <iterator>

namespace normalign {
namespace {

namespace fs = std::filesystem;
using html::element;
using html::Markup;

constexpr double largest_svg = 256 * 1024;  // above it the PNG, where there is one

double size_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : static_cast<double>(size);
}

fs::path without_extension(fs::path path) { return path.replace_extension(); }

}  // namespace

Pictures::Pictures(fs::path folder, const std::vector<fs::path>& paths, double largest, double all)
    : folder_(std::move(folder)), largest_(largest), room_(all) {
  for (const fs::path& path : paths) left_[without_extension(path)].push_back(path);
}

Markup Pictures::figure(const fs::path& path, const AddressOf& address_of) {
  const auto found = left_.find(without_extension(path));
  if (found == left_.end()) return {};
  // Sorted by path: .png before .svg.
  fs::path shown = found->second.back();
  if (found->second.size() > 1 && size_of(folder_ / shown) > largest_svg) shown = found->second.front();
  left_.erase(found);

  const Markup caption = link_to(shown, address_of);
  const double size = size_of(folder_ / shown);
  std::ifstream file(folder_ / shown, std::ios::binary);
  const std::string bytes =
      size > std::min(largest_, room_) ? "" : std::string(std::istreambuf_iterator<char>(file), {});
  if (bytes.empty())
    return element("p", {{"class", "note"}}, caption, size > 0 ? ": too large to be shown here" : ": empty");
  room_ -= size;
  return element(
      "figure", {},
      html::image(bytes, shown.extension() == ".svg" ? "image/svg+xml" : "image/png", shown.generic_string()),
      element("figcaption", {}, caption), "\n");
}

std::vector<fs::path> Pictures::left() const {
  std::vector<fs::path> result;
  for (const auto& [stem, paths] : left_) result.push_back(paths.front());
  return result;
}

}  // namespace normalign
