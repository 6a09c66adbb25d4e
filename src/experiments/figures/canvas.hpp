// Drawings as SVG or PNG, by cairo.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "geometry/planar/plane.hpp"

namespace normalign {

/// A colour: red, green, blue and how opaque, each from 0 to 1.
struct Colour {
  double red = 0, green = 0, blue = 0, opacity = 1;
};

/// Where a text stands to its point.
enum class Anchor { left, middle, right };

/// A white sheet, in points of 1/72 inch (of which a PNG has two pixels each way), x to the right and y downwards.
class Canvas {
 public:
  /// `path` ends in .svg or .png. Throws InputError on another ending or a size that is not positive.
  Canvas(std::filesystem::path path, double width, double height);
  ~Canvas();

  /// Closed polygons of one colour, without lines between those that touch.
  void fill(const std::vector<std::vector<Point>>& polygons, Colour colour);
  /// Open lines of one colour.
  void draw(const std::vector<std::vector<Point>>& lines, Colour colour, double width);
  /// A filled disc with a thin outline.
  void disc(Point centre, double radius, Colour colour, Colour outline);
  /// One line of text; `size` is that of the font.
  void write(Point at, const std::string& words, double size, Anchor anchor = Anchor::left);
  /// Confines what follows to a rectangle, until `unclip`.
  void clip(Point corner, double width, double height);
  void unclip();

  /// Writes the file. Throws InputError naming it when that fails.
  void save();

 private:
  struct Sheet;
  std::filesystem::path path_;
  std::unique_ptr<Sheet> sheet_;
};

/// A colour for a share from 0 to 1 (beyond them the nearer end): dark blue over green to yellow, even in brightness.
Colour gradient(double share);

/// A colour for a class, from 0 on; they repeat after ten.
Colour class_colour(Index number);

}  // namespace normalign
