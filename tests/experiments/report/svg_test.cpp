#include "experiments/report/svg.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

// As gnuplot writes it, with all that a page does not need.
constexpr const char* drawn = R"svg(<?xml version="1.0" encoding="utf-8"  standalone="no"?>
<svg
 viewBox="0 0 440 260"
 xmlns="http://www.w3.org/2000/svg"
 xmlns:xlink="http://www.w3.org/1999/xlink"
>

<title>Gnuplot</title>
<desc>Produced by GNUPLOT 5.4 patchlevel 4 </desc>
<g id="gnuplot_canvas">
<rect x="0" y="0" width="440" height="260" fill="none"/>
<defs>
	<circle id='gpDot' r='0.5' stroke-width='0.5' stroke='currentColor'/>
</defs>
<g fill="none" color="black" stroke="currentColor" stroke-width="1.00" stroke-linecap="butt">
</g>
	<g id="gnuplot_plot_1a" ><title>a &lt;b></title>
<g fill="none" color="black" stroke="currentColor" stroke-width="2.00" stroke-linecap="butt">
	<g transform="translate(220.00,23.73)" stroke="none" fill="black" font-family="sans-serif"  text-anchor="middle">
		<text>a &lt;b> &amp; id="c"</text>
	</g>
	<polygon fill = 'rgb(213,  94,   0)' fill-opacity = '0.180000' points = '1,2 3,4 5,6 '/>
	<path stroke='rgb(  0,   0,   0)' stroke-dasharray='8.0,4.0'  d='M40.95,197.60 L187.46,167.92  '/></g>
	<use xlink:href='#gpPt5' transform='translate(74.85,138.24) scale(2.92)' color='rgb(  0, 114, 178)'/>
	<use xlink:href='#gpPt6' transform='translate(1,2) scale(2.92)' color='rgb(  0,   0,   0)'/>
	</g>
</g>
</svg>
)svg";

TEST_CASE("svg_part: what is seen stays, without names, addresses and what the style says") {
  const std::string part = svg_part(drawn, "a \"chart\" <x>").text;
  CAPTURE(part);
  CHECK(is_well_formed(part));
  CHECK(
      part.starts_with("<svg class=\"chart\" role=\"img\" aria-label=\"a &quot;chart&quot; &lt;x&gt;\" "
                       "viewBox=\"0 0 440 260\">"));
  CHECK(part.ends_with("</svg>"));
  for (const char* gone :
       {"id='", "id=\"gnuplot", "http", "href", "Gnuplot", "GNUPLOT", "<use", "defs", "font", "black"})
    CHECK_FALSE(contains(part, gone));
  for (const char* kept :
       {"<text>a &lt;b> &amp; id=\"c\"</text>", "text-anchor=\"middle\"", "translate(220.00,23.73)",
        "<polygon fill=\"rgb(213,  94,   0)\" fill-opacity=\"0.180000\" points=\"1,2 3,4 5,6 \"/>",
        "stroke=\"currentColor\" stroke-dasharray=\"8.0,4.0\" d=\"M40.95,197.60 L187.46,167.92  \"/>",
        "<circle class=\"ring\" r=\"1\" transform=\"translate(74.85,138.24) scale(2.92)\" "
        "color=\"rgb(  0, 114, 178)\"/>",
        "<circle class=\"disc\" r=\"1\""}) {
    CAPTURE(kept);
    CHECK(contains(part, kept));
  }
}

}  // namespace
}  // namespace normalign::tests
