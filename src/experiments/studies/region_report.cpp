#include "experiments/studies/region_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const std::optional<WeightedSpread>& spread) {
  if (!spread) return nullptr;
  return {
      {"smallest", spread->smallest}, {"median", spread->median}, {"mean", spread->mean}, {"largest", spread->largest}};
}

Json json_of(const RegionSpread& spread) {
  return {{"by_count", json_of(spread.by_count)}, {"by_volume", json_of(spread.by_volume)}};
}

Json json_of(const RegionStatistics& s) {
  return {{"open", s.open},
          {"facets", s.facets},
          {"crossed_facets", s.crossed_facets},
          {"decision_facets", s.decision_facets},
          {"crossed_regions", s.crossed_regions},
          {"mean_facets", s.mean_facets},
          {"smallest_clearance", finite(s.smallest_clearance)},
          {"volume", finite(s.volume)},
          {"volumes", json_of(s.volumes)},
          {"jacobian_norm", json_of(s.jacobian_norm)},
          {"centroid_alignment", json_of(s.centroid_alignment)},
          {"effective_rank", json_of(s.effective_rank)}};
}

// Of the whole volume; none where that is infinite.
std::optional<double> volume_share(const ClassStatistics& found, const RegionStatistics& all) {
  if (!std::isfinite(all.volume)) return std::nullopt;
  return found.volume / all.volume;
}

void add_region_lists(Json& json, const RegionComplex& complex) {
  Json& regions = json["regions"] = Json::array();
  for (Index r = 0; r < complex.count(); ++r) {
    const LinearRegion& region = complex.regions[static_cast<std::size_t>(r)];
    std::string code;
    for (const std::uint8_t bit : complex.code(r)) code += bit ? '1' : '0';
    regions.push_back({{"code", code},
                       {"inside", Json(complex.inside.row(r))},
                       {"clearance", finite(region.clearance)},
                       {"open", region.is_open},
                       {"volume", finite(region.volume)},
                       {"label", region.label},
                       {"jacobian_norm", region.jacobian_norm},
                       {"centroid_alignment", json_of(Cell(region.centroid_alignment))},
                       {"effective_rank", json_of(Cell(region.effective_rank))}});
  }
  Json& facets = json["facets"] = Json::array();
  for (const RegionFacet& facet : complex.facets)
    facets.push_back(Json::array({facet.first, facet.second, facet.is_crossed, facet.is_decision}));
  Json& pieces = json["pieces"] = Json::array();
  for (const DecisionPiece& piece : complex.pieces)
    pieces.push_back(Json::array({piece.region, piece.label, piece.component, finite(piece.volume)}));
  json["component_labels"] = complex.component_labels;
}

// The columns by volume only where volumes are finite.
void add_measure(Table& table, const char* name, const RegionSpread& spread, bool has_volumes) {
  const auto of = [](const std::optional<WeightedSpread>& s, double WeightedSpread::*member) {
    return s ? Cell((*s).*member) : Cell();
  };
  Record record = {{{"", "over regions"}, name},
                   {{"", "least"}, of(spread.by_count, &WeightedSpread::smallest)},
                   {{"", "median"}, of(spread.by_count, &WeightedSpread::median)},
                   {{"", "mean"}, of(spread.by_count, &WeightedSpread::mean)},
                   {{"", "most"}, of(spread.by_count, &WeightedSpread::largest)}};
  if (has_volumes) {
    record.push_back({{"", "median by volume"}, of(spread.by_volume, &WeightedSpread::median)});
    record.push_back({{"", "mean by volume"}, of(spread.by_volume, &WeightedSpread::mean)});
  }
  table.add(record);
}

Table measures_table(const RegionReport& report) {
  const RegionStatistics& s = report.statistics;
  const bool is_boxed = std::isfinite(report.box), has_volumes = s.volumes.has_value();
  Table table{.caption = text(s.regions, s.regions == 1 ? " linear region " : " linear regions ",
                              is_boxed ? text("in the box |x_i| <= ", report.box) : "in the whole input space", ", ",
                              s.open, is_boxed ? " with a facet on the box" : " unbounded")};
  add_measure(table, "|J|", s.jacobian_norm, has_volumes);
  add_measure(table, "centroid alignment", s.centroid_alignment, has_volumes);
  add_measure(table, "effective rank", s.effective_rank, has_volumes);
  if (has_volumes) add_measure(table, "volume", {.by_count = s.volumes}, true);
  return table;
}

Table decision_table(const RegionStatistics& s) {
  Table table;
  for (const ClassStatistics& found : s.classes) {
    Record record = {{{"", "class"}, found.label},
                     {{"", "decision regions"}, found.components},
                     {{"", "linear regions"}, found.pieces}};
    if (const auto part = volume_share(found, s)) record.push_back({{"", "% of the volume"}, 100 * *part});
    table.add(record);
  }
  return table;
}

}  // namespace

double bytes_per_region(const RegionComplex& complex) {
  const auto bytes = [](const auto& list) { return static_cast<double>(list.size() * sizeof(list[0])); };
  const double all = bytes(complex.codes) + bytes(complex.regions) + bytes(complex.inside.span()) +
                     bytes(complex.facets) + bytes(complex.pieces) + bytes(complex.component_labels);
  return all / static_cast<double>(complex.count());
}

TableSet tables(const RegionReport& report) {
  const RegionStatistics& s = report.statistics;
  const std::string thinnest =
      std::isfinite(s.smallest_clearance)
          ? text("In the thinnest region the point inside is ", four_digits(s.smallest_clearance), " from a wall. ")
          : "";
  return {.tables = {measures_table(report), decision_table(s)},
          .legend = {
              text("The decision boundary crosses ", s.crossed_regions, " regions. There are ", s.facets,
                   " facets between regions, ", four_digits(s.mean_facets), " a region; the decision boundary crosses ",
                   s.crossed_facets, " of them and runs along ", s.decision_facets, "."),
              text(thinnest, "A region takes ", four_digits(bytes_per_region(report.complex)),
                   " bytes of memory, and up to three times as many during the search."),
              "A decision region is a connected part of the inputs with one class. A class is counted in each "
              "linear region in which it wins somewhere."}};
}

Json as_json(const RegionReport& report, bool regions) {
  const RegionComplex& complex = report.complex;
  Json classes = Json::array();
  for (const ClassStatistics& found : report.statistics.classes) {
    const std::optional<double> part = volume_share(found, report.statistics);
    classes.push_back({{"label", found.label},
                       {"components", found.components},
                       {"pieces", found.pieces},
                       {"volume", finite(found.volume)},
                       {"volume_share", json_of(Cell(part))}});
  }
  Json json = {
      {"num_regions", complex.count()}, {"inputs", complex.inside.cols()},          {"units", complex.units},
      {"box", finite(report.box)},      {"statistics", json_of(report.statistics)}, {"classes", std::move(classes)}};
  if (regions) add_region_lists(json, complex);
  return json;
}

}  // namespace normalign
