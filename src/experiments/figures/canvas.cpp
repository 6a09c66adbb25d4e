#include "experiments/figures/canvas.hpp"

#include <cairo/cairo-svg.h>
#include <cairo/cairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "experiments/figures/text_file.hpp"

namespace normalign {
namespace {

constexpr double pixels_per_point = 2;

struct Delete {
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};

cairo_status_t append(void* to, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

// The surface refers to `content`, and the context to the surface; they go in the opposite order.
struct Canvas::Sheet {
  std::string content;
  bool is_svg = false;
  std::unique_ptr<cairo_surface_t, Delete> surface;
  std::unique_ptr<cairo_t, Delete> context;

  cairo_t* at() const { return context.get(); }
  void colour(Colour c) const { cairo_set_source_rgba(at(), c.red, c.green, c.blue, c.opacity); }
  void path(const std::vector<std::vector<Point>>& lines, bool closed) const {
    for (const std::vector<Point>& line : lines) {
      for (std::size_t i = 0; i < line.size(); ++i)
        (i == 0 ? cairo_move_to : cairo_line_to)(at(), line[i].x, line[i].y);
      if (closed) cairo_close_path(at());
    }
  }
};

Canvas::Canvas(std::filesystem::path path, double width, double height)
    : path_(std::move(path)), sheet_(std::make_unique<Sheet>()) {
  if (!(width > 0 && height > 0 && width < 10000 && height < 10000))
    throw InputError(text("Canvas: size is ", width, " by ", height, "; both must be above 0 and below 10000 points"));
  sheet_->is_svg = path_.extension() == ".svg";
  if (!sheet_->is_svg && path_.extension() != ".png")
    throw InputError(
        text(path_.string(), ": found the ending '", path_.extension().string(), "', expected .svg or .png"));
  sheet_->surface.reset(sheet_->is_svg
                            ? cairo_svg_surface_create_for_stream(append, &sheet_->content, width, height)
                            : cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(pixels_per_point * width),
                                                         static_cast<int>(pixels_per_point * height)));
  sheet_->context.reset(cairo_create(sheet_->surface.get()));
  if (!sheet_->is_svg) cairo_scale(sheet_->at(), pixels_per_point, pixels_per_point);
  sheet_->colour({1, 1, 1});
  cairo_paint(sheet_->at());
  cairo_set_line_join(sheet_->at(), CAIRO_LINE_JOIN_ROUND);
  cairo_select_font_face(sheet_->at(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
}

Canvas::~Canvas() = default;

void Canvas::fill(const std::vector<std::vector<Point>>& polygons, Colour colour) {
  // Smoothed borders of neighbours would let the white below shine through.
  cairo_set_antialias(sheet_->at(), CAIRO_ANTIALIAS_NONE);
  sheet_->colour(colour);
  sheet_->path(polygons, true);
  cairo_fill(sheet_->at());
  cairo_set_antialias(sheet_->at(), CAIRO_ANTIALIAS_DEFAULT);
}

void Canvas::draw(const std::vector<std::vector<Point>>& lines, Colour colour, double width) {
  sheet_->colour(colour);
  cairo_set_line_width(sheet_->at(), width);
  sheet_->path(lines, false);
  cairo_stroke(sheet_->at());
}

void Canvas::disc(Point centre, double radius, Colour colour, Colour outline) {
  cairo_new_sub_path(sheet_->at());
  cairo_arc(sheet_->at(), centre.x, centre.y, radius, 0, 2 * std::numbers::pi);
  sheet_->colour(colour);
  cairo_fill_preserve(sheet_->at());
  sheet_->colour(outline);
  cairo_set_line_width(sheet_->at(), 0.6);
  cairo_stroke(sheet_->at());
}

void Canvas::write(Point at, const std::string& words, double size, Anchor anchor) {
  cairo_set_font_size(sheet_->at(), size);
  cairo_text_extents_t extents;
  cairo_text_extents(sheet_->at(), words.c_str(), &extents);
  const double before = anchor == Anchor::left     ? 0
                        : anchor == Anchor::middle ? extents.x_advance / 2
                                                   : extents.x_advance;
  sheet_->colour({0.1, 0.1, 0.1});
  cairo_move_to(sheet_->at(), at.x - before, at.y);
  cairo_show_text(sheet_->at(), words.c_str());
}

void Canvas::clip(Point corner, double width, double height) {
  cairo_save(sheet_->at());
  cairo_rectangle(sheet_->at(), corner.x, corner.y, width, height);
  cairo_clip(sheet_->at());
}

void Canvas::unclip() { cairo_restore(sheet_->at()); }

void Canvas::save() {
  if (!sheet_->is_svg) cairo_surface_write_to_png_stream(sheet_->surface.get(), append, &sheet_->content);
  const cairo_status_t drawn = cairo_status(sheet_->at());
  cairo_surface_finish(sheet_->surface.get());
  const cairo_status_t status = drawn != CAIRO_STATUS_SUCCESS ? drawn : cairo_surface_status(sheet_->surface.get());
  if (status != CAIRO_STATUS_SUCCESS) throw RunError(text(path_.string(), ": cairo: ", cairo_status_to_string(status)));
  write_text_file(path_, sheet_->content);
}

Colour gradient(double share) {
  // Nine points of the map viridis (S. van der Walt and N. Smith, 2015; public domain).
  constexpr std::array<std::array<double, 3>, 9> points = {{{0.267, 0.005, 0.329},
                                                            {0.279, 0.175, 0.483},
                                                            {0.230, 0.322, 0.546},
                                                            {0.173, 0.449, 0.558},
                                                            {0.128, 0.567, 0.551},
                                                            {0.158, 0.684, 0.502},
                                                            {0.369, 0.789, 0.383},
                                                            {0.678, 0.864, 0.190},
                                                            {0.993, 0.906, 0.144}}};
  const double at = std::clamp(std::isnan(share) ? 0 : share, 0.0, 1.0) * (points.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), points.size() - 2);
  const double rest = at - static_cast<double>(below);
  const auto mix = [&](std::size_t c) { return points[below][c] + rest * (points[below + 1][c] - points[below][c]); };
  return {mix(0), mix(1), mix(2)};
}

Colour class_colour(Index number) {
  constexpr std::array<Colour, 10> colours = {{{0.12, 0.47, 0.71},
                                               {1.00, 0.50, 0.05},
                                               {0.17, 0.63, 0.17},
                                               {0.84, 0.15, 0.16},
                                               {0.58, 0.40, 0.74},
                                               {0.55, 0.34, 0.29},
                                               {0.89, 0.47, 0.76},
                                               {0.50, 0.50, 0.50},
                                               {0.74, 0.74, 0.13},
                                               {0.09, 0.75, 0.81}}};
  return colours[static_cast<std::size_t>(number) % colours.size()];
}

}  // namespace normalign
