#include "experiments/report/html.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

using html::element;

TEST_CASE("is_well_formed: tells good from bad") {
  CHECK(is_well_formed("<?xml?><a x='1' y=\"a > b\"><b/>c &amp; d<!-- <x> --></a>\n"));
  for (const char* bad :
       {"<a>", "<a></b>", "<a>x & y</a>", "<a>1 < 2</a>", "</a>", "<a><b></a></b>", "<a", "<a x></a>", "<a x=1></a>",
        "<a x='1' x='2'></a>", "<a x=\"a & b\"/>", "<a x=\"a < b\"/>", "<a x='1></a>"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_well_formed(bad));
  }
}

TEST_CASE("html: words are shown as they are, whatever is in them") {
  CHECK(html::escaped("<script>alert('&\"')</script>") == "&lt;script&gt;alert(&#39;&amp;&quot;&#39;)&lt;/script&gt;");
  CHECK(html::escaped("\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\t\n") == "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\t\n");
  CHECK(html::escaped("").empty());
}

TEST_CASE("html: what is no UTF-8 or no character of XML is replaced byte by byte") {
  const std::string mark = "\xEF\xBF\xBD";
  const auto repeated = [&](int n) {
    std::string result;
    for (int i = 0; i < n; ++i) result += mark;
    return result;
  };
  CHECK(html::escaped(std::string_view("a\0b", 3)) == "a" + mark + "b");
  CHECK(html::escaped("\x01\x1B[31m") == repeated(2) + "[31m");
  CHECK(html::escaped("\x80") == mark);                     // a byte that continues nothing
  CHECK(html::escaped("\xC0\xAF") == repeated(2));          // "/" in two bytes
  CHECK(html::escaped("\xE0\x80\xAF") == repeated(3));      // and in three
  CHECK(html::escaped("\xED\xA0\x80") == repeated(3));      // half of a pair of UTF-16
  CHECK(html::escaped("\xF4\x90\x80\x80") == repeated(4));  // beyond the last character
  CHECK(html::escaped("\xEF\xBF\xBF") == repeated(3));      // U+FFFF
  CHECK(html::escaped("\xE2\x82") == repeated(2));          // cut off
  CHECK(html::escaped("\xE2\x82<") == repeated(2) + "&lt;");
}

TEST_CASE("html: elements hold words, escaped, and markup, as it is") {
  const html::Markup inner = element("b", {}, "1 < 2");
  CHECK(element("p", {{"title", "\"a\" & b"}}, "x & ", inner, "!").text ==
        "<p title=\"&quot;a&quot; &amp; b\">x &amp; <b>1 &lt; 2</b>!</p>");
  CHECK(html::empty_element("br", {}).text == "<br/>");
  CHECK(is_well_formed(element("p", {{"title", "'\"<>&"}}, "'\"<>&").text));
}

TEST_CASE("html: an image's bytes are base64, as RFC 4648 works it out") {
  const auto data_of = [](std::string_view bytes) {
    const std::string markup = html::image(bytes, "image/png", "d").text;
    const std::size_t begin = markup.find("base64,") + 7;
    return markup.substr(begin, markup.find('"', begin) - begin);
  };
  CHECK(data_of("") == "");
  CHECK(data_of("f") == "Zg==");
  CHECK(data_of("fo") == "Zm8=");
  CHECK(data_of("foo") == "Zm9v");
  CHECK(data_of("foobar") == "Zm9vYmFy");
  CHECK(data_of("\xFB\xFF\xFE") == "+//+");
  CHECK(contains(html::image("x", "image/png", "a \"b\"").text,
                 "<img src=\"data:image/png;base64,eA==\" alt=\"a &quot;b&quot;\"/>"));
}

}  // namespace
}  // namespace normalign::tests
