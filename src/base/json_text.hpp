// JSON text from outside, read within bounds.
#pragma once

#include <istream>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

namespace normalign {

/// The levels of arrays and objects that `parsed_json` accepts. The library prints, copies and compares values by
/// recursion, which many more levels would let overflow the stack.
inline constexpr int deepest_json = 64;

/// The keys that `parsed_json` accepts in one object. Ordered objects look for a key from their start, so that reading
/// takes time with the square of this number.
inline constexpr std::size_t most_json_keys = 10'000;

/// Reads `content` as JSON (nlohmann::json or nlohmann::ordered_json), without what stands at the top level under the
/// keys `left_out`. Throws InputError, one line of ASCII, on text that is not JSON, on more levels or keys than the two
/// bounds above, and on a key that an object has twice: the library would silently drop one of its values.
template <class Json>
Json parsed_json(std::string_view content, const std::set<std::string>& left_out = {});

/// The same of what a stream holds.
template <class Json>
Json parsed_json(std::istream& content, const std::set<std::string>& left_out = {});

}  // namespace normalign
