#include "base/json_text.hpp"

#include <nlohmann/json.hpp>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"

namespace normalign {
namespace {

// What the library says is wrong, without its own name for it; it quotes the text, which may be any bytes.
std::string reason(std::string_view what) {
  if (const auto name = what.find("] "); name != what.npos) what.remove_prefix(name + 2);
  if (const auto place = what.find("line "); place != what.npos) what.remove_prefix(place);
  constexpr std::size_t longest = 200;
  std::string result;
  for (const char byte : what.substr(0, longest)) result += byte >= ' ' && byte <= '~' ? byte : '?';
  return what.size() > longest ? result + "..." : result;
}

template <class Json, class Input>
Json parsed(Input&& content, const std::set<std::string>& left_out) {
  // By the level of the object: the library does not tell the end of one that is left out.
  std::vector<std::unordered_set<std::string>> keys(deepest_json + 1);
  const auto is_kept = [&](int depth, typename Json::parse_event_t event, const Json& value) {
    using Event = typename Json::parse_event_t;
    const auto level = static_cast<std::size_t>(depth);
    if (event == Event::object_start || event == Event::array_start) {
      if (depth >= deepest_json)
        throw InputError(text("found more than ", deepest_json, " nested levels, expected at most so many"));
      keys[level + 1].clear();
    }
    if (event != Event::key) return true;
    const std::string& key = value.template get_ref<const std::string&>();
    if (!keys[level].insert(key).second)
      throw InputError(text('"', one_line(key), "\": found twice in one object, expected once"));
    if (keys[level].size() > most_json_keys)
      throw InputError(text("found an object of more than ", most_json_keys, " keys, expected at most so many"));
    return depth != 1 || !left_out.contains(key);
  };
  try {
    return Json::parse(std::forward<Input>(content), is_kept);
  } catch (const typename Json::exception& error) {
    throw InputError("not JSON: " + reason(error.what()));
  }
}

}  // namespace

template <class Json>
Json parsed_json(std::string_view content, const std::set<std::string>& left_out) {
  // The library would take it for the end.
  if (content.find('\0') != content.npos) throw InputError("not JSON: found a byte of zero");
  return parsed<Json>(content, left_out);
}

template <class Json>
Json parsed_json(std::istream& content, const std::set<std::string>& left_out) {
  return parsed<Json>(content, left_out);
}

#define NORMALIGN_INSTANTIATE(Json)                                                \
  template Json parsed_json<Json>(std::string_view, const std::set<std::string>&); \
  template Json parsed_json<Json>(std::istream&, const std::set<std::string>&);
NORMALIGN_INSTANTIATE(nlohmann::json)
NORMALIGN_INSTANTIATE(nlohmann::ordered_json)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign
