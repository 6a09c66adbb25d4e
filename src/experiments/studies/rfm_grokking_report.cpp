#include "experiments/studies/rfm_grokking_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/studies/seed_means.hpp"

namespace normalign {
namespace {

constexpr const char* grokking_models[] = {"rfm", "rfam"};

std::vector<StudyMeasure> machine_measures(const RfmGrokkingRow& row, Index modulus) {
  std::vector<StudyMeasure> result = {{"train_acc", "acc", row.train.accuracy},
                                      {"test_acc", "test acc", row.test.accuracy},
                                      {"train_loss", "loss", row.train.loss},
                                      {"test_loss", "test loss", row.test.loss},
                                      {"circulant_share", "circulant", row.circulant_share}};
  const auto add = [&](const std::string& name, const std::string& head, const auto& value_of) {
    result.push_back({name, head, value_of(row.train.geometry)});
    result.push_back({"test_" + name, "test " + head, value_of(row.test.geometry)});
  };
  add("class_alignment", "class", [](const LocalGeometry& g) { return g.class_alignment; });
  add("normal_alignment", "normal", [](const LocalGeometry& g) { return g.normal_alignment; });
  add("centroid_alignment", "centroid", [](const LocalGeometry& g) { return g.centroid_alignment; });
  add("normalised_rank", "rank", [&](const LocalGeometry& g) {
    return g.effective_rank ? std::optional(*g.effective_rank / static_cast<double>(modulus)) : std::nullopt;
  });
  return result;
}

// The machines of one model after the same number of updates, over seeds.
struct MachineLine {
  std::string model;
  Index updates;
  SeedMeans found;
};

std::vector<MachineLine> machine_lines(const RfmGrokking& study) {
  std::vector<MachineLine> result;
  for (const char* model : grokking_models)
    for (Index updates = 0; updates <= study.options.updates; ++updates) {
      std::vector<std::vector<StudyMeasure>> of_seeds;
      for (const RfmGrokkingRow& row : study.rows)
        if (row.model == model && row.updates == updates)
          of_seeds.push_back(machine_measures(row, study.options.modulus));
      if (!of_seeds.empty()) result.push_back({model, updates, seed_means(of_seeds)});
    }
  return result;
}

// Text has the means; files have the deviations too.
Table means_table(const RfmGrokking& study) {
  Table table{.caption = "After each update of the metric, means over seeds:", .left = 2};
  for (const MachineLine& line : machine_lines(study)) {
    Record record = {{{"model"}, line.model}, {{"updates"}, line.updates}};
    add_to(record, line.found);
    table.add(record);
  }
  return table;
}

double chance_circulant_share(const RfmGrokking& study) { return 1 / static_cast<double>(study.options.modulus + 1); }

double chance_normal_alignment(const RfmGrokking& study) { return chance_alignment(2 * study.options.modulus); }

ChartBlock machine_block(const std::vector<MachineLine>& lines, const std::string& model) {
  ChartBlock result{.name = model, .columns = {"updates"}, .whole_columns = 1};
  for (const MachineLine& line : lines) {
    if (line.model != model) continue;
    if (result.rows.empty()) add_columns(result, line.found.means);
    add_row(result, static_cast<double>(line.updates), line.found);
  }
  return result;
}

struct MachinePanel {
  ChartAxis y;
  std::string measure;
  bool has_train = true;  ///< whether there is a measure of the training pairs too
  std::optional<double> level = {};
};

std::vector<MachinePanel> machine_panels(const RfmGrokking& study) {
  return {
      {{.label = "accuracy (%)", .low = -2, .high = 102}, "acc"},
      {{.label = "squared error", .low = 0}, "loss"},
      {{.label = "circulant share of M", .low = 0, .high = 1}, "circulant_share", false, chance_circulant_share(study)},
      {{.label = "class alignment"}, "class_alignment", true, 0},
      {{.label = "effective rank / outputs", .low = 0, .high = 1}, "normalised_rank"}};
}

}  // namespace

Table grokking_table(const RfmGrokking& study) {
  Table table{.caption =
                  text("Updates until the test accuracy was above ", four_digits(study.options.criterion), " %:")};
  for (const char* model : grokking_models) {
    std::vector<double> updates;
    std::size_t runs = 0;
    for (const std::int64_t seed : study.options.seeds) {
      if (std::ranges::none_of(study.rows,
                               [&](const RfmGrokkingRow& row) { return row.model == model && row.seed == seed; }))
        continue;
      ++runs;
      if (const std::optional<Index> found = grokking_updates(study, model, seed))
        updates.push_back(static_cast<double>(*found));
    }
    const Spread found = spread(updates);
    table.add({{{"model"}, model},
               {{"runs"}, runs},
               {{"grokked"}, found.count},
               {{"mean"}, found.mean},
               {{"std"}, found.standard_deviation},
               {{"median"}, found.median}});
  }
  return table;
}

TableSet tables(const RfmGrokking& study) {
  TableSet result{.tables = {grokking_table(study), means_table(study)}};
  for (Column& column : result.tables.front().columns) column.key.clear();  // CSV has the other table
  result.legend = {
      text("rfm starts from the identity, rfam from the covariance of the training pairs; acc: per cent; loss: squared "
           "error; circulant: share of the metric's block between a and b that is circulant, ",
           four_digits(chance_circulant_share(study)), " for a random one."),
      text("class: cos(J_y - mean_j J_j, x); normal: |cos(v, x)|, v the first right singular vector of J, ",
           four_digits(chance_normal_alignment(study)),
           " for a random one; centroid: cos(Jᵀ1, x); rank: effective rank of J over the number of outputs; all of "
           "training pairs, or where it says so of test pairs.")};
  return result;
}

nlohmann::ordered_json as_json(const RfmGrokking& study) {
  Table by_seed;
  for (const RfmGrokkingRow& row : study.rows) {
    Record record = {{{"model"}, row.model}, {{"seed"}, row.seed}, {{"updates"}, row.updates}};
    for (const StudyMeasure& measure : machine_measures(row, study.options.modulus))
      record.push_back({{measure.name}, measure.value});
    by_seed.add(record);
  }
  return {{"chance_alignment", chance_normal_alignment(study)},
          {"chance_circulant_share", chance_circulant_share(study)},
          {"modulus", study.options.modulus},
          {"train_fraction", study.options.train_fraction},
          {"criterion", study.options.criterion},
          {"grokking", rows_json(grokking_table(study))},
          {"means", rows_json(means_table(study))},
          {"rows", rows_json(by_seed)}};
}

Chart chart_of(const RfmGrokking& study) {
  const std::vector<MachineLine> lines = machine_lines(study);
  Chart chart{
      .name = "rfm_grokking",
      .comment =
          "# One block for each model: updates of the metric, then mean and standard deviation of each measure, "
          "mean - std, mean + std.\n",
      .x = {.label = "updates of the metric"},
      .panel_height = 190};
  for (const char* model : grokking_models) chart.blocks.push_back(machine_block(lines, model));
  const bool has_bands = std::ranges::any_of(lines, [](const MachineLine& line) { return line.found.seeds > 1; });
  const std::vector<StudyMeasure> columns = machine_measures({}, 1);
  for (const MachinePanel& panel : machine_panels(study)) {
    ChartPanel& added = chart.panels.emplace_back(ChartPanel{.y = panel.y, .level = panel.level});
    for (std::size_t block = 0; block < chart.blocks.size(); ++block)
      for (const bool is_test : {true, false}) {
        if (!is_test && !panel.has_train) continue;
        std::size_t y = mean_column(columns, (is_test ? "test_" : "train_") + panel.measure);
        if (y == 0) y = mean_column(columns, panel.measure);  // alignment at training pairs, and the metric's measure
        added.series.push_back({.name = text(grokking_models[block], ", ", is_test ? "test" : "train"),
                                .colour = figure_colours[block == 0 ? 2 : 1],
                                .look = is_test ? Look::solid : Look::dashed,
                                .is_marked = is_test,
                                .block = block,
                                .y = y,
                                .lowest = has_bands ? y + 2 : 0,
                                .highest = has_bands ? y + 3 : 0});
      }
  }
  return chart;
}

}  // namespace normalign
