// All linear regions of a random ReLU network in the square [-1, 1]^2, exactly, and a picture of them beside the
// program: build/examples/07_slice.svg.
#include <cstdio>
#include <filesystem>

#include "experiments/studies/slice_picture.hpp"
#include "nn/mlp.hpp"

using namespace normalign;

int main(int, char* argv[]) {
  const PiecewiseAffineNetwork network = piecewise_affine(Mlp<double>({.widths = {2, 24, 4, 2}, .seed = 3}));
  const Slice found = slice(network, input_plane(), {.window = square(1)});
  const PlanarComplex& complex = found.complex;
  std::printf("%td regions after layer 1, %td after layer 2\n", found.regions_after_layer[0], found.regions());
  // prints 155 regions after layer 1, 191 after layer 2

  // The regions fill the square without gap or overlap: areas add up, and V - E + F = 1.
  double area = 0;
  for (Index region = 0; region < found.regions(); ++region) area += complex.area(region);
  std::printf("area %.12f\n", area);  // prints area 4.000000000000
  std::printf("V - E + F = %td\n",
              std::ssize(complex.vertices) - std::ssize(complex.edges) + found.regions());  // prints V - E + F = 1

  // Regions are activation patterns; several share one affine map where a unit that flips is cut off by the next layer.
  std::printf("%td different maps\n", statistics(found).distinct_maps);  // prints 125 different maps

  const DecisionBoundary boundary = class_boundary(found);
  std::printf("boundary in %zu pieces, %.6f long\n", boundary.segments.size(),
              boundary.length());  // prints boundary in 15 pieces, 2.544346 long

  draw({.slice = found, .boundary = boundary, .title = "24-4 ReLU, untrained", .colour = RegionColour::slope},
       std::filesystem::path(argv[0]).replace_extension(".svg"));
}
