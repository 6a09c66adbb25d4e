// All linear regions of ReLU networks in three inputs, exactly: in the cube [-1, 1]^3 with their volumes, and in the
// whole space, where the regions of one layer can be counted by hand.
#include <cstdio>

#include "geometry/complex/region_statistics.hpp"
#include "nn/mlp.hpp"

using namespace normalign;

int main() {
  const PiecewiseAffineNetwork network = piecewise_affine(Mlp<double>({.widths = {3, 12, 8, 2}, .seed = 4}));
  const RegionComplex cube = regions(network, {.box = 1});
  double volume = 0;
  for (const LinearRegion& region : cube.regions) volume += region.volume;
  std::printf("%td regions in the cube, of volume %.12f\n", cube.count(), volume);
  // prints 185 regions in the cube, of volume 8.000000000000
  std::printf("%td regions in the whole space\n", count_regions(network).value());
  // prints 1519 regions in the whole space

  // Neighbours meet in a facet. In one hidden unit, or more whose walls coincide there, their codes differ.
  const RegionFacet facet = cube.facets.front();
  const HiddenUnit unit = cube.flips(facet).front();
  std::printf("%zu facets; regions %d and %d differ in unit %td of layer %td\n", cube.facets.size(), facet.first,
              facet.second, unit.unit, unit.layer);
  // prints 445 facets; regions 0 and 2 differ in unit 7 of layer 0

  // How steep the network is in a region counts as much as the region is large, or once.
  const RegionStatistics found = statistics(cube);
  std::printf("|J| is %.4f on average over the cube, %.4f over the regions\n", found.jacobian_norm.by_volume->mean,
              found.jacobian_norm.by_count->mean);
  // prints |J| is 0.0926 on average over the cube, 0.1046 over the regions
  for (const ClassStatistics& one : found.classes)
    std::printf("class %d: %.1f %% of the cube, connected parts: %td\n", one.label, 100 * one.volume / found.volume,
                one.components);
  // prints class 0: 63.5 % of the cube, connected parts: 1
  // prints class 1: 36.5 % of the cube, connected parts: 1

  // n planes in general position cut space into 1 + n + n (n - 1) / 2 + n (n - 1) (n - 2) / 6 parts (Zaslavsky, 1975).
  const PiecewiseAffineNetwork layer = piecewise_affine(Mlp<double>({.widths = {3, 12, 1}, .seed = 4}));
  std::printf("one layer of 12: %td regions; 1 + 12 + 66 + 220 = 299\n", count_regions(layer).value());
  // prints one layer of 12: 299 regions; 1 + 12 + 66 + 220 = 299
}
