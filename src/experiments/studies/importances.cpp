#include "experiments/studies/importances.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/number_text.hpp"
#include "base/utf8.hpp"
#include "experiments/figures/canvas.hpp"
#include "experiments/runs/table_encoding_json.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"
#include "rfm/agop.hpp"
#include "rfm/machine_in_span.hpp"

namespace normalign {
namespace {

// The outer products in the coordinates of the machine, and what these are coordinates of; none where they are the
// features.
struct OuterProducts {
  Matrix<double> products;
  std::optional<SpanCoordinates<double>> span;
  Index features() const { return span ? span->inputs() : products.rows(); }
};

OuterProducts outer_products(const TensorFile& file, int threads) {
  if (!file.tensors.contains("centres"))
    throw InputError(
        "tensor centres: found none, expected those of a kernel machine (tabular --save-model writes one)");
  const auto machine = kernel_machine_from<double>(file);
  const std::vector<Index> once(static_cast<std::size_t>(machine.centres().rows()), 1);
  return {agop<double>(machine, machine.centres(), once, threads), span_in<double>(file, machine.inputs())};
}

std::vector<std::string> feature_names(const TensorFile& machine, Index features) {
  const auto encoding = table_encoding_in(machine);
  if (encoding && encoding->features.size() > 0) {
    if (encoding->features.size() != features)
      throw InputError(text("metadata table: found ", encoding->features.size(), " features, expected ", features,
                            ", as many as the metric has"));
    return encoding->features.names();
  }
  std::vector<std::string> result;
  for (Index j = 1; j <= features; ++j) result.push_back(text("feature ", j));
  return result;
}

double largest_in_magnitude(const std::vector<double>& values) {
  return *std::ranges::max_element(values, {}, [](double value) { return std::abs(value); });
}

// A bar of eighths of a character, as wide as `share` of 24.
std::string bar(double share) {
  constexpr const char* eighths[] = {"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589"};
  const auto units = static_cast<std::size_t>(std::lround(share * 24 * 8));
  std::string result;
  for (std::size_t i = 0; i < units / 8; ++i) result += "\u2588";
  return result + eighths[units % 8];
}

}  // namespace

Importances importances(const TensorFile& machine, Index directions, int threads) {
  if (directions < 0) throw InputError(text("directions: found ", directions, ", expected a number from 0 on"));
  const OuterProducts products = outer_products(machine, threads);
  Importances result{.features = feature_names(machine, products.features()),
                     .shares = diagonal_in_inputs(products.products, products.span)};
  const double trace = total<double>(result.shares);
  if (!(trace > 0)) throw InputError("machine: found slopes of 0 at all its rows, expected some that are not");
  for (double& share : result.shares) share /= trace;
  const SymmetricEigen<double> eigen = symmetric_eigen<double>(products.products);
  const Index d = products.products.rows();
  const Matrix<double> vectors = products.span ? products.span->in_inputs(eigen.vectors) : eigen.vectors;
  for (Index i = d - 1; i >= std::max<Index>(d - directions, 0); --i) {
    ImportantDirection found{.share = eigen.values[static_cast<std::size_t>(i)] / trace,
                             .weights = {vectors.row(i).begin(), vectors.row(i).end()}};
    if (!(found.share > 0)) break;
    if (largest_in_magnitude(found.weights) < 0)
      for (double& weight : found.weights) weight = -weight;
    result.directions.push_back(std::move(found));
  }
  return result;
}

std::vector<std::size_t> most_important(const Importances& importances, Index most) {
  std::vector<std::size_t> places(importances.shares.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::ranges::stable_sort(places, std::greater(), [&](std::size_t place) { return importances.shares[place]; });
  places.resize(std::min(places.size(), static_cast<std::size_t>(most)));
  return places;
}

TableSet tables(const Importances& importances, Index most) {
  const std::vector<std::size_t> places = most_important(importances, most);
  Table table{.left = 2};
  double shown = 0;
  for (const std::size_t place : places) {
    const double share = importances.shares[place];
    shown += share;
    Record record = {{{"feature"}, one_line(importances.features[place])},
                     {{"", "squared slope"}, bar(share / importances.shares[places.front()])},
                     {{"share", "%"}, {100 * share, Digits::two_decimals}}};
    for (std::size_t i = 0; i < importances.directions.size(); ++i)
      record.push_back({{text("direction", i + 1), text("v", i + 1)},
                        {importances.directions[i].weights[place], Digits::two_decimals}});
    table.add(record);
  }
  const std::size_t others = importances.shares.size() - places.size();
  if (others > 0)
    table.notes.push_back(text(others, others == 1 ? " other feature has " : " other features have ",
                               formatted("%.2f", 100 * (1 - shown)), " % together"));
  TableSet result{.tables = {std::move(table)}};
  std::vector<std::string> shares;
  for (const ImportantDirection& direction : importances.directions)
    shares.push_back(text('v', shares.size() + 1, ' ', formatted("%.1f", 100 * direction.share), " %"));
  result.legend.push_back(
      "The mean squared slope of the outputs along each feature at the training rows, in units of the features as the "
      "machine sees them: the diagonal of the average gradient outer product.");
  if (!shares.empty())
    result.legend.push_back("v1, v2, ...: its leading eigenvectors, directions in which outputs change most, with " +
                            joined(shares, ", ") + " of its trace.");
  return result;
}

nlohmann::ordered_json as_json(const Importances& importances) {
  nlohmann::ordered_json json = {{"features", nlohmann::ordered_json::array()},
                                 {"directions", nlohmann::ordered_json::array()}};
  for (std::size_t j = 0; j < importances.features.size(); ++j)
    json["features"].push_back({{"name", importances.features[j]}, {"share", importances.shares[j]}});
  for (const ImportantDirection& direction : importances.directions)
    json["directions"].push_back({{"share", direction.share}, {"weights", direction.weights}});
  return json;
}

void draw_importances(const std::filesystem::path& path, const Importances& importances, Index most,
                      const std::string& title) {
  const std::vector<std::size_t> places = most_important(importances, most);
  constexpr double line = 20, font = 12, bars = 360, top = 44, margin = 16, letter = 6.6;
  std::size_t longest = 0;
  for (const std::size_t place : places) longest = std::max(longest, characters(one_line(importances.features[place])));
  const double names = margin + letter * static_cast<double>(longest) + 8;
  Canvas canvas(path, names + bars + 70, top + line * static_cast<double>(places.size()) + margin);
  canvas.write({margin, 24}, title, 14);
  const Colour colour = class_colour(0);
  double y = top;
  for (const std::size_t place : places) {
    const double width = bars * importances.shares[place] / importances.shares[places.front()];
    canvas.write({names - 8, y + 13}, one_line(importances.features[place]), font, Anchor::right);
    if (width > 0)
      canvas.fill({{{names, y + 3}, {names + width, y + 3}, {names + width, y + line - 3}, {names, y + line - 3}}},
                  colour);
    canvas.write({names + width + 6, y + 13}, formatted("%.1f %%", 100 * importances.shares[place]), font);
    y += line;
  }
  canvas.save();
}

}  // namespace normalign
