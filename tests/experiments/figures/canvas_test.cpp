#include "experiments/figures/canvas.hpp"

#include <cmath>
#include <fstream>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void draw_something(Canvas& canvas) {
  canvas.fill({{{10, 10}, {90, 10}, {50, 80}}}, {1, 0, 0});
  canvas.clip({0, 0}, 50, 100);
  canvas.draw({{{0, 0}, {100, 100}}, {{0, 100}, {100, 0}}}, {0, 0, 1}, 2);
  canvas.unclip();
  canvas.disc({50, 50}, 5, {0, 1, 0, 0.5}, {0, 0, 0});
  canvas.write({50, 95}, "x < y & z", 10, Anchor::middle);
  canvas.save();
}

TEST_CASE("the same drawing is written as SVG or PNG by the ending of its name") {
  const TemporaryFolder folder;
  Canvas svg(folder.path() / "a.svg", 100, 120), png(folder.path() / "a.png", 100, 120);
  draw_something(svg);
  draw_something(png);
  const std::string text = content(folder.path() / "a.svg");
  CHECK(text.starts_with("<?xml"));
  CHECK(contains(text, "<svg"));
  CHECK(contains(text, "rgb(100%,0%,0%)"));
  CHECK(text.find("</svg>") != std::string::npos);
  const std::string image = content(folder.path() / "a.png");
  CHECK(image.starts_with("\x89PNG\r\n\x1a\n"));
  const auto number_at = [&](std::size_t at) {
    int value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = 256 * value + static_cast<unsigned char>(image[i]);
    return value;
  };
  CHECK(number_at(16) == 200);  // two pixels to a point
  CHECK(number_at(20) == 240);
}

TEST_CASE("a canvas that cannot be is refused") {
  CHECK(message_of<InputError>([] { Canvas("a.jpg", 10, 10); }) ==
        "a.jpg: found the ending '.jpg', expected .svg or .png");
  CHECK(message_of<InputError>([] { Canvas("a.svg", 0, 10); }) ==
        "Canvas: size is 0 by 10; both must be above 0 and below 10000 points");
  const TemporaryFolder folder;
  Canvas lost(folder.path() / "no" / "a.svg", 10, 10);
  CHECK(contains(message_of<InputError>([&] { lost.save(); }), "a.svg: cannot be written"));
}

TEST_CASE("the gradient goes from dark to light and holds its ends, and classes have ten colours") {
  const auto brightness = [](Colour c) { return 0.3 * c.red + 0.6 * c.green + 0.1 * c.blue; };
  for (int i = 0; i < 100; ++i) CHECK(brightness(gradient(i / 100.0)) < brightness(gradient((i + 1) / 100.0)));
  CHECK(gradient(-1).green == gradient(0).green);
  CHECK(gradient(2).green == gradient(1).green);
  CHECK(gradient(NAN).green == gradient(0).green);
  for (Index i = 0; i < 10; ++i)
    for (Index j = 0; j < i; ++j)
      CHECK(std::abs(class_colour(i).red - class_colour(j).red) +
                std::abs(class_colour(i).green - class_colour(j).green) +
                std::abs(class_colour(i).blue - class_colour(j).blue) >
            0.2);
  CHECK(class_colour(12).red == class_colour(2).red);
}

}  // namespace
}  // namespace normalign::tests
