#include "base/json_text.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

std::string object_of(std::size_t keys) {
  std::string result = "{";
  for (std::size_t i = 0; i < keys; ++i) result += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  return result + '}';
}

// What both readers say of the text, the same with both kinds of objects.
std::string refusal(const std::string& content, const std::set<std::string>& left_out = {}) {
  const std::string result = message_of([&] { parsed_json<Json>(content, left_out); });
  CHECK(message_of([&] { parsed_json<nlohmann::json>(content, left_out); }) == result);
  std::istringstream stream(content);
  CHECK(message_of([&] { parsed_json<Json>(stream, left_out); }) == result);
  return result;
}

TEST_CASE("JSON is read as the library reads it") {
  for (const char* content : {"3", "\"x\"", "[]", R"({"b": [1, 2.5, null, true], "a": {"b": "c"}})"}) {
    CHECK(parsed_json<Json>(content) == Json::parse(content));
    std::istringstream stream(content);
    CHECK(parsed_json<nlohmann::json>(stream) == nlohmann::json::parse(content));
  }
  CHECK(parsed_json<Json>(R"({"b": 1, "a": 2})").begin().key() == "b");
}

TEST_CASE("JSON that is nested too deeply is refused, however deep and wherever") {
  CHECK(refusal(nested(deepest_json)) == "nothing was thrown");
  for (const std::size_t levels : {deepest_json + 1, 100'000, 1'000'000}) {
    CHECK(contains(refusal(nested(levels)), "nested levels"));
    CHECK(contains(refusal(std::string(levels, '[')), "nested levels"));
    CHECK(contains(refusal(R"({"x": )" + nested(levels) + '}', {"x"}), "nested levels"));
  }
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK(contains(refusal(objects), "nested levels"));
}

TEST_CASE("JSON with an object of too many keys is refused") {
  CHECK(refusal(object_of(most_json_keys)) == "nothing was thrown");
  CHECK(refusal('[' + object_of(most_json_keys) + ',' + object_of(most_json_keys) + ']') == "nothing was thrown");
  CHECK(contains(refusal(object_of(most_json_keys + 1)), "more than 10000 keys"));
  CHECK(contains(refusal("[" + object_of(1'000'000) + "]"), "more than 10000 keys"));
}

TEST_CASE("JSON with a key twice in one object is refused by the key") {
  CHECK(refusal(R"({"a": 1, "b": 2, "a": 3})") == "\"a\": found twice in one object, expected once");
  CHECK(contains(refusal(R"([{"a": {"b": 1, "b": 1}}])"), "\"b\": found twice"));
  CHECK(contains(refusal(R"({"x": {"a": 1}, "b": {"c": 1, "c": 2}})", {"x"}), "\"c\": found twice"));
  // In objects beside or within each other it is none of that.
  CHECK(refusal(R"({"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}], "c": {"a": 3}})") == "nothing was thrown");
  CHECK(refusal(R"({"x": {"a": [{"b": 1}]}, "b": {"a": 1}, "c": {"a": 2}, "a": 1})", {"x", "c"}) ==
        "nothing was thrown");
}

TEST_CASE("JSON is read without what is left out at the top level, and there alone") {
  const std::string content = R"({"x": {"y": [1, {"z": 2}]}, "y": {"x": 3, "y": 4}, "z": [{"x": 5}]})";
  CHECK(parsed_json<Json>(content, {"x", "z"}) == Json::parse(R"({"y": {"x": 3, "y": 4}})"));
  CHECK(parsed_json<Json>(R"([{"x": 1}])", {"x"}) == Json::parse(R"([{"x": 1}])"));
}

TEST_CASE("text that is not JSON is refused with its place, in one short line of ASCII") {
  CHECK(refusal("{\n\"a\" 1}").starts_with("not JSON: line 2, column 5: syntax error"));
  for (const std::string& content :
       {std::string(), std::string("{"), std::string("{}}"), std::string("[1e999]"), std::string("{\"\xff\": 1}"),
        std::string("\n\x80"), '"' + std::string(100'000, 'x'), std::string(100'000, 'x')}) {
    const std::string message = refusal(content);
    CAPTURE(message);
    CHECK(message.starts_with("not JSON: "));
    CHECK(message.size() < 250);
    CHECK(std::ranges::all_of(message, [](char c) { return c >= ' ' && c <= '~'; }));
  }
  CHECK(message_of([] { parsed_json<Json>(std::string_view("{}\0{", 4)); }) == "not JSON: found a byte of zero");
}

}  // namespace
}  // namespace normalign::tests
