// Activation codes and affine maps of many regions as arrays.
#pragma once

#include <vector>

#include "geometry/affine_map.hpp"
#include "python/bindings/support/arrays.hpp"
#include "python/bindings/support/computation.hpp"

namespace normalign::python {

/// Which regions a caller asks for: all `count` of them, or those of a list of numbers, of which negative ones count
/// from the end. Throws InputError, "regions: ...", on a number beyond.
std::vector<Index> chosen_regions(const std::optional<ArrayLike>& chosen, Index count);

/// What the network is on the chosen regions, of which code_of(r) gives the code: (J (n, k, d), b (n, k)).
template <class CodeOf>
py::tuple maps_of(const PiecewiseAffineNetwork& network, const std::vector<Index>& chosen, const CodeOf& code_of) {
  const auto n = static_cast<Index>(chosen.size()), k = network.outputs(), d = network.inputs();
  Matrix<double> slopes = unset_matrix<double>(n * k, d), offsets(n, k);  // row i k + o: of output o
  without_lock([&] {
    for (Index i = 0; i < n; ++i) {
      const AffineMap map = affine_map(network, code_of(chosen[static_cast<std::size_t>(i)]));
      std::ranges::copy(map.slope.span(), slopes.row(i * k).data());
      std::ranges::copy(map.offset.span(), offsets.row(i).begin());
    }
  });
  return py::make_tuple(owning_array(std::move(slopes), {n, k, d}), array_from(std::move(offsets)));
}

/// The codes of so many regions, packed in words, a row of them for each region, as an array of one column for each
/// hidden unit: the units of a layer follow those of the layer before, where `aligned` in a new word.
py::array unpacked_codes(const std::vector<std::uint64_t>& words, Index regions, const std::vector<Index>& units,
                         bool aligned);

}  // namespace normalign::python
