// What gnuplot draws as a part of a page.
#pragma once

#include <string_view>

#include "experiments/report/html.hpp"

namespace normalign {

/// A picture of gnuplot's terminal svg as an element of a page, whose style gives it letters and ink: black is
/// `currentColor`, points are circles of the classes disc and ring. It has no names that another picture could have
/// too. `description`: for those who cannot see it.
html::Markup svg_part(std::string_view svg, std::string_view description);

}  // namespace normalign
