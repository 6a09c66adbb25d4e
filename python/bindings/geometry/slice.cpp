// Slices: the exact partition of a plane into the linear regions of a network.
#include "geometry/planar/slice.hpp"

#include "geometry/planar/decision_boundary.hpp"
#include "geometry/planar/slice_statistics.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/geometry/codes.hpp"
#include "python/bindings/models/network.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// ---- planes ----------------------------------------------------------------------------------------------------

static_assert(sizeof(Point) == 2 * sizeof(double) && sizeof(PlanarEdge) == 6 * sizeof(std::int32_t) &&
              sizeof(Side) == sizeof(std::int32_t));

std::vector<Point> points_argument(const char* name, const ArrayLike& argument) {
  const MatrixArgument<double> rows(name, argument);
  if (rows.view().cols() != 2)
    throw InputError(text(name, ": found shape ", rows.view().shape(), ", expected points of the plane, (n, 2)"));
  std::vector<Point> points;
  for (Index i = 0; i < rows.view().rows(); ++i) points.push_back({rows.view()(i, 0), rows.view()(i, 1)});
  return points;
}

py::array points_array(std::vector<Point> points) {
  const auto count = static_cast<Index>(points.size());
  Matrix<double> rows(count, 2);
  for (Index i = 0; i < count; ++i) {
    rows(i, 0) = points[static_cast<std::size_t>(i)].x;
    rows(i, 1) = points[static_cast<std::size_t>(i)].y;
  }
  return array_from(std::move(rows));
}

Plane plane_of(const ArrayLike& origin, const ArrayLike& u, const ArrayLike& v) {
  Plane plane{row_argument("origin", origin), row_argument("u", u), row_argument("v", v)};
  if (plane.u.shape() != plane.origin.shape() || plane.v.shape() != plane.origin.shape())
    throw InputError(text("Plane: found an origin of ", plane.origin.cols(), " numbers, u of ", plane.u.cols(),
                          " and v of ", plane.v.cols(), ", expected as many in each"));
  return plane;
}

struct Projections {
  Matrix<double> coordinates;  // n x 2
  std::vector<double> distances;
};

Projections projected(const Plane& plane, ConstView<double> x) {
  Projections result{Matrix<double>(x.rows(), 2), {}};
  for (Index i = 0; i < x.rows(); ++i) {
    const Projection found = projection(plane, x.row_block(i, 1));
    result.coordinates(i, 0) = found.t.x;
    result.coordinates(i, 1) = found.t.y;
    result.distances.push_back(found.distance);
  }
  return result;
}

std::string described(const Plane& plane) {
  const auto row = [](const Matrix<double>& values) {
    constexpr Index most = 6;
    const std::vector<double> shown(values.data(), values.data() + std::min(values.cols(), most));
    return "[" + joined(shown, ", ", [](double x) { return text(x); }) + (values.cols() > most ? ", ...]" : "]");
  };
  return text("Plane(origin=", row(plane.origin), ", u=", row(plane.u), ", v=", row(plane.v), ")");
}

void bind_planes(py::module_& module) {
  py::class_<Plane>(module, "Plane", printed(), R"(
The plane t -> origin + t_1 u + t_2 v in d dimensions. With orthonormal u and v lengths in it are those of the space.)")
      .def(py::init(&plane_of), "origin"_a, "u"_a, "v"_a, "origin, u, v: arrays (d,).")
      .def_static(
          "through", [](const ArrayLike& points) { return plane_through(MatrixArgument<double>("points", points)); },
          "points"_a, R"(
The plane through three points, the rows of an array (3, d): its origin is their mean, u points from the first to the
second, v is orthonormal to u, towards the third.)")
      .def_static(
          "along_axes",
          [](const ArrayLike& origin, Index first, Index second) {
            return axis_plane(row_argument("origin", origin), first, second);
          },
          "origin"_a, "first"_a, "second"_a, "The plane through origin (d,) along two coordinate axes, from 0.")
      .def_property_readonly(
          "origin", [](const Plane& plane) { return array_of_row(plane.origin); }, "(d,).")
      .def_property_readonly(
          "u", [](const Plane& plane) { return array_of_row(plane.u); }, "(d,).")
      .def_property_readonly(
          "v", [](const Plane& plane) { return array_of_row(plane.v); }, "(d,).")
      .def(
          "points",
          [](const Plane& plane, const ArrayLike& t) { return array_from(points_on(plane, points_argument("t", t))); },
          "t"_a, "Where the points t (n, 2) of the plane lie in the space: (n, d).")
      .def(
          "project",
          [](const Plane& plane, const ArrayLike& x) {
            Projections found = projected(plane, MatrixArgument<double>("X", x));
            return py::make_tuple(array_from(std::move(found.coordinates)), array_from(std::move(found.distances)));
          },
          "X"_a, R"(
The orthogonal projections of the rows of X (n, d), with orthonormal u and v: (t (n, 2), distances from the plane (n,)).)")
      .def(printed_method, &described)
      .def(py::pickle(
          [](const Plane& plane) {
            return py::make_tuple(array_of_row(plane.origin), array_of_row(plane.u), array_of_row(plane.v));
          },
          [](const py::tuple& state) {
            return plane_of(ArrayLike{state[0]}, ArrayLike{state[1]}, ArrayLike{state[2]});
          }));
}

// ---- slices ----------------------------------------------------------------------------------------------------

// A slice with the network that it is of, and the points that its plane was made of, in the plane's coordinates.
struct HeldSlice {
  Slice slice;
  std::shared_ptr<const PiecewiseAffineNetwork> network;
  Matrix<double> points;
};

template <class T, class Value>
py::array view_in(const py::object& self, const std::vector<Value>& values, const std::vector<Index>& shape) {
  return borrowed_array(reinterpret_cast<const T*>(values.data()), shape, self);
}

const Slice& slice_in(const py::object& self) { return self.cast<const HeldSlice&>().slice; }

// A plane, and the points that it was made of in its coordinates, n x 2.
struct ChosenPlane {
  Plane plane = {};
  Matrix<double> points = Matrix<double>(0, 2);

  // Room around the points, as the command line has it, or 1.
  double half_width() const {
    double farthest = 0;
    for (const double coordinate : points.span()) farthest = std::max(farthest, std::abs(coordinate));
    return points.empty() ? 1 : 1.2 * farthest;
  }
};

ChosenPlane chosen_plane(const py::object& plane, const PiecewiseAffineNetwork& network) {
  if (plane.is_none()) {
    if (network.inputs() != 2)
      throw InputError(text("plane: found None and a network of ", network.inputs(),
                            " inputs, expected a Plane or three points (3, d): None is the plane of two inputs"));
    return {.plane = input_plane()};
  }
  if (py::isinstance<Plane>(plane)) return {.plane = plane.cast<Plane>()};
  const MatrixArgument<double> rows("plane", ArrayLike{plane});
  ChosenPlane chosen{.plane = plane_through(rows)};
  chosen.points = projected(chosen.plane, rows).coordinates;
  return chosen;
}

std::unique_ptr<HeldSlice> slice_of(const Network& network, const py::object& plane, std::optional<double> half_width,
                                    const std::optional<ArrayLike>& window, Index max_regions,
                                    std::optional<int> threads, const py::object& progress) {
  const auto& pieces = network.pieces();
  ChosenPlane chosen = chosen_plane(plane, *pieces);
  const double half = half_width.value_or(chosen.half_width());
  if (!(half > 0)) throw InputError(text("half_width: found ", half, ", expected a positive number"));
  if (half_width && window) throw InputError("half_width: found one beside a window, expected one of the two");
  SliceOptions options{.window = window ? points_argument("window", *window) : square(half),
                       .max_regions = max_regions,
                       .threads = thread_count(threads)};
  Progress shown(progress, "layer", pieces->hidden_layers());
  if (shown) options.progress = [&](const SliceProgress& at) { shown(at.layers_done, at.layers); };
  auto held = interruptible(
      [&](const std::function<bool()>& stop) {
        options.stop = stop;
        return std::make_unique<HeldSlice>(
            HeldSlice{slice(*pieces, chosen.plane, options), pieces, std::move(chosen.points)});
      },
      &shown);
  return held;
}

py::array_t<std::int32_t> corners_of(const Slice& slice) {
  return array_from_each(slice.complex.sides, [&](Side side) { return slice.complex.start(side); });
}

py::array_t<double> areas_of(const Slice& slice) {
  py::array_t<double> areas(slice.regions());
  for (Index r = 0; r < slice.regions(); ++r) areas.mutable_data()[r] = slice.complex.area(r);
  return areas;
}

Index region_argument(const Slice& slice, Index region) {
  if (region < -slice.regions() || region >= slice.regions())
    throw InputError(text("region: found ", region, ", expected one below ", slice.regions()));
  return region < 0 ? region + slice.regions() : region;
}

py::list boundary_lines(const Slice& slice) {
  const auto lines = without_lock([&] { return polylines(class_boundary(slice)); });
  py::list result;
  for (const BoundaryLine& line : lines)
    result.append(py::make_tuple(points_array(line.points), py::make_tuple(line.first, line.second)));
  return result;
}

py::dict statistics_of(const Slice& slice) {
  const SliceStatistics found = without_lock([&] { return statistics(slice); });
  return py::dict("regions"_a = found.regions, "vertices"_a = found.vertices, "edges"_a = found.edges,
                  "adjacent_pairs"_a = found.adjacent_pairs, "distinct_maps"_a = found.distinct_maps,
                  "map_components"_a = found.map_components, "area"_a = found.area,
                  "smallest_area"_a = found.smallest_area, "median_area"_a = found.median_area,
                  "largest_area"_a = found.largest_area, "boundary_length"_a = found.boundary_length,
                  "mean_slope_norm"_a = found.mean_slope_norm, "largest_slope_norm"_a = found.largest_slope_norm);
}

void bind_slice_polygons(py::class_<HeldSlice>& type) {
  type.def_property_readonly(
          "plane", [](const HeldSlice& held) { return held.slice.plane; }, "The plane.")
      .def_property_readonly(
          "points",
          [](const py::object& self) {
            const Matrix<double>& points = self.cast<const HeldSlice&>().points;
            return borrowed_array(points.data(), {points.rows(), Index{2}}, self);
          },
          "The three points that the plane was made of, in its coordinates: (3, 2), or (0, 2).")
      .def_property_readonly(
          "vertices",
          [](const py::object& self) {
            const auto& vertices = slice_in(self).complex.vertices;
            return view_in<double>(self, vertices, {static_cast<Index>(vertices.size()), 2});
          },
          "The corners of all regions, in the plane's coordinates: (V, 2).")
      .def_property_readonly(
          "edges",
          [](const py::object& self) {
            const auto& edges = slice_in(self).complex.edges;
            return view_in<std::int32_t>(self, edges, {static_cast<Index>(edges.size()), 6});
          },
          R"(
(E, 6) int32: the vertices at the ends, the regions on the left and right (-1: outside of the window), the hidden layer
and its unit whose wall it is (-1: the window's border).)")
      .def_property_readonly(
          "first",
          [](const py::object& self) {
            const auto& first = slice_in(self).complex.first;
            return view_in<std::int32_t>(self, first, {static_cast<Index>(first.size())});
          },
          "(R + 1,) int32: region r has the corners corners[first[r]:first[r + 1]].")
      .def_property_readonly(
          "corners", [](const HeldSlice& held) { return corners_of(held.slice); },
          "(S,) int32: the vertices around each region, counter-clockwise, region after region.");
}

void bind_slice_maps(py::class_<HeldSlice>& type) {
  type.def_property_readonly(
          "outputs",
          [](const py::object& self) {
            const Matrix<double>& outputs = slice_in(self).outputs;
            return borrowed_array(outputs.data(), {outputs.rows(), outputs.cols()}, self);
          },
          "f at the vertices: (V, k).")
      .def_property_readonly(
          "maps",
          [](const py::object& self) {
            const Matrix<double>& maps = slice_in(self).maps;
            return borrowed_array(maps.data(), {maps.rows(), 3, maps.cols() / 3}, self);
          },
          "f on each region in the plane's coordinates t: (R, 3, k), f(t) = maps[r, 0] t_1 + maps[r, 1] t_2 + maps[r, "
          "2].")
      .def_property_readonly(
          "codes",
          [](const HeldSlice& held) {
            return unpacked_codes(held.slice.codes, held.slice.regions(), held.slice.units, true);
          },
          "Which hidden units are on in each region: (R, units of all layers).")
      .def_property_readonly(
          "units", [](const HeldSlice& held) { return held.slice.units; }, "Of each hidden layer.")
      .def_property_readonly(
          "areas", [](const HeldSlice& held) { return areas_of(held.slice); },
          "The regions' areas in the plane's coordinates: (R,).")
      .def_property_readonly(
          "slope_norms",
          [](const HeldSlice& held) {
            py::array_t<double> norms(held.slice.regions());
            for (Index r = 0; r < held.slice.regions(); ++r) norms.mutable_data()[r] = held.slice.slope_norm(r);
            return norms;
          },
          "|A|_F of each region's map in the plane, f(t) = A t + b: (R,).")
      .def_property_readonly(
          "regions_after_layer", [](const HeldSlice& held) { return held.slice.regions_after_layer; },
          "How many regions there are after each hidden layer.");
}

void bind_slices(py::module_& module) {
  py::class_<HeldSlice> type(module, "Slice", printed(), R"(
The linear regions of a network in a window of a plane: R convex polygons that share their vertices and edges.

Arrays are views of the slice's memory where that has them; they keep it alive and cannot be written to.)");
  bind_slice_polygons(type);
  bind_slice_maps(type);
  type.def("__len__", [](const HeldSlice& held) { return held.slice.regions(); })
      .def(
          "polygon",
          [](const HeldSlice& held, Index region) {
            return points_array(held.slice.complex.polygon(region_argument(held.slice, region)));
          },
          "region"_a, "The corners of a region, counter-clockwise: (m, 2).")
      .def(
          "polygons",
          [](const HeldSlice& held) {
            py::list all;
            for (Index r = 0; r < held.slice.regions(); ++r) all.append(points_array(held.slice.complex.polygon(r)));
            return all;
          },
          "The corners of every region: a list of arrays (m, 2).")
      .def(
          "input_maps",
          [](const HeldSlice& held, const std::optional<ArrayLike>& regions) {
            return maps_of(*held.network, chosen_regions(regions, held.slice.regions()),
                           [&](Index region) { return held.slice.code(region); });
          },
          "regions"_a = py::none(), "f(x) = J x + b on these regions, all by default: (J (n, k, d), b (n, k)).")
      .def(
          "boundary", [](const HeldSlice& held) { return boundary_lines(held.slice); }, R"(
The decision boundary as lines: a list of (points (m, 2), (class, class)); of one output, where it is 0: (0, -1).)")
      .def(
          "statistics", [](const HeldSlice& held) { return statistics_of(held.slice); },
          "Counts and measures by name: regions, distinct maps, areas, slope norms, the length of all edges.")
      .def(
          "plot",
          [](const py::object& self, const py::object& ax, const std::string& colour, bool boundary) {
            return py::module_::import("normalign.plotting").attr("plot_slice")(self, ax, colour, boundary);
          },
          "ax"_a = py::none(), py::kw_only(), "colour"_a = "slope", "boundary"_a = true, R"(
Draws the regions on matplotlib axes, new ones by default, and returns the axes.

colour: by 'slope' (|A|_F, a logarithmic scale), 'area' (likewise) or 'class'. boundary: whether the decision boundary is drawn.
The points that the plane was made of are white.)")
      .def(printed_method, [](const HeldSlice& held) {
        return text("Slice of ", held.slice.regions(), " regions, ", held.slice.complex.vertices.size(), " vertices");
      });
  module.def("slice", &slice_of, "net"_a, "plane"_a = py::none(), py::kw_only(), "half_width"_a = py::none(),
             "window"_a = py::none(), "max_regions"_a = SliceOptions{}.max_regions, "threads"_a = py::none(),
             "progress"_a = py::none(), R"(
The exact partition of a plane in input space into the linear regions of a network.

plane: a Plane; three points (3, d) that it goes through; None for a network of two inputs, whose inputs it is then. The
window is the square [-half_width, half_width]^2 of the plane's coordinates, by default with room around the three points
or of half_width 1; or a convex polygon `window` (m, 2), counter-clockwise. More than max_regions are an error. progress: True for a bar by tqdm where it is there, or a function of
(layers done, layers).)");
}

}  // namespace

void bind_slice(py::module_& module) {
  bind_planes(module);
  bind_slices(module);
}

}  // namespace normalign::python
