#include "experiments/studies/slice_picture.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"
#include "experiments/figures/canvas.hpp"
#include "experiments/figures/colour_bar.hpp"
#include "experiments/figures/table_json.hpp"
#include "geometry/planar/vertex_signs.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using Polygons = std::vector<std::vector<Point>>;

constexpr std::pair<const char*, RegionColour> colour_names[] = {
    {"slope", RegionColour::slope}, {"area", RegionColour::area}, {"class", RegionColour::label}};

constexpr Colour grey{0.75, 0.75, 0.75}, black{0, 0, 0}, white{1, 1, 1}, red{0.9, 0.05, 0.1};
// Classes as areas are paler than the points of the class that lie on them.
Colour area_colour(Index label) {
  const Colour c = class_colour(label);
  const auto pale = [](double value) { return 1 - 0.55 * (1 - value); };
  return {pale(c.red), pale(c.green), pale(c.blue)};
}

constexpr int shades = 64;  // regions of one shade are one shape

// A corner of a polygon with the outputs there.
struct Corner {
  Point at;
  std::vector<double> outputs;
};

// The part of a convex polygon where output c is not below output j.
std::vector<Corner> clipped(const std::vector<Corner>& polygon, std::size_t c, std::size_t j) {
  std::vector<Corner> result;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Corner &here = polygon[i], &next = polygon[(i + 1) % polygon.size()];
    const double lead = here.outputs[c] - here.outputs[j], next_lead = next.outputs[c] - next.outputs[j];
    if (lead >= 0) result.push_back(here);
    if (!(lead < 0 && next_lead > 0) && !(lead > 0 && next_lead < 0)) continue;
    const double share = zero_share(lead, next_lead);
    Corner between{{here.at.x + share * (next.at.x - here.at.x), here.at.y + share * (next.at.y - here.at.y)}, {}};
    for (std::size_t o = 0; o < here.outputs.size(); ++o)
      between.outputs.push_back(here.outputs[o] + share * (next.outputs[o] - here.outputs[o]));
    result.push_back(std::move(between));
  }
  return result;
}

// For each class the part of a region in which it wins; a single output tells two classes apart by its sign.
std::vector<std::vector<Point>> parts_by_class(const Slice& slice, Index region) {
  std::vector<Corner> whole;
  for (const Side side : slice.complex.sides_of(region)) {
    const std::int32_t vertex = slice.complex.start(side);
    const auto row = slice.outputs.row(vertex);
    Corner corner{slice.complex.point(vertex), {row.begin(), row.end()}};
    if (row.size() == 1) corner.outputs.insert(corner.outputs.begin(), 0);
    whole.push_back(std::move(corner));
  }
  const std::size_t classes = whole.front().outputs.size();
  std::vector<std::vector<Point>> result(classes);
  for (std::size_t c = 0; c < classes; ++c) {
    std::vector<Corner> part = whole;
    for (std::size_t j = 0; j < classes && part.size() > 2; ++j)
      if (j != c) part = clipped(part, c, j);
    if (part.size() > 2)
      for (const Corner& corner : part) result[c].push_back(corner.at);
  }
  return result;
}

// The window on the sheet: the larger side of the window's box is `room` points long.
class Frame {
 public:
  static constexpr double left = 60, top = 44, room = 480, right = 96, bottom = 44;

  explicit Frame(const Slice& slice) {
    low_ = high_ = slice.complex.vertices.front();
    for (const Point& p : slice.complex.vertices) {
      low_ = {std::min(low_.x, p.x), std::min(low_.y, p.y)};
      high_ = {std::max(high_.x, p.x), std::max(high_.y, p.y)};
    }
    scale_ = room / std::max(high_.x - low_.x, high_.y - low_.y);
  }
  double width() const { return scale_ * (high_.x - low_.x); }
  double height() const { return scale_ * (high_.y - low_.y); }
  Point low() const { return low_; }
  Point high() const { return high_; }
  Point on_sheet(Point t) const { return {left + scale_ * (t.x - low_.x), top + scale_ * (high_.y - t.y)}; }
  std::vector<Point> on_sheet(const std::vector<Point>& line) const {
    std::vector<Point> result;
    for (const Point& p : line) result.push_back(on_sheet(p));
    return result;
  }

 private:
  Point low_, high_;
  double scale_ = 1;
};

// Round numbers within [low, high], about five.
std::vector<double> ticks(double low, double high) {
  const double rough = (high - low) / 5, power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  std::vector<double> result;
  for (double at = std::ceil(low / step) * step; at <= high + 1e-9 * step; at += step)
    result.push_back(std::abs(at) < 1e-9 * step ? 0 : at);
  return result;
}

// What is drawn of a region on a log scale; nothing where it has no logarithm.
double measure(const SlicePicture& picture, Index region) {
  return picture.colour == RegionColour::area ? picture.slice.complex.area(region) : picture.slice.slope_norm(region);
}

LogScale scale_of(const SlicePicture& picture) {
  if (picture.scale) return {picture.scale->first, picture.scale->second};
  std::vector<double> values;
  for (Index r = 0; r < picture.slice.regions(); ++r) values.push_back(measure(picture, r));
  return log_scale(values);
}

void draw_classes(Canvas& canvas, const Frame& frame, const SlicePicture& picture) {
  const Index classes = std::max<Index>(picture.slice.outputs.cols(), 2);
  const double x = Frame::left + frame.width() + 14;
  for (Index c = 0; c < classes; ++c) {
    const double top = Frame::top + 18 * static_cast<double>(c);
    canvas.fill({{{x, top}, {x + 14, top}, {x + 14, top + 14}, {x, top + 14}}}, area_colour(c));
    canvas.write({x + 20, top + 11}, std::to_string(c), 10);
  }
}

void draw_regions(Canvas& canvas, const Frame& frame, const SlicePicture& picture, const LogScale& scale) {
  std::vector<Polygons> by_shade(shades), by_class(10);
  Polygons without;  // a logarithm
  for (Index r = 0; r < picture.slice.regions(); ++r) {
    if (picture.colour == RegionColour::label) {
      const std::vector<std::vector<Point>> parts = parts_by_class(picture.slice, r);
      for (std::size_t c = 0; c < parts.size(); ++c)
        if (!parts[c].empty()) by_class[c % by_class.size()].push_back(frame.on_sheet(parts[c]));
      continue;
    }
    std::vector<Point> polygon = frame.on_sheet(picture.slice.complex.polygon(r));
    if (const double value = measure(picture, r); value > 0) {
      const double at = std::clamp(scale.share(value), 0.0, 1.0);
      by_shade[std::min(static_cast<std::size_t>(at * shades), by_shade.size() - 1)].push_back(std::move(polygon));
    } else {
      without.push_back(std::move(polygon));
    }
  }
  if (!without.empty()) canvas.fill(without, grey);
  for (std::size_t i = 0; i < by_shade.size(); ++i)
    if (!by_shade[i].empty()) canvas.fill(by_shade[i], gradient((static_cast<double>(i) + 0.5) / shades));
  for (std::size_t i = 0; i < by_class.size(); ++i)
    if (!by_class[i].empty()) canvas.fill(by_class[i], area_colour(static_cast<Index>(i)));
}

void draw_edges(Canvas& canvas, const Frame& frame, const Slice& slice) {
  Polygons lines;
  for (const PlanarEdge& edge : slice.complex.edges)
    if (edge.layer >= 0)
      lines.push_back(frame.on_sheet({slice.complex.point(edge.from), slice.complex.point(edge.to)}));
  // Thinner where there are many, or nothing else would be seen.
  const double width = std::clamp(12 / std::sqrt(static_cast<double>(slice.regions())), 0.08, 0.6);
  canvas.draw(lines, {0, 0, 0, 0.6}, width);
}

void draw_boundary(Canvas& canvas, const Frame& frame, const SlicePicture& picture) {
  Polygons lines;
  for (const BoundaryLine& line : polylines(picture.boundary)) lines.push_back(frame.on_sheet(line.points));
  canvas.draw(lines, white, 2.6);
  canvas.draw(lines, red, 1.4);
}

void draw_points(Canvas& canvas, const Frame& frame, const SlicePicture& picture) {
  double farthest = 0;
  for (const SlicePoint& point : picture.points) farthest = std::max(farthest, point.distance);
  for (const SlicePoint& point : picture.points) {
    const Point at = frame.on_sheet(point.t);
    Colour colour = class_colour(point.label.value_or(0));
    if (farthest > 1e-9) colour.opacity = 1 - 0.8 * point.distance / farthest;
    if (point.centroid) {
      const Point tip = frame.on_sheet(*point.centroid);
      canvas.draw({{at, tip}}, {0, 0, 0, 0.4}, 0.6);
      canvas.disc(tip, 1.8, colour, black);
    }
    canvas.disc(at, 3.2, colour, black);
  }
}

void draw_axes(Canvas& canvas, const Frame& frame) {
  const double left = Frame::left, top = Frame::top, right = left + frame.width(), bottom = top + frame.height();
  canvas.draw({{{left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}}}, black, 0.8);
  for (const double at : ticks(frame.low().x, frame.high().x)) {
    const double x = frame.on_sheet({at, 0}).x;
    canvas.draw({{{x, bottom}, {x, bottom + 4}}}, black, 0.8);
    canvas.write({x, bottom + 16}, formatted("%.3g", at), 10, Anchor::middle);
  }
  for (const double at : ticks(frame.low().y, frame.high().y)) {
    const double y = frame.on_sheet({0, at}).y;
    canvas.draw({{{left - 4, y}, {left, y}}}, black, 0.8);
    canvas.write({left - 7, y + 3.5}, formatted("%.3g", at), 10, Anchor::right);
  }
}

Json pair_of(Point p) { return Json::array({p.x, p.y}); }

Json points_of(const std::vector<Point>& points) {
  Json result = Json::array();
  for (const Point& p : points) result.push_back(pair_of(p));
  return result;
}

Json json_of(const SliceStatistics& s) {
  return {{"regions", s.regions},
          {"vertices", s.vertices},
          {"edges", s.edges},
          {"adjacent_pairs", s.adjacent_pairs},
          {"distinct_maps", s.distinct_maps},
          {"map_components", s.map_components},
          {"area", s.area},
          {"smallest_area", s.smallest_area},
          {"median_area", s.median_area},
          {"largest_area", s.largest_area},
          {"boundary_length", s.boundary_length},
          {"mean_slope_norm", s.mean_slope_norm},
          {"largest_slope_norm", s.largest_slope_norm}};
}

Json json_of(const DecisionBoundary& boundary) {
  Json lines = Json::array();
  for (const BoundaryLine& line : polylines(boundary)) {
    Json classes = Json::array({line.first});
    if (line.second >= 0) classes.push_back(line.second);
    lines.push_back({{"points", points_of(line.points)}, {"classes", classes}});
  }
  Json edges = Json::array();
  for (const BoundarySegment& segment : boundary.segments)
    if (segment.edge >= 0 && (edges.empty() || edges.back() != segment.edge)) edges.push_back(segment.edge);
  return {
      {"length", boundary.length()}, {"polylines", lines}, {"edges", edges}, {"flat_regions", boundary.flat_regions}};
}

void add_regions(Json& json, const Slice& slice) {
  json["vertices"] = points_of(slice.complex.vertices);
  Json& edges = json["edges"] = Json::array();
  for (const PlanarEdge& e : slice.complex.edges)
    edges.push_back(Json::array({e.from, e.to, e.left, e.right, e.layer, e.unit}));
  Json& regions = json["regions"] = Json::array();
  for (Index r = 0; r < slice.regions(); ++r) {
    std::string code;
    for (const std::uint8_t bit : slice.code(r)) code += bit ? '1' : '0';
    const AffineMap map = slice.map(r);
    Json corners = Json::array();
    for (const Side side : slice.complex.sides_of(r)) corners.push_back(slice.complex.start(side));
    regions.push_back({{"code", code},
                       {"area", slice.complex.area(r)},
                       {"slope", rows_json(map.slope)},
                       {"offset", Json(map.offset.span())},
                       {"corners", corners}});
  }
}

}  // namespace

RegionColour region_colour(const std::string& name) {
  return named("colour", name, colour_names, [](const auto& entry) { return entry.first; }).second;
}

void draw(const SlicePicture& picture, const std::filesystem::path& path) {
  const Frame frame(picture.slice);
  Canvas canvas(path, Frame::left + frame.width() + Frame::right, Frame::top + frame.height() + Frame::bottom);
  const bool by_label = picture.colour == RegionColour::label;
  const LogScale scale = by_label ? LogScale{} : scale_of(picture);
  canvas.clip({Frame::left, Frame::top}, frame.width(), frame.height());
  draw_regions(canvas, frame, picture, scale);
  draw_edges(canvas, frame, picture.slice);
  draw_boundary(canvas, frame, picture);
  draw_points(canvas, frame, picture);
  canvas.unclip();
  draw_axes(canvas, frame);
  if (by_label)
    draw_classes(canvas, frame, picture);
  else
    draw_colour_bar(canvas, {Frame::left + frame.width() + 14, Frame::top}, frame.height(), scale,
                    picture.colour == RegionColour::area ? "area" : "slope |A|");
  canvas.write({Frame::left, 20}, picture.title, 12);
  canvas.save();
}

nlohmann::ordered_json as_json(const SlicePicture& picture, bool regions) {
  const Slice& slice = picture.slice;
  Json points = Json::array();
  for (const SlicePoint& point : picture.points) {
    Json entry = {{"t", pair_of(point.t)}, {"distance", point.distance}};
    if (point.label) entry["label"] = *point.label;
    if (point.centroid) entry["centroid"] = pair_of(*point.centroid);
    points.push_back(entry);
  }
  Json json = {{"plane",
                {{"origin", Json(slice.plane.origin.span())},
                 {"u", Json(slice.plane.u.span())},
                 {"v", Json(slice.plane.v.span())}}},
               {"statistics", json_of(statistics(slice))},
               {"regions_after_layer", slice.regions_after_layer},
               {"decision_boundary", json_of(picture.boundary)},
               {"points", points}};
  if (regions) add_regions(json, slice);
  return json;
}

}  // namespace normalign
