// A checker of markup.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace normalign::tests {

/// Whether the text is XML as far as what writes pages and pictures can get it wrong: tags are balanced, attributes
/// have their value in quotes and stand once in a tag, and in words what XML reserves is escaped. No full parser.
inline bool is_well_formed(const std::string& xml) {
  const auto are_words_escaped = [](const std::string& words) {
    for (std::size_t at = words.find('&'); at != words.npos; at = words.find('&', at + 1)) {
      const std::size_t end = words.find(';', at);
      const std::string entity = end == words.npos ? "" : words.substr(at + 1, end - at - 1);
      const std::vector<std::string> known = {"amp", "lt", "gt", "quot", "apos"};
      if (!entity.starts_with('#') && std::ranges::find(known, entity) == known.end()) return false;
    }
    return words.find('<') == words.npos;
  };
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] != '<') {
      const std::size_t end = std::min(xml.find('<', at), xml.size());
      if (!are_words_escaped(xml.substr(at, end - at))) return false;
      at = end;
      continue;
    }
    const std::string comment_end = xml.compare(at, 4, "<!--") == 0 ? "-->" : ">";
    std::size_t end = at;  // the first that is not in quotes
    for (char quote = 0; end < xml.size() && (quote != 0 || xml.compare(end, comment_end.size(), comment_end) != 0);
         ++end)
      if (comment_end == ">" && (xml[end] == quote || (quote == 0 && (xml[end] == '"' || xml[end] == '\''))))
        quote = quote == 0 ? xml[end] : '\0';
    if (end == xml.size()) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    at = end + comment_end.size();
    if (tag.starts_with('?') || tag.starts_with('!')) continue;
    const std::size_t skip = tag.starts_with('/') ? 1 : 0;
    const std::size_t name_end = std::min(tag.find_first_of(" \t\n/", skip), tag.size());
    const std::string name = tag.substr(skip, name_end - skip);
    if (name.empty() || std::isalpha(static_cast<unsigned char>(name[0])) == 0) return false;
    std::vector<std::string> attributes;
    std::size_t i = name_end;
    while (i < tag.size() && tag[i] != '/') {
      if (std::isspace(static_cast<unsigned char>(tag[i])) != 0) {
        ++i;
        continue;
      }
      const std::size_t key_end = std::min(tag.find_first_of(" \t\n=\"'<>", i), tag.size());
      const std::size_t equals = tag.find_first_not_of(" \t\n", key_end);
      if (equals == tag.npos || tag[equals] != '=') return false;
      const std::size_t quote = tag.find_first_not_of(" \t\n", equals + 1);
      if (quote == tag.npos || (tag[quote] != '"' && tag[quote] != '\'')) return false;
      const std::size_t value_end = tag.find(tag[quote], quote + 1);
      if (value_end == tag.npos || !are_words_escaped(tag.substr(quote + 1, value_end - quote - 1))) return false;
      const std::string key = tag.substr(i, key_end - i);
      if (std::ranges::find(attributes, key) != attributes.end()) return false;
      attributes.push_back(key);
      i = value_end + 1;
    }
    if (skip == 1) {
      if (open.empty() || open.back() != name) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      open.push_back(name);
    }
  }
  return open.empty();
}

}  // namespace normalign::tests
