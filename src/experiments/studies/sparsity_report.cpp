#include "experiments/studies/sparsity_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/figures/table_json.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/studies/seed_means.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char *train_points = "train", *test_points = "test";

// What concerns one kind of points, or the fit, stands in one of its two lines.
std::vector<StudyMeasure> measures(const SparsityRow& row, bool is_test) {
  const auto& [accuracy, geometry] = is_test ? row.test : row.train;
  const auto over_chance = [&](std::optional<double> alignment) {
    return alignment ? std::optional(*alignment / row.chance_alignment) : std::nullopt;
  };
  return {{"acc", "acc", accuracy},
          {"class_alignment", "class", geometry.class_alignment},
          {"class_over_chance", "class/ch", over_chance(geometry.class_alignment)},
          {"normal_alignment", "normal", geometry.normal_alignment},
          {"normal_over_chance", "normal/ch", over_chance(geometry.normal_alignment)},
          {"effective_rank", "rank", geometry.effective_rank},
          {"nearest_distance", "distance", is_test ? std::optional(row.nearest_distance) : std::nullopt},
          {"steps", "steps", is_test ? std::nullopt : row.steps},
          {"train_loss", "loss", is_test ? std::nullopt : row.train_loss}};
}

// One line of the table: the same measures over the seeds of one n and model.
struct Line {
  Index samples;
  std::string model;
  const char* points;
  SeedMeans found;
};

std::vector<Line> lines_of(std::span<const SparsityRow> rows) {
  std::vector<std::pair<Index, std::string>> fits;  // in the order they first came
  for (const SparsityRow& row : rows)
    if (const std::pair fit(row.samples, row.model); std::ranges::find(fits, fit) == fits.end()) fits.push_back(fit);
  std::vector<Line> result;
  for (const auto& [samples, model] : fits)
    for (const bool is_test : {false, true}) {
      std::vector<std::vector<StudyMeasure>> of_seeds;
      for (const SparsityRow& row : rows)
        if (row.samples == samples && row.model == model) of_seeds.push_back(measures(row, is_test));
      result.push_back({samples, model, is_test ? test_points : train_points, seed_means(of_seeds)});
    }
  return result;
}

// Of a measure the mean is shown, or the deviation; files have both.
Table table_of(std::span<const Line> lines, bool shows_deviations) {
  Table table{.left = 3};
  for (const Line& line : lines) {
    Record record = {{{"n", ""}, line.samples},
                     {{"model", ""}, line.model},
                     {{"points"}, line.points},
                     {{"", "model"}, line.model},
                     {{"", "n"}, line.samples}};
    add_to(record, line.found, shows_deviations);
    table.add(record);
  }
  return table;
}

bool has_several_seeds(std::span<const Line> lines) {
  return std::ranges::any_of(lines, [](const Line& line) { return line.found.seeds > 1; });
}

// The picture.

struct Panel {
  ChartAxis y;
  std::string measure;
  std::optional<double> level = {};
};

const std::vector<Panel>& panels() {
  static const std::vector<Panel> all = {{{.label = "accuracy (%)", .high = 101}, "acc"},
                                         {{.label = "normal alignment / chance", .low = 0}, "normal_over_chance", 1},
                                         {{.label = "effective rank of J"}, "effective_rank"},
                                         {{.label = "nearest training point / length", .low = 0}, "nearest_distance"}};
  return all;
}

std::vector<std::string> models_of(std::span<const Line> lines) {
  std::set<std::string> names;
  for (const Line& line : lines) names.insert(line.model);
  return {names.begin(), names.end()};
}

ChartBlock block_of(std::span<const Line> lines, const std::string& model, const std::string& points) {
  ChartBlock result{.name = model + ", " + points + " points", .columns = {"n"}, .whole_columns = 1};
  add_columns(result, measures({}, false));
  for (const Line& line : lines)
    if (line.model == model && line.points == points) add_row(result, static_cast<double>(line.samples), line.found);
  return result;
}

}  // namespace

TableSet tables(std::span<const SparsityRow> rows) {
  const std::vector<Line> lines = lines_of(rows);
  TableSet result{.tables = {table_of(lines, false)}};
  if (has_several_seeds(lines)) {
    Table& deviations = result.tables.emplace_back(visible(table_of(lines, true)));
    deviations.caption = "Standard deviations over seeds:";
    for (Column& column : deviations.columns) column.key.clear();  // files have them beside the means
  }
  const std::string chance = rows.empty() ? "" : text(", ", four_digits(rows.front().chance_alignment));
  result.legend = {
      "Means over the points, then over seeds; acc: per cent; class: cos(J_y - mean_j J_j, x); normal: "
      "|cos(v, x)|, v the first right singular vector of J; /ch: over the chance level" +
          chance + ".",
      "rank: effective rank of J; distance: of test points to the nearest training point, over their "
      "length; steps, loss: of the network's training, the loss at its end."};
  return result;
}

Json as_json(std::span<const SparsityRow> rows) {
  Table by_seed;
  for (const SparsityRow& row : rows)
    for (const bool is_test : {false, true}) {
      Record record = {{{"n"}, row.samples},
                       {{"model"}, row.model},
                       {{"points"}, is_test ? test_points : train_points},
                       {{"seed"}, row.seed}};
      for (const StudyMeasure& measure : measures(row, is_test)) record.push_back({{measure.name}, measure.value});
      by_seed.add(record);
    }
  return {{"chance_alignment", rows.empty() ? Json(nullptr) : Json(rows.front().chance_alignment)},
          {"means", rows_json(table_of(lines_of(rows), false))},
          {"rows", rows_json(by_seed)}};
}

std::vector<SparsityRow> rows_in(const Json& study) {
  const auto number = [](const Json& line, const char* name) {
    return line.at(name).is_null() ? std::nullopt : std::optional(line.at(name).get<double>());
  };
  std::vector<SparsityRow> result;
  bool is_test = true;
  for (const Json& line : study.at("rows")) {
    // The two lines of a fit follow each other, that of the training points first.
    is_test = !is_test;
    const char* const expected = is_test ? test_points : train_points;
    if (line.at("points") != expected)
      throw InputError(text("rows: found points ", log_json::dump(line.at("points")), ", expected \"", expected, '"'));
    if (!is_test) result.push_back({.samples = line.at("n"), .model = line.at("model"), .seed = line.at("seed")});
    SparsityRow& row = result.back();
    if (line.at("n") != row.samples || line.at("model") != row.model || line.at("seed") != row.seed)
      throw InputError("rows: found two lines of different fits, expected one fit's");
    SparsityPoints& points = is_test ? row.test : row.train;
    points.accuracy = line.at("acc");
    points.geometry.class_alignment = number(line, "class_alignment");
    points.geometry.normal_alignment = number(line, "normal_alignment");
    points.geometry.effective_rank = number(line, "effective_rank");
    row.chance_alignment = study.at("chance_alignment");
    if (is_test) {
      row.nearest_distance = line.at("nearest_distance");
    } else {
      row.steps = number(line, "steps");
      row.train_loss = number(line, "train_loss");
    }
  }
  if (!is_test) throw InputError("rows: found no line of the last fit's test points, expected one");
  return result;
}

Chart chart_of(std::span<const SparsityRow> rows) {
  const std::vector<Line> lines = lines_of(rows);
  const std::vector<std::string> models = models_of(lines);
  Chart chart{.name = "sparsity",
              .comment =
                  "# One block for each model and kind of points: n, then mean and standard deviation of each "
                  "measure, mean - std, mean + std.\n",
              .x = {.label = "training samples n", .log_base = 2}};
  if (!lines.empty()) {  // one size alone has no range of its own
    chart.x.low = 0.8 * static_cast<double>(lines.front().samples);
    chart.x.high = 1.25 * static_cast<double>(lines.back().samples);
  }
  for (const std::string& model : models)
    for (const char* points : {train_points, test_points}) chart.blocks.push_back(block_of(lines, model, points));

  const std::vector<StudyMeasure> columns = measures({}, false);
  for (const Panel& panel : panels()) {
    ChartPanel& added = chart.panels.emplace_back(ChartPanel{.y = panel.y, .level = panel.level});
    const std::size_t y = mean_column(columns, panel.measure);
    for (std::size_t block = 0; block < chart.blocks.size(); ++block) {
      const std::size_t model = block / 2;
      const bool is_test = block % 2 == 1;
      // The distance is one of the test points, not of a model.
      const bool is_shared = panel.measure == "nearest_distance";
      if (is_shared && block != 1) continue;
      added.series.push_back({.name = text(models[model], ", ", is_test ? test_points : train_points),
                              .colour = is_shared ? "#444444" : figure_colours[model % 2 == 0 ? 2 : 1],
                              .look = is_test ? Look::solid : Look::dashed,
                              .is_marked = true,
                              .block = block,
                              .y = y,
                              .lowest = has_several_seeds(lines) ? y + 2 : 0,
                              .highest = has_several_seeds(lines) ? y + 3 : 0});
    }
  }
  return chart;
}

}  // namespace normalign
