// How a network is aligned with its data, how many of its regions are near, and the power diagrams of its layers.
#include "geometry/local_geometry.hpp"

#include <cmath>
#include <limits>

#include "geometry/local_complexity.hpp"
#include "geometry/power_diagram.hpp"
#include "nn/batch.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/models/network.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

double or_nan(const std::optional<double>& value) { return value.value_or(std::numeric_limits<double>::quiet_NaN()); }

// ---- local geometry --------------------------------------------------------------------------------------------

// The maps z -> J z + b that the network is near n points, and their measures.
struct LocalGeometries {
  py::array jacobian, offset, output;
  std::vector<LocalGeometry> points;

  py::array_t<double> measure(std::optional<double> LocalGeometry::*member) const {
    return array_from_each(points, [member](const LocalGeometry& point) { return or_nan(point.*member); });
  }
  py::dict mean() const {
    py::dict result;
    for (const auto& [name, value] : measures(normalign::mean(points))) result[name] = or_nan(value);
    return result;
  }
};

// All measures of a point, as numbers or nan.
constexpr std::optional<double> LocalGeometry::*all_measures[] = {
    &LocalGeometry::centroid_alignment, &LocalGeometry::class_alignment,
    &LocalGeometry::normal_alignment,   &LocalGeometry::centred_normal_alignment,
    &LocalGeometry::effective_rank,     &LocalGeometry::explained_variance,
    &LocalGeometry::jacobian_norm,      &LocalGeometry::offset_norm,
    &LocalGeometry::centroid_norm};

py::tuple state_of(const LocalGeometries& geometry) {
  py::list columns;
  for (const auto member : all_measures) columns.append(geometry.measure(member));
  return py::make_tuple(geometry.jacobian, geometry.offset, geometry.output, columns);
}

LocalGeometries geometries_from(const py::tuple& state) {
  LocalGeometries result{state[0], state[1], state[2], {}};
  const py::list columns = state[3];
  for (std::size_t m = 0; m < std::size(all_measures); ++m) {
    const auto values = columns[m].cast<py::array_t<double>>();
    result.points.resize(static_cast<std::size_t>(values.size()));
    for (std::size_t i = 0; i < result.points.size(); ++i)
      if (const double value = values.data()[i]; !std::isnan(value)) result.points[i].*all_measures[m] = value;
  }
  return result;
}

// Working memory of one call: the maps as matrices.
struct Maps {
  Matrix<double> jacobians, offsets, outputs;  // n k x d, n x k, n x k
  std::vector<LocalGeometry> points;
};

template <class T>
Maps local_maps_of(const Mlp<T>& mlp, ConstView<T> x, const std::vector<std::int32_t>& labels, bool keeps_jacobians,
                   int threads, const std::function<bool()>& stop) {
  const Index n = x.rows(), d = mlp.options().widths.front(), k = mlp.options().widths.back();
  Maps maps{{}, Matrix<double>(n, k), Matrix<double>(n, k), std::vector<LocalGeometry>(static_cast<std::size_t>(n))};
  if (keeps_jacobians) maps.jacobians = unset_matrix<double>(n * k, d);
  visit_jacobians<T>(
      mlp, x,
      [&](Index i, ConstView<double> jacobian, ConstView<double> output) {
        const auto sample = static_cast<std::size_t>(i);
        const Matrix<double> point = converted<double>(x.row_block(i, 1));
        maps.points[sample] =
            local_geometry(jacobian, output, point, labels.empty() ? std::nullopt : std::optional(labels[sample]));
        if (keeps_jacobians) std::ranges::copy(jacobian.span(), maps.jacobians.row(i * k).data());
        std::ranges::copy(output.span(), maps.outputs.row(i).begin());
        for (Index o = 0; o < k; ++o) {
          double along = 0;
          for (Index j = 0; j < d; ++j) along += jacobian(o, j) * point(0, j);
          maps.offsets(i, o) = output(0, o) - along;
        }
      },
      threads, stop);
  return maps;
}

LocalGeometries local_geometry_of(const Network& network, const ArrayLike& x, const std::optional<ArrayLike>& y,
                                  bool jacobians, std::optional<int> threads) {
  return network.at("X", x, [&]<class T>(const Mlp<T>& mlp, const MatrixArgument<T>& rows) {
    const Index n = rows.view().rows(), d = mlp.options().widths.front(), k = mlp.options().widths.back();
    const auto labels = y ? labels_argument("y", *y, n) : std::vector<std::int32_t>();
    const int count = thread_count(threads);
    Maps maps = interruptible(
        [&](const std::function<bool()>& stop) { return local_maps_of<T>(mlp, rows, labels, jacobians, count, stop); });
    return LocalGeometries{owning_array(std::move(maps.jacobians), {jacobians ? n : 0, k, d}),
                           array_from(std::move(maps.offsets)), array_from(std::move(maps.outputs)),
                           std::move(maps.points)};
  });
}

void bind_local_geometry(py::module_& module) {
  using G = LocalGeometries;
  const auto measure = [](std::optional<double> LocalGeometry::*member) {
    return [member](const G& geometry) { return geometry.measure(member); };
  };
  py::class_<G>(module, "LocalGeometry", printed(), R"(
The affine maps z -> J z + b that a network is near n points, and their measures: an array (n,) each.

What is undefined (a cosine of vectors whose lengths multiply to no more than 1e-8, anything but the norms of J = 0) is nan.)")
      .def_readonly("jacobian", &G::jacobian, "J at each point: (n, k, d); (0, k, d) where they were not asked for.")
      .def_readonly("offset", &G::offset, "b = f(x) - J x at each point: (n, k).")
      .def_readonly("output", &G::output, "f(x) at each point: (n, k).")
      .def_property_readonly("centroid_alignment", measure(&LocalGeometry::centroid_alignment),
                             "cos(J^T 1, x): the paper's centroid alignment.")
      .def_property_readonly("class_alignment", measure(&LocalGeometry::class_alignment),
                             "cos(J_y - mean_j J_j, x) with y the class; nan without classes.")
      .def_property_readonly("normal_alignment", measure(&LocalGeometry::normal_alignment),
                             "|cos(v, x)|, v the first right singular vector of J.")
      .def_property_readonly("centred_normal_alignment", measure(&LocalGeometry::centred_normal_alignment),
                             "The same of J with its mean row subtracted from every row.")
      .def_property_readonly("effective_rank", measure(&LocalGeometry::effective_rank),
                             "(sum s)^2 / sum s^2 of the singular values s of J: 1 for rank one.")
      .def_property_readonly("explained_variance", measure(&LocalGeometry::explained_variance),
                             "s_1^2 / sum s^2 of the singular values of J.")
      .def_property_readonly("jacobian_norm", measure(&LocalGeometry::jacobian_norm), "|J|_F.")
      .def_property_readonly("offset_norm", measure(&LocalGeometry::offset_norm), "|b|^2.")
      .def_property_readonly("centroid_norm", measure(&LocalGeometry::centroid_norm), "|J^T 1|.")
      .def("mean", &G::mean,
           "The mean of each measure over the points where it is defined, by name; nan where none is.")
      .def("__len__", [](const G& geometry) { return geometry.points.size(); })
      .def(py::pickle(&state_of, &geometries_from))
      .def(printed_method, [](const G& geometry) {
        std::string words = text("LocalGeometry of ", geometry.points.size(), " points; means:");
        for (const auto& [name, value] : measures(normalign::mean(geometry.points)))
          words += text(' ', name, ' ', or_nan(value));
        return words;
      });
  module.def("local_geometry", &local_geometry_of, "net"_a, "X"_a, "y"_a = py::none(), py::kw_only(),
             "jacobians"_a = true, "threads"_a = py::none(), R"(
The affine map that a network with any activation is near each row of X (n, d), and how it is aligned with the row.

y: class numbers (n,), for class_alignment. jacobians: whether J is kept, n k d numbers.)");
  module.def(
      "local_complexity",
      [](const Network& network, const ArrayLike& x, double radius, Index directions, std::uint64_t seed,
         std::optional<int> threads) {
        const MatrixArgument<double> rows("X", x);
        const int count = thread_count(threads);
        return array_from(interruptible([&](const std::function<bool()>& stop) {
          return local_complexity(
              *network.pieces(), rows,
              {.radius = radius, .directions = directions, .seed = seed, .threads = count, .stop = stop});
        }));
      },
      "net"_a, "X"_a, py::kw_only(), "radius"_a = LocalComplexityOptions{}.radius,
      "directions"_a = LocalComplexityOptions{}.directions, "seed"_a = 0, "threads"_a = py::none(), R"(
How many units of each hidden layer change their sign near each row of X (n, d): (n, layers).

Near means between the points x +- radius v for so many random orthonormal directions v, at most d.)");
}

// ---- power diagrams --------------------------------------------------------------------------------------------

py::array_t<bool> code_array(const ActivationCode& code) {
  return array_from_each(code, [](std::uint8_t is_on) { return is_on != 0; });
}

void bind_power_diagram(py::module_& module) {
  py::class_<DiagramCell>(module, "PowerCell", printed(), R"(
A region of one layer in a box: a point x lies in the cell whose |x - centroid|^2 - radius is the smallest.)")
      .def_property_readonly(
          "code", [](const DiagramCell& cell) { return code_array(cell.code); },
          "Which of the layer's units are on: (units,).")
      .def_property_readonly(
          "centroid", [](const DiagramCell& cell) { return array_of_row(cell.site.centroid); }, "The site: (d,).")
      .def_property_readonly(
          "radius", [](const DiagramCell& cell) { return cell.site.radius; },
          "The site's weight, in the unit of a squared length; may be negative.")
      .def_property_readonly(
          "vertices", [](const DiagramCell& cell) { return array_from(Matrix<double>(cell.vertices)); },
          "Of the cell cut with the box: (m, d), in no particular order.")
      .def(printed_method, [](const DiagramCell& cell) {
        return text("PowerCell(centroid=[", joined(cell.site.centroid.span(), ", ", [](double x) { return text(x); }),
                    "], radius=", cell.site.radius, ", ", cell.vertices.rows(), " vertices)");
      });
  module.def(
      "power_diagram",
      [](const Network& network, Index layer, double half_width, Index max_cells) {
        return interruptible([&](const std::function<bool()>& stop) {
          return power_diagram(*network.pieces(), layer,
                               {.half_width = half_width, .max_cells = max_cells, .stop = stop});
        });
      },
      "net"_a, "layer"_a = 0, py::kw_only(), "half_width"_a = 1.0, "max_cells"_a = PowerDiagramOptions{}.max_cells, R"(
The power diagram of a hidden layer alone, from 0: a list of the cells with an interior in the box |x_i| <= half_width.

The layer must have 1, 2 or 3 inputs, and an activation of slopes of at most 1. More than max_cells are an error.)");
}

}  // namespace

void bind_geometry(py::module_& module) {
  bind_local_geometry(module);
  bind_power_diagram(module);
}

}  // namespace normalign::python
