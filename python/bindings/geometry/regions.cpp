// The whole complex: all linear regions of a network in its input space, how they meet, what is decided in them.
#include "geometry/complex/regions.hpp"

#include <limits>

#include "python/bindings/bindings.hpp"
#include "python/bindings/geometry/codes.hpp"
#include "python/bindings/models/network.hpp"
#include "python/bindings/support/printed.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// A complex with the network that it is of.
struct HeldComplex {
  RegionComplex complex;
  std::shared_ptr<const PiecewiseAffineNetwork> network;
};

const RegionComplex& complex_in(const py::object& self) { return self.cast<const HeldComplex&>().complex; }

// A member of each item as a view, without a copy.
template <class Item, class Value>
auto member_view(std::vector<Item> RegionComplex::*items, Value Item::*member) {
  return [items, member](const py::object& self) {
    const std::vector<Item>& all = complex_in(self).*items;
    const Value* const first = all.empty() ? nullptr : &(all.front().*member);
    py::array view(py::dtype::of<Value>(), {static_cast<Index>(all.size())}, {static_cast<Index>(sizeof(Item))}, first,
                   self);
    py::detail::array_proxy(view.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return view;
  };
}

auto optional_member(std::optional<double> LinearRegion::*member) {
  return [member](const HeldComplex& held) {
    return array_from_each(held.complex.regions, [member](const LinearRegion& region) {
      return (region.*member).value_or(std::numeric_limits<double>::quiet_NaN());
    });
  };
}

RegionOptions options_of(double box, Index max_regions, bool exact) {
  return {.box = box, .max_regions = max_regions, .exact = exact};
}

std::unique_ptr<HeldComplex> regions_of(const Network& network, double box, Index max_regions, bool exact,
                                        const py::object& progress) {
  RegionOptions options = options_of(box, max_regions, exact);
  Progress shown(progress, "region");
  if (shown) options.progress = [&](const RegionProgress& at) { shown(at.regions, std::nullopt); };
  const auto& pieces = network.pieces();
  return interruptible(
      [&](const std::function<bool()>& stop) {
        options.stop = stop;
        return std::make_unique<HeldComplex>(HeldComplex{regions(*pieces, options), pieces});
      },
      &shown);
}

std::optional<Index> region_count(const Network& network, double box, Index max_regions) {
  RegionOptions options = options_of(box, max_regions, false);
  const auto& pieces = network.pieces();
  return interruptible([&](const std::function<bool()>& stop) {
    options.stop = stop;
    return count_regions(*pieces, options);
  });
}

void bind_arrays(py::class_<HeldComplex>& type) {
  type.def_property_readonly(
          "codes",
          [](const HeldComplex& held) {
            return unpacked_codes(held.complex.codes, held.complex.count(), held.complex.units, false);
          },
          "Which hidden units are on in each region: (R, units of all layers).")
      .def_property_readonly(
          "inside",
          [](const py::object& self) {
            const Matrix<double>& inside = complex_in(self).inside;
            return borrowed_array(inside.data(), {inside.rows(), inside.cols()}, self);
          },
          "A point inside each region: (R, d).")
      .def_property_readonly("labels", member_view(&RegionComplex::regions, &LinearRegion::label),
                             "The class that is decided on at the point inside: (R,).")
      .def_property_readonly("is_open", member_view(&RegionComplex::regions, &LinearRegion::is_open),
                             "Whether it is unbounded, or in a box has a facet on it: (R,).")
      .def_property_readonly("clearance", member_view(&RegionComplex::regions, &LinearRegion::clearance),
                             "From the point inside to the nearest wall: (R,); infinite where there is none.")
      .def_property_readonly("volume", member_view(&RegionComplex::regions, &LinearRegion::volume),
                             "Of its part in the box: (R,); infinite where it is unbounded.")
      .def_property_readonly("jacobian_norm", member_view(&RegionComplex::regions, &LinearRegion::jacobian_norm),
                             "|J|_F: (R,).")
      .def_property_readonly("centroid_alignment", optional_member(&LinearRegion::centroid_alignment),
                             "cos(J^T 1, x) at the point x inside: (R,), nan where undefined.")
      .def_property_readonly("effective_rank", optional_member(&LinearRegion::effective_rank),
                             "(sum s)^2 / sum s^2 of the singular values of J: (R,), nan where undefined.");
}

void bind_complex(py::class_<HeldComplex>& type) {
  type.def_property_readonly(
          "facets",
          [](const HeldComplex& held) {
            const auto& facets = held.complex.facets;
            py::array_t<std::int32_t> pairs({static_cast<Index>(facets.size()), Index{2}});
            std::int32_t* next = pairs.mutable_data();
            for (const RegionFacet& facet : facets) {
              *next++ = facet.first;
              *next++ = facet.second;
            }
            return pairs;
          },
          "The pairs of regions that meet in a facet, each once: (F, 2) int32.")
      .def_property_readonly("facet_is_crossed", member_view(&RegionComplex::facets, &RegionFacet::is_crossed),
                             "Whether the decision boundary meets it from inside: (F,).")
      .def_property_readonly("facet_is_decision", member_view(&RegionComplex::facets, &RegionFacet::is_decision),
                             "Whether part of it is decision boundary: (F,).")
      .def_property_readonly("piece_region", member_view(&RegionComplex::pieces, &DecisionPiece::region),
                             "The region of each part of a region in which one class wins: (P,).")
      .def_property_readonly("piece_label", member_view(&RegionComplex::pieces, &DecisionPiece::label),
                             "That class: (P,).")
      .def_property_readonly("piece_component", member_view(&RegionComplex::pieces, &DecisionPiece::component),
                             "The connected decision region that the piece is part of: (P,).")
      .def_property_readonly("piece_volume", member_view(&RegionComplex::pieces, &DecisionPiece::volume),
                             "Of its part in the box: (P,); infinite where it is unbounded.")
      .def_property_readonly(
          "component_labels",
          [](const py::object& self) {
            const auto& labels = complex_in(self).component_labels;
            return borrowed_array(labels.data(), {static_cast<Index>(labels.size())}, self);
          },
          "The class of each connected decision region.")
      .def_property_readonly(
          "exact_decisions", [](const HeldComplex& held) { return held.complex.exact_decisions; },
          "How many signs were decided by whole numbers.")
      .def_property_readonly(
          "units", [](const HeldComplex& held) { return held.complex.units; }, "Of each hidden layer.")
      .def(
          "maps",
          [](const HeldComplex& held, const std::optional<ArrayLike>& regions) {
            return maps_of(*held.network, chosen_regions(regions, held.complex.count()),
                           [&](Index region) { return held.complex.code(region); });
          },
          "regions"_a = py::none(), "f(x) = J x + b on these regions, all by default: (J (n, k, d), b (n, k)).")
      .def("__len__", [](const HeldComplex& held) { return held.complex.count(); })
      .def(printed_method, [](const HeldComplex& held) {
        return text("Regions: ", held.complex.count(), " regions, ", held.complex.facets.size(), " facets, ",
                    held.complex.component_labels.size(), " connected decision regions");
      });
}

}  // namespace

void bind_regions(py::module_& module) {
  py::class_<HeldComplex> type(module, "Regions", printed(), R"(
All R linear regions of a network, how they meet, and what is decided in them.

Arrays are views of its memory where that has them; they keep it alive and cannot be written to.)");
  bind_arrays(type);
  bind_complex(type);
  module.def("regions", &regions_of, "net"_a, "box"_a = infinity, py::kw_only(),
             "max_regions"_a = RegionOptions{}.max_regions, "exact"_a = false, "progress"_a = py::none(), R"(
All linear regions of a network, in the box |x_i| <= box or in the whole space.

Meant for up to about 6 inputs and tens of outputs. More than max_regions are an error. exact: every sign is decided by
whole numbers, at many times the cost. progress: True for a bar by tqdm where it is there, or a function of (regions, None).)");
  module.def(
      "count_regions", &region_count, "net"_a, "box"_a = infinity, py::kw_only(),
      "max_regions"_a = RegionOptions{}.max_regions,
      "How many regions `regions` would find, in less time and memory; None where they are more than max_regions.");
}

}  // namespace normalign::python
