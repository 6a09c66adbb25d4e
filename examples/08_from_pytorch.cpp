// A classifier trained and exported by PyTorch (08_from_pytorch.py), brought in and looked at: its outputs, its affine
// map, its accuracy and alignment on test points, its linear regions. Run it in the project's folder, or name a file
// with two inputs and two classes; for other models there is `normalign inspect`.
#include <cstdio>

#include "data/rings.hpp"
#include "geometry/local_geometry.hpp"
#include "geometry/planar/slice.hpp"
#include "nn/evaluate.hpp"
#include "nn/mlp_file.hpp"

using namespace normalign;

int main(int argc, char* argv[]) {
  const char* file = argc > 1 ? argv[1] : "examples/08_from_pytorch.safetensors";
  const auto mlp = mlp_from<double>(read_safetensors(file));  // float32 in the file, double here
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);

  // What PyTorch printed at (0.3, -0.2).
  const Matrix<double> x{{0.3, -0.2}};
  const Matrix<double> f = network(x), j = local_maps(network, x).front().map.slope;
  std::printf("f %.6f %.6f\n", f(0, 0), f(0, 1));  // prints f -1.405903 1.486419
  std::printf("J %.6f %.6f %.6f %.6f\n", j(0, 0), j(0, 1), j(1, 0),
              j(1, 1));  // prints J -20.736032 21.275336 20.712707 -21.251403

  const Dataset<double> points = rings<double>().test;  // 1000 points of three rings that PyTorch did not see
  const Batch<double> test{.inputs = points.inputs, .labels = points.labels};
  Evaluator<double> evaluate(mlp, Loss::cross_entropy, 1);
  std::printf("test accuracy %.1f %%\n", evaluate(test).accuracy);  // prints test accuracy 98.4 %

  const LocalGeometry geometry = mean_local_geometry(mlp, test);
  std::printf("mean |J| %.4f\n", *geometry.jacobian_norm);                 // prints mean |J| 100.9651
  std::printf("centroid alignment %.4f\n", *geometry.centroid_alignment);  // prints centroid alignment -0.9799
  std::printf("class alignment    %.4f\n", *geometry.class_alignment);     // prints class alignment    0.6910

  std::printf("%td linear regions in [-1, 1]^2\n",
              slice(network, input_plane()).regions());  // prints 1022 linear regions in [-1, 1]^2
}
