// Pages of HTML that are well-formed XML too, put together from elements.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace normalign::html {

/// Text that is HTML already. Everything else is words, which `element` escapes: what comes from a file cannot become
/// an element.
struct Markup {
  std::string text = {};

  /// Puts `more` behind it.
  Markup& operator+=(const Markup& more) {
    text += more.text;
    return *this;
  }
};

/// The words so that a page shows them: & < > " and ' escaped; bytes that are no UTF-8, and characters that XML does
/// not allow, become U+FFFD.
std::string escaped(std::string_view words);

/// The words as a part of a page.
inline Markup markup(std::string_view words) { return {escaped(words)}; }
inline Markup markup(const Markup& done) { return done; }

/// Names and values of an element; values are escaped.
using Attributes = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// "<name attributes>", and "<name attributes/>".
Markup opening(std::string_view name, Attributes attributes);
Markup empty_element(std::string_view name, Attributes attributes);

/// The element around its parts, each a Markup or words.
template <class... Parts>
Markup element(std::string_view name, Attributes attributes, const Parts&... parts) {
  Markup result = opening(name, attributes);
  ((result += markup(parts)), ...);
  result.text += text("</", name, '>');
  return result;
}

/// An image whose bytes stand in the page. `type`: its media type, such as image/png. As an image an SVG runs no
/// script, loads nothing and keeps its names to itself.
Markup image(std::string_view bytes, std::string_view type, std::string_view description);

}  // namespace normalign::html
