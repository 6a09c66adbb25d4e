// JSON files with a mistake in them, for readers that must refuse or survive it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "linalg/random.hpp"

namespace normalign::tests {

/// Calls `read(text)` with `text` cut at every tenth byte, with single bytes of it changed, and with single values in
/// it replaced by others or left out: a few thousand texts for one of usual length, the same in every run.
template <class Read>
void with_damage(const std::string& text, const Read& read) {
  using Json = nlohmann::ordered_json;
  RandomIntegers random(1, Stream::gradcheck, 17);
  for (std::size_t size = 0; size < text.size(); size += 10) read(text.substr(0, size));
  for (int i = 0; i < 1000; ++i) {
    std::string changed = text;
    changed[random.below(text.size())] = static_cast<char>(random.below(256));
    read(changed);
  }
  const Json whole = Json::parse(text);
  const Json others = Json::parse(R"([null, true, -1, 0, 1e300, 9007199254740993, 18446744073709551615, "", "x", [], {},
                                      [[]], [1, 2, 3], {"a": 1}])");
  const Json flat = whole.flatten();
  for (const auto& [place, value] : flat.items()) {
    // The value at the place, and each that it lies in.
    for (Json::json_pointer at(place);; at = at.parent_pointer()) {
      Json changed = whole;
      changed[at] = others[random.below(others.size())];
      read(changed.dump());
      if (at.empty()) break;
      changed = whole;
      Json& holder = changed[at.parent_pointer()];
      if (holder.is_object())
        holder.erase(at.back());
      else
        holder.erase(std::stoul(at.back()));
      read(changed.dump());
    }
  }
}

}  // namespace normalign::tests
