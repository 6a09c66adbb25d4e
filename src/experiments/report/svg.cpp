#include "experiments/report/svg.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace normalign {
namespace {

constexpr std::array<std::string_view, 5> kept_elements = {"g", "path", "polygon", "text", "use"};
constexpr std::array<std::string_view, 11> kept_attributes = {
    "viewBox", "transform",    "text-anchor", "stroke", "stroke-width", "stroke-dasharray", "color",
    "fill",    "fill-opacity", "points",      "d"};
// What the page's style says as well.
constexpr std::array<std::string_view, 4> default_values = {"none", "black", "white", "currentColor"};

bool is_in(const auto& words, std::string_view word) { return std::ranges::find(words, word) != words.end(); }

// The attributes of a tag that a page needs.
std::string attributes_of(std::string_view tag) {
  std::string result;
  for (std::size_t at = 0; (at = tag.find('=', at)) != tag.npos;) {
    const std::size_t name_end = tag.find_last_not_of(" \t\n", at - 1) + 1,
                      name = tag.find_last_of(" \t\n", name_end - 1) + 1, quote = tag.find_first_of("'\"", at);
    if (quote == tag.npos) break;
    at = tag.find(tag[quote], quote + 1);
    const std::string_view key = tag.substr(name, name_end - name), value = tag.substr(quote + 1, at - quote - 1);
    if (key == "xlink:href") result += value == "#gpPt5" ? R"( class="ring" r="1")" : R"( class="disc" r="1")";
    if (is_in(kept_attributes, key) && !is_in(default_values, value))
      result.append(" ").append(key).append("=\"").append(value == "rgb(  0,   0,   0)" ? "currentColor" : value) +=
          '"';
  }
  return result;
}

}  // namespace

html::Markup svg_part(std::string_view svg, std::string_view description) {
  std::string result = "<svg class=\"chart\" role=\"img\" aria-label=\"" + html::escaped(description) + "\"";
  std::vector<std::pair<std::size_t, std::size_t>> groups;  // where open ones and what is in them begin
  std::size_t end = 0;
  for (std::size_t at = svg.find("<svg"); (at = svg.find('<', at)) != svg.npos; at = end) {
    end = std::min(svg.find('>', at), svg.size());
    const std::string_view tag = svg.substr(at + 1, end - at - 1);
    const bool is_end = tag.starts_with('/');
    const std::string_view name = tag.substr(is_end, tag.find_first_of(" \t\n/", 1) - is_end);
    if (name == "svg") result += is_end ? "</svg>" : attributes_of(tag) + ">";
    // Names, and marks that few pictures use.
    if (!is_end && (name == "title" || name == "desc" || name == "defs")) end = svg.find("</" + std::string(name), end);
    if (!is_in(kept_elements, name)) continue;
    if (name == "g" && is_end) {
      const auto [begin, inside] = groups.back();
      groups.pop_back();
      if (inside == result.size())
        result.resize(begin);  // an empty group
      else
        result += "</g>";
      continue;
    }
    const std::size_t begin = result.size();
    result.append(is_end ? "</" : "<").append(name == "use" ? "circle" : name).append(attributes_of(tag));
    result += tag.ends_with('/') ? "/>" : ">";
    if (name == "g") groups.emplace_back(begin, result.size());
    if (name == "text" && !is_end) result += svg.substr(end + 1, svg.find('<', end) - end - 1);
  }
  return {std::move(result)};
}

}  // namespace normalign
