#include "geometry/affine_map.hpp"

#include "autodiff/grad.hpp"
#include "nn/mlp.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// slope x + offset for one x, 1 x k.
M value_at(const AffineMap& map, const M& x) {
  M result = naive_product(x, map.slope, {.b = true});
  for (Index i = 0; i < result.cols(); ++i) result(0, i) += map.offset(0, i);
  return result;
}

TEST_CASE("the map of a point's region gives the network's value there, and in between") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const PiecewiseAffineNetwork network = random_network({4, 9, 1, 8, 3}, seed, {0, 0.1, -1});
    const M x = random_matrix({6, 4}, seed + 50, -2, 2);
    const std::vector<LocalMap> local = local_maps(network, x);
    const M f = network(x);
    for (Index i = 0; i < x.rows(); ++i) {
      const auto& [code, map] = local[static_cast<std::size_t>(i)];
      const M here(x.view().row_block(i, 1));
      CHECK(relative_error(value_at(map, here), f.view().row_block(i, 1)) < 1e-13);
      // Layer by layer: the composed maps, the layers alone one after the other, and the units' own maps.
      M z = here;
      const AffineMap units = unit_maps(network, code);
      for (Index l = 0; l <= network.hidden_layers(); ++l) {
        z = value_at(layer_map(network, code, l), z);
        CHECK(relative_error(value_at(affine_map_to(network, code, l), here), z) < 1e-13);
        if (l == network.hidden_layers()) continue;
        const M t = value_at(units, here);
        for (Index k = 0; k < network.units(l); ++k) {
          const Index u = network.first_unit(l) + k;
          const bool on = code[static_cast<std::size_t>(u)];
          CHECK(on == (t(0, u) > 0));
          const double slope = network.layers()[static_cast<std::size_t>(l)].slope;
          CHECK(std::abs(z(0, k) - (on ? 1 : slope) * t(0, u)) < 1e-12);
        }
      }
    }
  }
}

TEST_CASE("off the kinks the map's slope is the Jacobian that the tape finds") {
  const Mlp<double> mlp({.widths = {6, 11, 9, 4}, .activation = Activation::leaky_relu, .slope = 0.3, .seed = 8});
  const M x = random_matrix({5, 6}, 4);
  Tape<double> tape;
  auto network = mlp.on(tape);
  const auto input = tape.variable(x);
  const auto rows = jacobian(network(input), input);
  const std::vector<LocalMap> local = local_maps(piecewise_affine(mlp), x, 2);
  for (Index i = 0; i < 5; ++i)
    for (Index k = 0; k < 4; ++k)
      for (Index j = 0; j < 6; ++j)
        CHECK(std::abs(local[static_cast<std::size_t>(i)].map.slope(k, j) -
                       rows[static_cast<std::size_t>(k)].value()(i, j)) < 1e-14);
}

TEST_CASE("maps of many points have the same bits at any number of threads") {
  const PiecewiseAffineNetwork network = random_network({3, 20, 20, 2}, 5);
  const M x = random_matrix({40, 3}, 1);
  const auto one = local_maps(network, x, 1), three = local_maps(network, x, 3);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CHECK(one[i].code == three[i].code);
    CHECK(same_bits(one[i].map.slope, three[i].map.slope));
    CHECK(same_bits(one[i].map.offset, three[i].map.offset));
  }
}

TEST_CASE("affine maps at the reference points") {
  for (const ReferenceGeometry& reference : reference_geometries("affine maps at the reference points")) {
    for (const auto& point : reference.json.at("points")) {
      CAPTURE(reference.name, point.at("x").dump());
      const M x = row_of(point.at("x"));
      const LocalMap local = local_maps(reference.network, x).front();
      CHECK(relative_error(reference.network(x), row_of(point.at("f"))) < 1e-9);
      ActivationCode code;
      for (Index l = 0; l < reference.network.hidden_layers(); ++l)
        for (const auto& bit : point.at("layers")[static_cast<std::size_t>(l)].at("code"))
          code.push_back(bit.get<std::uint8_t>());
      CHECK(local.code == code);
      M slope(reference.network.outputs(), reference.network.inputs());
      for (Index i = 0; i < slope.rows(); ++i)
        std::ranges::copy(row_of(point.at("A")[static_cast<std::size_t>(i)]).span(), slope.row(i).begin());
      CHECK(relative_error(local.map.slope, slope) < 1e-9);
      CHECK(relative_error(local.map.offset, row_of(point.at("b"))) < 1e-9);
    }
  }
}

TEST_CASE("a code or a layer that does not fit is refused") {
  const PiecewiseAffineNetwork network = random_network({2, 3, 1}, 1);
  const ActivationCode code{1, 0, 1};
  CHECK(message_of<InputError>([&] { affine_map(network, ActivationCode{1}); }) ==
        "affine_map: code has 1 entries; it must have 3, one per hidden unit");
  CHECK(message_of<InputError>([&] { affine_map_to(network, code, 2); }) ==
        "affine_map_to: layer is 2; it must be from 0 to 1");
  CHECK(message_of<InputError>([&] { layer_map(network, code, -1); }) ==
        "layer_map: layer is -1; it must be from 0 to 1");
  CHECK(message_of<InputError>([&] { local_maps(network, M(1, 2), 0); }) ==
        "local_maps: threads is 0; it must be at least 1");
}

}  // namespace
}  // namespace normalign::tests
