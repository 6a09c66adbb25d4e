#include "geometry/complex/regions.hpp"

#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "geometry/linear_program.hpp"
#include "geometry/local_geometry.hpp"
#include "geometry/planar/slice.hpp"
#include "geometry/planar/subdivision.hpp"
#include "linalg/safetensors.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

M row_at(const M& rows, Index i) { return M(rows.view().row_block(i, 1)); }

std::map<ActivationCode, Index> numbers_by_code(const RegionComplex& complex) {
  std::map<ActivationCode, Index> result;
  for (Index r = 0; r < complex.count(); ++r) result[complex.code(r)] = r;
  return result;
}

// The first of the largest outputs, or whether the single one is positive.
std::int32_t label_of(ConstView<double> outputs) {
  if (outputs.cols() == 1) return outputs(0, 0) > 0 ? 1 : 0;
  return static_cast<std::int32_t>(std::ranges::max_element(outputs.row(0)) - outputs.row(0).begin());
}

// Everything that holds of any complex: codes differ, the point inside has the region's code, class and measures, and
// its clearance is the distance to the nearest wall; facets join regions whose codes differ, each pair once; labels and
// components of pieces agree with each other and with the facets.
void check_regions(const PiecewiseAffineNetwork& network, const RegionComplex& complex, double box) {
  CHECK(static_cast<Index>(numbers_by_code(complex).size()) == complex.count());
  const std::vector<ActivationCode> codes = network.codes(complex.inside);
  const M outputs = network(complex.inside);
  Index misplaced = 0, mislabelled = 0, wrong_clearances = 0, wrong_measures = 0;
  for (Index r = 0; r < complex.count(); ++r) {
    const LinearRegion& found = complex.regions[static_cast<std::size_t>(r)];
    const M x = row_at(complex.inside, r);
    misplaced += codes[static_cast<std::size_t>(r)] != complex.code(r);
    mislabelled += label_of(outputs.view().row_block(r, 1)) != found.label;
    double nearest = infinity;
    const std::optional<NearestWall> wall = nearest_wall(region(network, complex.code(r)), x, Norm::l2);
    if (wall) nearest = wall->distance;
    for (const double value : x.span()) nearest = std::min(nearest, box - std::abs(value));
    wrong_clearances += nearest != found.clearance && !(std::abs(nearest - found.clearance) <= 1e-9 * (1 + nearest));
    const LocalGeometry expected =
        local_geometry(affine_map(network, complex.code(r)).slope, row_at(outputs, r), x, found.label);
    const auto differ = [](std::optional<double> a, std::optional<double> b) {
      return a.has_value() != b.has_value() || (a && std::abs(*a - *b) > 1e-6 * (1 + std::abs(*b)));
    };
    wrong_measures += differ(found.jacobian_norm, expected.jacobian_norm) ||
                      differ(found.centroid_alignment, expected.centroid_alignment) ||
                      differ(found.effective_rank, expected.effective_rank);
  }
  CHECK(misplaced == 0);
  CHECK(mislabelled == 0);
  CHECK(wrong_clearances == 0);
  CHECK(wrong_measures == 0);

  std::set<std::pair<std::int32_t, std::int32_t>> pairs;
  for (const RegionFacet& facet : complex.facets) {
    CHECK(facet.first < facet.second);
    CHECK_FALSE(complex.flips(facet).empty());
    pairs.insert({facet.first, facet.second});
  }
  CHECK(pairs.size() == complex.facets.size());
  std::set<std::pair<std::int32_t, std::int32_t>> pieces;
  std::set<std::int32_t> components;
  for (const DecisionPiece& piece : complex.pieces) {
    pieces.insert({piece.region, piece.label});
    components.insert(piece.component);
    CHECK(complex.component_labels[static_cast<std::size_t>(piece.component)] == piece.label);
  }
  CHECK(pieces.size() == complex.pieces.size());
  CHECK(components.size() == complex.component_labels.size());
  for (Index r = 0; r < complex.count(); ++r)
    CHECK(pieces.contains({static_cast<std::int32_t>(r), complex.regions[static_cast<std::size_t>(r)].label}));
}

// Whether balls of some size fit in {z : slopes z + offsets >= 0}, cut with the box: the largest r up to 1 with a
// distance of at least r to every wall, by a linear program that always has a solution.
bool has_interior(const M& slopes, const M& offsets, double box) {
  const Index m = slopes.rows(), d = slopes.cols();
  M rows(m, d + 1), low(1, d + 1), high(1, d + 1), objective(1, d + 1);
  M limits(1, m);
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < d; ++j) rows(i, j) = -slopes(i, j);
    rows(i, d) = std::sqrt(inner_product(row_at(slopes, i), row_at(slopes, i)));
    limits(0, i) = offsets(0, i);
  }
  std::ranges::fill(low.span(), -box);
  std::ranges::fill(high.span(), box);
  low(0, d) = -infinity;
  high(0, d) = 1;
  objective(0, d) = 1;
  return LinearProgram(rows, limits, low, high).maximise(objective).value > 1e-7;
}

// All codes whose set of inputs has an interior, each tried by a linear program.
void add_codes(const PiecewiseAffineNetwork& network, double box, const ActivationCode& before, Index layer,
               std::set<ActivationCode>& result) {
  if (layer == network.hidden_layers()) {
    result.insert(before);
    return;
  }
  for (Index signs = 0; signs < Index{1} << network.units(layer); ++signs) {
    ActivationCode code = before;
    for (Index k = 0; k < network.units(layer); ++k) code.push_back(signs >> k & 1);
    ActivationCode padded = code;
    padded.resize(static_cast<std::size_t>(network.first_unit(network.hidden_layers())));
    const AffineMap maps = unit_maps(network, padded);
    std::vector<Index> walls;
    bool is_possible = true;
    for (Index u = 0; u < static_cast<Index>(code.size()); ++u) {
      const bool on = code[static_cast<std::size_t>(u)];
      if (inner_product(row_at(maps.slope, u), row_at(maps.slope, u)) > 1e-24)
        walls.push_back(u);
      else
        is_possible = is_possible && on == (maps.offset(0, u) > 1e-12);
    }
    M slopes(static_cast<Index>(walls.size()), network.inputs()), offsets(1, slopes.rows());
    for (Index i = 0; i < slopes.rows(); ++i) {
      const Index u = walls[static_cast<std::size_t>(i)];
      const double side = code[static_cast<std::size_t>(u)] ? 1 : -1;
      for (Index j = 0; j < slopes.cols(); ++j) slopes(i, j) = side * maps.slope(u, j);
      offsets(0, i) = side * maps.offset(0, u);
    }
    if (is_possible && (walls.empty() || has_interior(slopes, offsets, box)))
      add_codes(network, box, code, layer + 1, result);
  }
}

PiecewiseAffineNetwork one_layer(Index inputs, Index units, std::uint64_t seed) {
  return random_network({inputs, units, 1}, seed, {0.1});
}

// A test network of reference/regions; nothing where there is no such folder.
std::optional<PiecewiseAffineNetwork> reference_network(const std::string& name, const std::string& test) {
  const auto folder = reference_folder();
  if (!folder) {
    skip(test + ": ../shared/data/reference is not there and NORMALIGN_REFERENCE is not set");
    return std::nullopt;
  }
  const TensorFile file = read_safetensors(*folder / "regions" / (name + ".safetensors"));
  std::vector<PiecewiseAffineLayer> layers;
  for (std::size_t l = 0; file.tensors.contains("layers." + std::to_string(l) + ".weight"); ++l) {
    const std::string layer = "layers." + std::to_string(l);
    layers.push_back({.weight = values_as<double>(file.tensors.at(layer + ".weight")),
                      .bias = values_as<double>(file.tensors.at(layer + ".bias"))});
  }
  layers.back().slope = 1;
  return PiecewiseAffineNetwork(std::move(layers));
}

// Forms of networks; weights in halves or quarters make walls coincide, be parallel and meet in one point.
struct Form {
  std::vector<Index> widths;
  std::vector<double> slopes;
  double grain;
  bool is_biasless = false;

  PiecewiseAffineNetwork network(std::uint64_t seed) const {
    const PiecewiseAffineNetwork random = random_network(widths, seed, slopes, grain);
    if (!is_biasless) return random;
    std::vector<PiecewiseAffineLayer> layers = random.layers();
    for (PiecewiseAffineLayer& layer : layers) std::ranges::fill(layer.bias.span(), 0.0);
    return PiecewiseAffineNetwork(std::move(layers));
  }
};

const std::vector<Form> small_forms = {
    {{1, 6, 1}, {0}, 0},      {{1, 3, 3, 2}, {0}, 0.5},       {{2, 5, 4, 2}, {0, 0.1}, 0},
    {{2, 4, 4, 3}, {0}, 0.5}, {{2, 5, 3, 1}, {-1}, 0.5},      {{3, 5, 4, 3}, {0.1, 0}, 0},
    {{3, 6, 2, 2}, {0}, 0.5}, {{3, 2, 5, 1}, {0, -1}, 0.5},   {{3, 4, 3, 2}, {0}, 0, true},
    {{4, 6, 3, 2}, {0}, 0},   {{4, 5, 3, 2}, {0}, 0.5, true}, {{4, 1, 5, 3}, {0.1}, 1}};

TEST_CASE("regions are the codes for which a linear program finds a ball") {
  for (std::size_t f = 0; f < small_forms.size(); ++f)
    for (std::uint64_t seed = 0; seed < (small_forms[f].widths.front() < 3 ? 2 : 1); ++seed)
      for (const double box : {infinity, 0.75}) {
        CAPTURE(f, seed, box);
        const PiecewiseAffineNetwork network = small_forms[f].network(seed);
        const RegionComplex complex = regions(network, {.box = box});
        check_regions(network, complex, box);
        std::set<ActivationCode> expected, found;
        add_codes(network, box, {}, 0, expected);
        for (Index r = 0; r < complex.count(); ++r) found.insert(complex.code(r));
        CHECK(found == expected);
        if (std::isinf(box)) continue;
        double volume = 0;
        for (const LinearRegion& one : complex.regions) volume += one.volume;
        CHECK(std::abs(volume - std::pow(2 * box, network.inputs())) < 1e-12);
      }
}

TEST_CASE("networks of relucent have as many regions as were counted by others") {
  const std::map<std::string, Index> counts = {{"d2_8", 49}, {"d4_10", 640}, {"d4_8x2", 6188}};
  for (const auto& [name, count] : counts) {
    CAPTURE(name);
    const auto network = reference_network(name, "regions of relucent's networks");
    if (!network) return;
    const RegionComplex complex = regions(*network);
    CHECK(complex.count() == count);
    // In general position at most 2 d on average.
    CHECK(complex.facets.size() <= static_cast<std::size_t>(network->inputs() * complex.count()));
  }
}

TEST_CASE("one layer in general position has as many regions and facets as Zaslavsky says") {
  const auto choose = [](Index n, Index k) {
    double result = 1;
    for (Index i = 0; i < k; ++i) result = result * static_cast<double>(n - i) / static_cast<double>(i + 1);
    return static_cast<Index>(std::round(result));
  };
  const auto zaslavsky = [&](Index d, Index n) {
    Index sum = 0;
    for (Index i = 0; i <= d; ++i) sum += choose(n, i);
    return sum;
  };
  for (const auto& [d, n] : std::vector<std::pair<Index, Index>>{{1, 20}, {2, 14}, {3, 11}, {4, 10}, {5, 9}, {6, 4}}) {
    CAPTURE(d, n);
    const RegionComplex complex = regions(one_layer(d, n, 5));
    CHECK(complex.count() == zaslavsky(d, n));
    // A wall is cut by the others as a space of one dimension less.
    CHECK(static_cast<Index>(complex.facets.size()) == n * zaslavsky(d - 1, n - 1));
    // Bounded regions: |sum_i (-1)^i C(n, i)| up to d, which is C(n - 1, d).
    const auto bounded = std::ranges::count_if(complex.regions, [](const LinearRegion& one) { return !one.is_open; });
    CHECK(bounded == choose(n - 1, d));
    for (const RegionFacet& facet : complex.facets) CHECK(complex.flips(facet).size() == 1);
  }
}

TEST_CASE("on a square the regions are the cells of the slice") {
  std::vector<std::pair<PiecewiseAffineNetwork, double>> cases;
  for (const ReferenceGeometry& reference : reference_geometries("regions and slices")) {
    const auto& partition = reference.json.at("partition");
    if (partition.is_null() || !partition.at("plane").is_null() || partition.at("num_regions").get<Index>() > 1500)
      continue;
    cases.emplace_back(reference.network, partition.at("domain_half_width").get<double>());
  }
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    cases.emplace_back(random_network({2, 8, 8, 3}, seed, {0, 0.1}), 1.5);
    cases.emplace_back(random_network({2, 8, 6, 5, 3}, seed, {0, -1, 0.5}, 0.5), 1.5);
  }
  for (std::size_t c = 0; c < cases.size(); ++c) {
    CAPTURE(c);
    const auto& [network, box] = cases[c];
    const RegionComplex complex = regions(network, {.box = box});
    const Slice cells = slice(network, input_plane(), {.window = square(box)});
    REQUIRE(complex.count() == cells.regions());
    const std::map<ActivationCode, Index> numbers = numbers_by_code(complex);
    double error = 0;
    for (Index r = 0; r < cells.regions(); ++r) {
      const auto found = numbers.find(cells.code(r));
      REQUIRE(found != numbers.end());
      error = std::max(
          error, std::abs(cells.complex.area(r) - complex.regions[static_cast<std::size_t>(found->second)].volume));
    }
    CHECK(error <= 1e-12 * 4 * box * box);
    std::set<std::pair<std::int32_t, std::int32_t>> expected, joined;
    for (const PlanarEdge& edge : cells.complex.edges) {
      if (edge.left == no_cell || edge.right == no_cell) continue;
      const auto left = static_cast<std::int32_t>(numbers.at(cells.code(edge.left)));
      const auto right = static_cast<std::int32_t>(numbers.at(cells.code(edge.right)));
      expected.insert(std::minmax(left, right));
    }
    for (const RegionFacet& facet : complex.facets) joined.insert({facet.first, facet.second});
    CHECK(joined == expected);
  }
}

TEST_CASE("whole numbers alone find the same complex") {
  const auto same = [](const PiecewiseAffineNetwork& network, double box) {
    const RegionComplex a = regions(network, {.box = box}), b = regions(network, {.box = box, .exact = true});
    CHECK(a.codes == b.codes);
    REQUIRE(a.facets.size() == b.facets.size());
    for (std::size_t f = 0; f < a.facets.size(); ++f) {
      CHECK(a.facets[f].first == b.facets[f].first);
      CHECK(a.facets[f].second == b.facets[f].second);
      CHECK(a.facets[f].is_crossed == b.facets[f].is_crossed);
      CHECK(a.facets[f].is_decision == b.facets[f].is_decision);
    }
    CHECK(a.component_labels == b.component_labels);
    CHECK(a.pieces.size() == b.pieces.size());
    double difference = 0;
    for (Index i = 0; i < a.inside.size(); ++i)
      difference = std::max(difference, std::abs(a.inside.span()[static_cast<std::size_t>(i)] -
                                                 b.inside.span()[static_cast<std::size_t>(i)]));
    CHECK(difference < 1e-6);
  };
  for (const Form& form : small_forms)
    for (std::uint64_t seed = 10; seed < 13; ++seed)
      for (const double box : {infinity, 1.0}) same(form.network(seed), box);
  same(random_network({3, 8, 8, 3}, 1), infinity);
  same(random_network({3, 8, 8, 3}, 1, {0.01}, 1.0 / 16), infinity);
}

TEST_CASE("a box that holds every vertex has the regions of the whole space") {
  for (const Form& form : small_forms)
    for (std::uint64_t seed = 20; seed < 23; ++seed) {
      const PiecewiseAffineNetwork network = form.network(seed);
      const RegionComplex whole = regions(network), boxed = regions(network, {.box = 0x1p100});
      CHECK(numbers_by_code(whole).size() == numbers_by_code(boxed).size());
      CHECK(whole.facets.size() == boxed.facets.size());
      CHECK(whole.pieces.size() == boxed.pieces.size());
      CHECK(whole.component_labels.size() == boxed.component_labels.size());
      const auto open = [](const RegionComplex& complex) {
        return std::ranges::count_if(complex.regions, [](const LinearRegion& one) { return one.is_open; });
      };
      CHECK(open(whole) == open(boxed));
    }
}

TEST_CASE("scaling the inputs by a power of two scales the complex") {
  for (const double scale : {0x1p-40, 0x1p60})
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const PiecewiseAffineNetwork network = random_network({3, 7, 6, 3}, seed, {0.1});
      std::vector<PiecewiseAffineLayer> layers = network.layers();
      for (double& weight : layers.front().weight.span()) weight /= scale;
      const RegionComplex a = regions(network, {.box = 2});
      const RegionComplex b = regions(PiecewiseAffineNetwork(layers), {.box = 2 * scale});
      CHECK(a.codes == b.codes);
      CHECK(a.facets.size() == b.facets.size());
      CHECK(a.component_labels == b.component_labels);
      M scaled = a.inside;
      for (double& value : scaled.span()) value *= scale;
      CHECK(scaled == b.inside);
    }
}

TEST_CASE("weights whose products are too small for a double change nothing") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const PiecewiseAffineNetwork network = random_network({3, 6, 6, 3}, seed);
    std::vector<PiecewiseAffineLayer> layers = network.layers();
    // relu(s t) = s relu(t): all pre-activations of layer l are multiplied by 2^(-400 (l + 1)).
    for (std::size_t l = 0; l < layers.size(); ++l) {
      for (double& weight : layers[l].weight.span()) weight *= 0x1p-400;
      for (double& bias : layers[l].bias.span()) bias = l == 0 ? bias * 0x1p-400 : 0;
    }
    std::vector<PiecewiseAffineLayer> plain = network.layers();
    for (std::size_t l = 1; l < plain.size(); ++l) std::ranges::fill(plain[l].bias.span(), 0.0);
    const RegionComplex a = regions(PiecewiseAffineNetwork(plain)), b = regions(PiecewiseAffineNetwork(layers));
    CHECK(a.codes == b.codes);
    CHECK(a.facets.size() == b.facets.size());
    CHECK(a.component_labels == b.component_labels);
    CHECK(b.exact_decisions > 0);
  }
}

// The class of each connected decision region in the square, by cutting the cells of the slice by the differences of
// all outputs, and joining cells of one class over the edges between them.
std::multiset<std::int32_t> planar_components(const PiecewiseAffineNetwork& network, double box) {
  const Slice cells = slice(network, input_plane(), {.window = square(box)});
  const Index vertices = cells.outputs.rows(), outputs = network.outputs();
  const Index pairs = outputs == 1 ? 1 : outputs * (outputs - 1) / 2;
  M differences(vertices, pairs);
  for (Index v = 0; v < vertices; ++v)
    for (Index i = 0, pair = 0; i < outputs; ++i)
      for (Index j = outputs == 1 ? i : i + 1; j < outputs; ++j)
        differences(v, pair++) = cells.outputs(v, i) - (outputs == 1 ? 0 : cells.outputs(v, j));
  const auto count = static_cast<std::size_t>(pairs);
  const PlanarComplex parts = subdivision(cells.complex, std::move(differences),
                                          {.slopes = std::vector<double>(count),
                                           .offsets = std::vector<double>(count, 1),
                                           .sizes = std::vector<double>(static_cast<std::size_t>(vertices))})
                                  .complex;
  std::vector<std::int32_t> labels;
  for (Index c = 0; c < parts.cells(); ++c) {
    const std::vector<Point> corners = parts.polygon(c);
    M centre(1, 2);
    for (const Point& corner : corners) {
      centre(0, 0) += corner.x / static_cast<double>(corners.size());
      centre(0, 1) += corner.y / static_cast<double>(corners.size());
    }
    labels.push_back(label_of(network(centre)));
  }
  std::multiset<std::int32_t> result;
  std::vector<bool> seen(labels.size());
  for (std::size_t start = 0; start < labels.size(); ++start) {
    if (seen[start]) continue;
    result.insert(labels[start]);
    std::vector<std::size_t> open = {start};
    seen[start] = true;
    while (!open.empty()) {
      const std::size_t cell = open.back();
      open.pop_back();
      for (const Side side : parts.sides_of(static_cast<Index>(cell))) {
        if (parts.across(side) == no_cell) continue;
        const auto next = static_cast<std::size_t>(parts.across(side));
        if (seen[next] || labels[next] != labels[cell]) continue;
        seen[next] = true;
        open.push_back(next);
      }
    }
  }
  return result;
}

TEST_CASE("decision regions of two inputs are those of the slice cut by class") {
  Index several = 0;
  for (std::uint64_t seed = 0; seed < 15; ++seed)
    for (const Index outputs : {1, 2, 4}) {
      CAPTURE(seed, outputs);
      const PiecewiseAffineNetwork network = random_network({2, 9, 7, outputs}, seed, {0.1, -1});
      const RegionComplex complex = regions(network, {.box = 2});
      const std::multiset<std::int32_t> found(complex.component_labels.begin(), complex.component_labels.end());
      CHECK(found == planar_components(network, 2));
      several += found.size() > 2;
    }
  CHECK(several > 10);
}

TEST_CASE("decision boundaries along walls, through regions and over flat ones") {
  // f = relu(x) - relu(y): class 1 where f > 0, flat and so class 0 where both are off.
  const PiecewiseAffineNetwork two(
      {{.weight = {{1, 0}, {0, 1}}, .bias = {{0, 0}}}, {.weight = {{1, -1}}, .bias = {{0}}, .slope = 1}});
  const RegionComplex found = regions(two);
  CHECK(found.count() == 4);
  CHECK(found.pieces.size() == 5);
  CHECK(found.component_labels.size() == 2);
  REQUIRE(found.facets.size() == 4);
  for (const RegionFacet& facet : found.facets) {
    CHECK_FALSE(facet.is_crossed);
    const auto on = [&](std::int32_t r, Index u) { return found.is_on(r, u); };
    // Between x > 0, y < 0 and x < 0, y < 0 the class changes on the wall.
    const bool is_expected = !on(facet.first, 1) && !on(facet.second, 1);
    CHECK(facet.is_decision == is_expected);
  }
  // f = relu(x) - 1/2 and y does not matter: the boundary x = 1/2 crosses the wall y = 0 twice over.
  const PiecewiseAffineNetwork crossed(
      {{.weight = {{1, 0}, {0, 1}}, .bias = {{0, 0}}}, {.weight = {{1, 0}}, .bias = {{-0.5}}, .slope = 1}});
  const RegionComplex cut = regions(crossed, {.box = 1});
  CHECK(cut.pieces.size() == 6);
  CHECK(cut.component_labels.size() == 2);
  CHECK(std::ranges::count_if(cut.facets, [](const RegionFacet& facet) { return facet.is_crossed; }) == 1);
  CHECK(std::ranges::none_of(cut.facets, [](const RegionFacet& facet) { return facet.is_decision; }));
}

TEST_CASE("units that coincide, oppose each other or are constant flip together or never") {
  // x, x again, -x, 0, 1, and in the second layer relu(x) itself, which is 0 on half of the space.
  const PiecewiseAffineNetwork network(
      {{.weight = {{1, 0}, {2, 0}, {-1, 0}, {0, 0}, {0, 0}}, .bias = {{0, 0, 0, 0, 1}}},
       {.weight = {{1, 0, 0, 0, 0}}, .bias = {{0}}},
       {.weight = {{1}}, .bias = {{0}}, .slope = 1}});
  const RegionComplex found = regions(network);
  REQUIRE(found.count() == 2);
  CHECK(found.code(0) == ActivationCode{0, 0, 1, 0, 1, 0});
  CHECK(found.code(1) == ActivationCode{1, 1, 0, 0, 1, 1});
  REQUIRE(found.facets.size() == 1);
  CHECK(found.flips(found.facets[0]) == std::vector<HiddenUnit>{{0, 0}, {0, 1}, {0, 2}, {1, 0}});
  CHECK(found.regions[0].is_open);
  CHECK(found.regions[0].volume == infinity);
}

TEST_CASE("a network without hidden layers is one region, whose classes are found all the same") {
  const PiecewiseAffineNetwork linear(
      {{.weight = {{1, 0, 2}, {0, 1, 0}, {0, 1, 0}, {-3, 0, 0}}, .bias = {{3, 0, -1, 0}}, .slope = 1}});
  for (const double box : {infinity, 10.0}) {
    const RegionComplex whole = regions(linear, {.box = box, .max_regions = 1});
    REQUIRE(whole.count() == 1);
    CHECK(whole.code(0).empty());
    CHECK(whole.facets.empty());
    CHECK(whole.regions[0].is_open);
    std::vector<std::int32_t> labels;
    for (const DecisionPiece& piece : whole.pieces) labels.push_back(piece.label);
    // The third output is always less than the second.
    CHECK(labels == std::vector<std::int32_t>{0, 1, 3});
    CHECK(whole.component_labels == labels);
  }
}

TEST_CASE("progress is told, a search stops when asked to, and what is no box is refused") {
  const PiecewiseAffineNetwork network = one_layer(3, 25, 1);
  std::vector<double> done;
  Index last = 0;
  const RegionComplex all = regions(network, {.progress = [&](const RegionProgress& now) {
                                      done.push_back(now.done);
                                      CHECK(now.regions > last);
                                      last = now.regions;
                                    }});
  CHECK(last == all.count());
  CHECK(done.size() == static_cast<std::size_t>(all.count() / 1000 + 1));
  CHECK(std::ranges::is_sorted(done));
  CHECK(done.back() == 1);

  CHECK(message_of<Stopped>([&] { regions(network, {.stop = [] { return true; }}); }) == "regions: stopped");
  CHECK(message_of<RunError>([&] { regions(network, {.max_regions = 100}); }) == "regions: more than 100 regions");
  CHECK(regions(network, {.max_regions = all.count()}).count() == all.count());
  CHECK(message_of([&] { regions(network, {.box = 0}); }) == "regions: box is 0; it must be above 0");
  CHECK(message_of([&] { regions(network, {.box = NAN}); }) == "regions: box is nan; it must be above 0");
  CHECK(
      message_of([&] { regions(network, {.max_regions = 0}); }).starts_with("regions: max_regions: found 0, expected"));
  CHECK(message_of([&] { regions(one_layer(17, 2, 1), {.box = 1}); }) ==
        "regions: the network has 17 inputs; in a box there may be at most 16");
  CHECK(message_of([&] { regions(one_layer(40, 35, 1)); }) ==
        "regions: more than 30 rows of the first layer are independent; there may be at most 30, since r of them make "
        "2^r "
        "regions or more");
  const PiecewiseAffineNetwork steep({{.weight = {{1e200}}, .bias = {{0}}},
                                      {.weight = {{1e200}}, .bias = {{0}}},
                                      {.weight = {{1}}, .bias = {{0}}, .slope = 1}});
  CHECK(message_of([&] { regions(steep); }) ==
        "regions: a slope or offset of layer 1 is beyond what a double holds on a region; weights and biases must be "
        "smaller");
}

TEST_CASE("regions and their count end when stopped, and are the same when they are not") {
  const PiecewiseAffineNetwork network = random_network({5, 60, 60, 60, 2}, 1);
  check_stops("regions", [&](const std::function<bool()>& stop) { regions(network, {.stop = stop}); });
  check_stops("regions", [&](const std::function<bool()>& stop) { count_regions(network, {.stop = stop}); });
  const PiecewiseAffineNetwork small = random_network({3, 8, 8, 2}, 2);
  CHECK(regions(small).codes == regions(small, {.stop = goes_on}).codes);
}

}  // namespace
}  // namespace normalign::tests
