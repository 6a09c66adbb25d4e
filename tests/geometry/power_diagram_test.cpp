#include "geometry/power_diagram.hpp"

#include <cmath>
#include <set>

#include "geometry/planar/slice.hpp"
#include "linalg/reduce.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;
using Codes = std::set<ActivationCode>;

// One hidden layer, its activations the outputs.
PiecewiseAffineNetwork one_layer(const M& weight, const M& bias, double slope) {
  M identity(weight.rows(), weight.rows());
  for (Index i = 0; i < identity.rows(); ++i) identity(i, i) = 1;
  return PiecewiseAffineNetwork({{weight, bias, slope}, {identity, M(1, weight.rows()), 1}});
}

Codes codes_of(const std::vector<DiagramCell>& cells) {
  Codes codes;
  for (const DiagramCell& cell : cells) codes.insert(cell.code);
  return codes;
}

M row(const M& x, Index i) { return M(x.view().row_block(i, 1)); }

// The code whose site is next to x by power distance.
const ActivationCode& nearest(const std::vector<DiagramCell>& cells, const M& x) {
  return std::ranges::min_element(cells, {}, [&](const DiagramCell& cell) { return power_distance(x, cell.site); })
      ->code;
}

// No code twice, the mean of each cell's vertices has its code, and every one of many random points lies next to the
// site of its own code, at |x|^2 - 2 1ᵀz(x).
void check_diagram(const PiecewiseAffineNetwork& network, const std::vector<DiagramCell>& cells, double half_width,
                   Index samples = 2000) {
  CHECK(codes_of(cells).size() == cells.size());
  for (const DiagramCell& cell : cells) {
    M centre(1, network.inputs());
    for (Index i = 0; i < cell.vertices.rows(); ++i)
      for (Index j = 0; j < centre.cols(); ++j)
        centre(0, j) += cell.vertices(i, j) / static_cast<double>(cell.vertices.rows());
    CHECK(network.codes(centre).front() == cell.code);
  }
  const M x = random_matrix({samples, network.inputs()}, 77, -half_width, half_width);
  const auto codes = network.codes(x);
  const M z = network(x);
  Index wrong = 0;
  for (Index i = 0; i < samples; ++i) {
    const M here = row(x, i);
    const ActivationCode& found = nearest(cells, here);
    wrong += found != codes[static_cast<std::size_t>(i)];
    double smallest = HUGE_VAL;
    for (const DiagramCell& cell : cells) smallest = std::min(smallest, power_distance(here, cell.site));
    const double expected = dot<double>(here.span(), here.span()) - 2 * total<double>(row(z, i).span());
    wrong += !(std::abs(smallest - expected) <= 1e-11 * (1 + std::abs(expected)));
  }
  CHECK(wrong == 0);
}

TEST_CASE("centroids and radii at the reference points") {
  const auto check = [](const PowerCell& found, const auto& centroid, const auto& radius) {
    CHECK(relative_error(found.centroid, row_of(centroid)) < 1e-9);
    const double expected = radius.template get<double>();
    CHECK_THAT(found.radius, WithinAbs(expected, 1e-9 * std::max(1.0, std::abs(expected))));
  };
  for (const ReferenceGeometry& reference : reference_geometries("centroids and radii at the reference points"))
    for (const auto& point : reference.json.at("points")) {
      CAPTURE(reference.name, point.at("x").dump());
      const M x = row_of(point.at("x"));
      const ActivationCode code = reference.network.codes(x).front();
      for (Index l = 0; l <= reference.network.hidden_layers(); ++l) {
        const auto& layer = point.at("layers")[static_cast<std::size_t>(l)];
        check(power_cell(layer_map(reference.network, code, l)), layer.at("own_centroid"), layer.at("own_radius"));
        check(power_cell(affine_map_to(reference.network, code, l)), layer.at("centroid"), layer.at("radius"));
      }
    }
}

TEST_CASE("a point lies next to the site of its own code, in 1, 2 and 3 dimensions and for slopes below 1") {
  for (Index d : {1, 2, 3})
    for (double slope : {0.0, 0.2, -1.0, -3.0})
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        CAPTURE(d, slope, seed);
        const PiecewiseAffineNetwork random = random_network({d, 9, 1}, seed, {slope});
        const auto& layer = random.layers().front();
        const PiecewiseAffineNetwork network = one_layer(layer.weight, layer.bias, slope);
        check_diagram(network, power_diagram(network, 0, {.half_width = 1.5}), 1.5);
      }
}

TEST_CASE("lines in general position make 1 + lines + crossings cells, planes one more for each triple") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    const Index n = 12;
    const M weight = random_matrix({n, 2}, seed), bias = random_matrix({1, n}, seed + 100, -0.5, 0.5);
    const double r = 0.7;
    Index expected = 1;
    for (Index i = 0; i < n; ++i) {
      expected += std::abs(bias(0, i)) < r * (std::abs(weight(i, 0)) + std::abs(weight(i, 1)));
      for (Index j = 0; j < i; ++j) {
        const double determinant = weight(i, 0) * weight(j, 1) - weight(i, 1) * weight(j, 0);
        const double x = (weight(i, 1) * bias(0, j) - weight(j, 1) * bias(0, i)) / determinant;
        const double y = (weight(j, 0) * bias(0, i) - weight(i, 0) * bias(0, j)) / determinant;
        expected += std::max(std::abs(x), std::abs(y)) < r;
      }
    }
    const PiecewiseAffineNetwork network = one_layer(weight, bias, 0);
    CHECK(static_cast<Index>(power_diagram(network, 0, {.half_width = r}).size()) == expected);
  }
  // In a box that holds all crossings: sum of n over 0, ..., d.
  const auto everywhere = [](Index d) {
    const PiecewiseAffineNetwork network = one_layer(random_matrix({7, d}, 3), random_matrix({1, 7}, 4), 0);
    return power_diagram(network, 0, {.half_width = 1e5}).size();
  };
  CHECK(everywhere(1) == 1 + 7);
  CHECK(everywhere(2) == 1 + 7 + 21);
  CHECK(everywhere(3) == 1 + 7 + 21 + 35);
}

TEST_CASE("coarse weights, which make concurrent, coincident and border hyperplanes, give the cells that are there") {
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    for (Index d : {1, 2, 3}) {
      CAPTURE(seed, d);
      const PiecewiseAffineNetwork random = random_network({d, 10, 1}, seed, {0}, 0.5);
      const auto& layer = random.layers().front();
      const PiecewiseAffineNetwork network = one_layer(layer.weight, layer.bias, 0);
      const std::vector<DiagramCell> cells = power_diagram(network, 0);
      check_diagram(network, cells, 1, 300);
      if (d != 2) continue;
      const Slice expected = slice(network, input_plane());
      Codes codes;
      for (Index i = 0; i < expected.regions(); ++i) codes.insert(expected.code(i));
      CHECK(codes_of(cells) == codes);
    }
}

TEST_CASE("the first layers of the reference networks have as many cells as the reference says") {
  for (const ReferenceGeometry& reference : reference_geometries("cells of the reference networks' first layers")) {
    if (reference.network.inputs() != 2 || reference.network.hidden_layers() == 0) continue;
    CAPTURE(reference.name);
    const auto& partition = reference.json.at("partition");
    const auto cells = power_diagram(reference.network, 0, {.half_width = partition.at("domain_half_width")});
    CHECK(static_cast<Index>(cells.size()) == partition.at("regions_after_layer")[0].get<Index>());
  }
}

TEST_CASE("units that divide nothing: zero weights, copies, opposites, parallels outside, the border") {
  // Zero weights with bias 1, -1, 0; x > 0 three times over, once turned round; the borders x = 1 and y = -1; x > 5.
  const M weight{{0, 0}, {0, 0}, {0, 0}, {1, 0}, {3, 0}, {-1, 0}, {1, 0}, {0, 1}, {1, 0}};
  const M bias{{1, -1, 0, 0, 0, 0, -1, 1, -5}};
  const PiecewiseAffineNetwork network = one_layer(weight, bias, -1);
  const auto cells = power_diagram(network, 0);
  CHECK(codes_of(cells) == Codes{{1, 0, 0, 1, 1, 0, 0, 1, 0}, {1, 0, 0, 0, 0, 1, 0, 1, 0}});
  for (const DiagramCell& cell : cells) CHECK(cell.vertices.shape() == Shape{4, 2});
  check_diagram(network, cells, 1);
}

TEST_CASE("concurrent hyperplanes that decimals only nearly make concurrent leave no slivers") {
  // Planes through (0.1, 0.2, 0.3) around the axis (1, 1, 1), their offsets rounded.
  const Index n = 7;
  M weight(n, 3), bias(1, n);
  for (Index i = 0; i < n; ++i) {
    const double angle = 0.3 + 0.4 * static_cast<double>(i), c = std::cos(angle), s = std::sin(angle);
    const double normal[] = {c + s / std::sqrt(3.0), -c + s / std::sqrt(3.0), -2 * s / std::sqrt(3.0)};
    for (Index j = 0; j < 3; ++j) {
      weight(i, j) = normal[j];
      bias(0, i) -= normal[j] * 0.1 * static_cast<double>(j + 1);
    }
  }
  const PiecewiseAffineNetwork network = one_layer(weight, bias, 0);
  const auto cells = power_diagram(network, 0);
  CHECK(cells.size() == 2 * static_cast<std::size_t>(n));
  check_diagram(network, cells, 1);
}

TEST_CASE("without biases n lines through the origin make 2 n cells") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const PiecewiseAffineNetwork network = one_layer(random_matrix({9, 2}, seed), M(1, 9), 0.1);
    const auto cells = power_diagram(network, 0);
    CHECK(cells.size() == 18);
    check_diagram(network, cells, 1, 300);
  }
}

TEST_CASE("inside a region of the layers before, the sites pulled back to the input tell a layer's regions apart") {
  const PiecewiseAffineNetwork network = random_network({4, 5, 6, 5, 2}, 3, {0, 0.1, -1});
  const Index samples = 400;
  const M x = random_matrix({samples, 4}, 5, -2, 2);
  const auto codes = network.codes(x);
  Index wrong = 0;
  for (Index i = 0; i < samples; ++i)
    for (Index l = 0; l < network.hidden_layers(); ++l) {
      const ActivationCode& own = codes[static_cast<std::size_t>(i)];
      ActivationCode best;
      double smallest = HUGE_VAL;
      for (unsigned bits = 0; bits < 1u << network.units(l); ++bits) {
        ActivationCode code = own;
        for (Index k = 0; k < network.units(l); ++k)
          code[static_cast<std::size_t>(network.first_unit(l) + k)] = bits >> k & 1;
        const double distance = power_distance(row(x, i), power_cell(affine_map_to(network, code, l)));
        if (distance < smallest) {
          smallest = distance;
          best = code;
        }
      }
      wrong += best != own;
    }
  CHECK(wrong == 0);
}

TEST_CASE("for slopes above 1 the largest power distance is a point's own, which is why they are refused") {
  const PiecewiseAffineNetwork network = random_network({2, 4, 1}, 2, {2});
  const M x = random_matrix({1, 2}, 3);
  const ActivationCode own = network.codes(x).front();
  for (unsigned bits = 0; bits < 16; ++bits) {
    const ActivationCode code{std::uint8_t(bits & 1), std::uint8_t(bits >> 1 & 1), std::uint8_t(bits >> 2 & 1),
                              std::uint8_t(bits >> 3)};
    CHECK(power_distance(x, power_cell(layer_map(network, code, 0))) <=
          power_distance(x, power_cell(layer_map(network, own, 0))));
  }
  CHECK(message_of([&] { power_diagram(network, 0); }) == "power_diagram: layer 0 has slope 2; it must be at most 1");
}

TEST_CASE("what does not fit is refused, and so are too many cells") {
  const PiecewiseAffineNetwork network = random_network({2, 4, 2}, 2);
  CHECK(message_of([&] { power_diagram(network, 1); }) ==
        "power_diagram: layer is 1; it must be a hidden layer, from 0 to 0");
  CHECK(message_of([&] {
          power_diagram(random_network({4, 2, 1}, 1), 0);
        }) == "power_diagram: layer 0 has 4 inputs; diagrams are enumerated for at most 3");
  CHECK(message_of([&] { power_diagram(network, 0, {.half_width = 0}); }) ==
        "power_diagram: half_width is 0; it must be positive and finite");
  CHECK(message_of([&] { power_distance(M(1, 3), power_cell(layer_map(network, ActivationCode(4), 0))); }) ==
        "power_distance: x is 1x3; it must be 1x2");
  CHECK(message_of<RunError>([&] { power_diagram(network, 0, {.half_width = 100, .max_cells = 5}); }) ==
        "power_diagram: layer 0 has 7 cells by unit 2; max_cells is 5");
}

TEST_CASE("a power diagram ends when stopped") {
  const PiecewiseAffineNetwork network = random_network({3, 400, 2}, 1);
  check_stops("power_diagram", [&](const std::function<bool()>& stop) {
    power_diagram(network, 0, {.half_width = 10, .max_cells = 100'000'000, .stop = stop});
  });
}

}  // namespace
}  // namespace normalign::tests
