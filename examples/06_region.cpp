// A ReLU network at one point: its affine map there, and the cell of the power diagram that holds the point.
#include <algorithm>
#include <cstdio>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "geometry/polytope.hpp"
#include "geometry/power_diagram.hpp"
#include "nn/mlp.hpp"

using namespace normalign;

int main() {
  const Mlp<double> mlp({.widths = {2, 8, 8, 3}, .seed = 4});
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);
  const Matrix<double> x{{0.3, -0.2}};  // 1 x d

  // f(z) = A z + b for every z in the region of x: A and b by the region's activation code, no derivative taken.
  const auto [code, map] = local_maps(network, x).front();
  for (Index j = 0; j < 3; ++j)
    std::printf("f %9.6f  A x + b %9.6f\n", network(x)(0, j),
                map.slope(j, 0) * x(0, 0) + map.slope(j, 1) * x(0, 1) + map.offset(0, j));
  // prints f -0.093865  A x + b -0.093865
  // prints f -0.010207  A x + b -0.010207
  // prints f  0.099867  A x + b  0.099867

  // The centroid A^T 1 is the gradient of the sum of all outputs: one backward sweep.
  Tape<double> tape;
  const auto input = tape.variable(x);
  const auto gradient = grad(sum(mlp.on(tape)(input)), input);
  const PowerCell output = power_cell(map);
  std::printf("centroid %.6f %.6f\n", output.centroid(0, 0), output.centroid(0, 1));
  std::printf("gradient %.6f %.6f\n", gradient.value()(0, 0), gradient.value()(0, 1));
  // prints centroid 0.018045 0.170527
  // prints gradient 0.018045 0.170527

  // The regions of the first layer are the cells of a power diagram: x lies in the cell whose power distance
  // |x - centroid|^2 - radius is the smallest.
  const std::vector<DiagramCell> cells = power_diagram(network, 0);
  const auto nearest =
      std::ranges::min_element(cells, {}, [&](const DiagramCell& cell) { return power_distance(x, cell.site); });
  std::printf("%zu cells; the nearest has the code of x: %s\n", cells.size(),
              std::ranges::equal(nearest->code, std::span(code).first(8)) ? "yes" : "no");
  // prints 18 cells; the nearest has the code of x: yes

  // The region in both layers is a polytope. Its walls are where a unit changes its sign.
  const Polytope polytope = region(network, code);
  const auto wall = nearest_wall(polytope, x, Norm::l2);
  std::printf("%zu of %td walls are facets, the nearest %.6f away, of layer %td\n", facets(polytope, x, 1).size(),
              polytope.slopes.rows(), wall->distance, wall->unit.layer);
  // prints 3 of 16 walls are facets, the nearest 0.042100 away, of layer 0
}
