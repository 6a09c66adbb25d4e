#include "experiments/studies/sparsity_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/figures/gnuplot.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// A measure, of one fit or over seeds: its name in files, its head in the text, its value.
struct Measure {
  const char *name, *head;
  std::optional<double> value;
};

constexpr const char *train_points = "train", *test_points = "test";

// What concerns one kind of points, or the fit, stands in one of its two lines.
std::vector<Measure> measures(const SparsityRow& row, bool is_test) {
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
  std::size_t seeds;
  std::vector<Measure> means, deviations;
};

std::vector<Line> lines_of(std::span<const SparsityRow> rows) {
  std::vector<std::pair<Index, std::string>> fits;  // in the order they first came
  for (const SparsityRow& row : rows)
    if (const std::pair fit(row.samples, row.model); std::ranges::find(fits, fit) == fits.end()) fits.push_back(fit);
  std::vector<Line> result;
  for (const auto& [samples, model] : fits)
    for (const bool is_test : {false, true}) {
      std::vector<std::vector<Measure>> found;
      for (const SparsityRow& row : rows)
        if (row.samples == samples && row.model == model) found.push_back(measures(row, is_test));
      Line line{samples, model, is_test ? test_points : train_points, found.size(), found.front(), found.front()};
      for (std::size_t i = 0; i < found.front().size(); ++i) {
        const std::vector<double> values = present(found, [&](const auto& of_seed) { return of_seed[i].value; });
        line.means[i].value = mean(values);
        line.deviations[i].value = standard_deviation(values);
      }
      result.push_back(std::move(line));
    }
  return result;
}

// Of a measure the mean is shown, or the deviation; files have both.
Record record(const Line& line, bool shows_deviations) {
  Record result = {{{"n", ""}, line.samples},   {{"model", ""}, line.model}, {{"points"}, line.points},
                   {{"", "model"}, line.model}, {{"", "n"}, line.samples},   {{"seeds"}, line.seeds}};
  for (std::size_t i = 0; i < line.means.size(); ++i) {
    const auto& [name, head, mean] = line.means[i];
    result.push_back({{name, shows_deviations ? "" : head}, mean});
    result.push_back({{text(name, "_std"), shows_deviations ? head : ""}, line.deviations[i].value});
  }
  return result;
}

Table table_of(std::span<const Line> lines, bool shows_deviations) {
  Table table{.left = 3};
  for (const Line& line : lines) table.add(record(line, shows_deviations));
  return table;
}

bool has_several_seeds(std::span<const Line> lines) {
  return std::ranges::any_of(lines, [](const Line& line) { return line.seeds > 1; });
}

// The picture.

struct Panel {
  const char* title;
  const char* measure;
  std::vector<const char*> points;  // of which kinds
  const char* range;                // of y
  const char* level = nullptr;      // a line there
};

const std::vector<Panel>& panels() {
  static const std::vector<Panel> all = {
      {"accuracy (%)", "acc", {train_points, test_points}, "[*:101]"},
      {"normal alignment / chance", "normal_over_chance", {train_points, test_points}, "[0:*]", "1"},
      {"effective rank of J", "effective_rank", {train_points, test_points}, "[1:*]"},
      {"nearest training point / length", "nearest_distance", {test_points}, "[0:*]"}};
  return all;
}

std::vector<std::string> models_of(std::span<const Line> lines) {
  std::set<std::string> names;
  for (const Line& line : lines) names.insert(line.model);
  return {names.begin(), names.end()};
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
      for (const Measure& measure : measures(row, is_test)) record.push_back({{measure.name}, measure.value});
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

Figure figure_of(std::span<const SparsityRow> rows) {
  const std::vector<Line> lines = lines_of(rows);
  const std::vector<std::string> models = models_of(lines);
  const bool has_bands = has_several_seeds(lines);
  const char* const colours[] = {"#0072b2", "#d55e00"};
  Figure result{.name = "sparsity"};

  // A block for each model and kind of points, number 2 model + is_test.
  result.data = "# One block for each model and kind of points: n, then mean and standard deviation of each measure.\n";
  for (std::size_t m = 0; m < models.size(); ++m)
    for (const char* points : {train_points, test_points}) {
      if (m > 0 || points != train_points) result.data += "\n\n";
      result.data += text("# ", models[m], ", ", points, " points\n");
      std::vector<Cells> table = {{"#n"}};
      for (const Measure& measure : measures({}, false)) {
        table.front().push_back(measure.name);
        table.front().push_back("std");
      }
      for (const Line& line : lines) {
        if (line.model != models[m] || line.points != points) continue;
        Cells& cells = table.emplace_back(Cells{text(line.samples)});
        for (std::size_t i = 0; i < line.means.size(); ++i)
          for (const auto& value : {line.means[i].value, line.deviations[i].value})
            cells.push_back(value ? all_digits(value) : "NaN");
      }
      result.data += aligned_text(table, 0);
    }

  std::string& script = result.script;
  const auto line = [&](const auto&... words) { script += text(words..., '\n'); };
  line(
      "# Draws sparsity.svg and sparsity.png from sparsity.dat; to draw again: gnuplot sparsity.gp, in this folder.\n");
  line("set encoding utf8\nset logscale x 2\nset border 3 linecolor rgb '#444444'\nset tics nomirror");
  line("set grid linetype 1 linecolor rgb '#e0e0e0'\nset xlabel 'training samples n'\nset format x '%.0f'");
  if (!lines.empty())  // one size alone has no range of its own
    line("set xrange [", 0.8 * static_cast<double>(lines.front().samples), ':',
         1.25 * static_cast<double>(lines.back().samples), "]");
  line("do for [format in 'svg png'] {\nif (format eq 'svg') {");
  line("  set terminal svg noenhanced size 1000,680 font 'sans-serif,14' background rgb 'white'\n} else {");
  line("  set terminal pngcairo noenhanced size 2000,1360 font 'sans,21' linewidth 2\n}");
  line("set output 'sparsity.'.format\nset multiplot layout 2,2");
  const std::vector<Measure> columns = measures({}, false);
  for (const Panel& panel : panels()) {
    const auto column =
        2 + 2 * (std::ranges::find(columns, std::string(panel.measure), &Measure::name) - columns.begin());
    line("set ylabel ", gnuplot_string(panel.title), "\nset yrange ", panel.range);
    line(&panel == &panels().front() ? "set key bottom right" : "unset key");
    std::string command;
    const auto add = [&](const auto&... words) {
      command += text(command.empty() ? "plot " : ", \\\n     ", words...);
    };
    if (panel.level) add(panel.level, " with lines linecolor rgb '#777777' notitle");
    for (std::size_t m = 0; m < models.size(); ++m)
      for (const std::string points : panel.points) {
        const bool is_test = points == test_points;
        // The distance is one of the data, not of a model.
        const bool is_shared = panel.points.size() == 1;
        if (is_shared && m > 0) continue;
        const std::string colour = text(" linecolor rgb '", is_shared ? "#444444" : colours[m % 2], "'");
        const std::string from = text("'sparsity.dat' index ", 2 * m + is_test, " using 1:");
        if (has_bands)
          add(from, "($", column, "-$", column + 1, "):($", column, "+$", column + 1, ") with filledcurves", colour,
              " fillstyle transparent solid 0.15 noborder notitle");
        add(from, column, " with linespoints pointtype 7 pointsize 0.5 linewidth 2", colour,
            is_test ? "" : " dashtype (8,4)", " title ", gnuplot_string(models[m] + ", " + points));
      }
    line(command);
  }
  line("unset multiplot\nunset output\n}");
  return result;
}

}  // namespace normalign
