#include "experiments/report/charts.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/report/parts.hpp"
#include "experiments/report/svg.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;

struct Place {
  double x = 0, y = 0;
};

// Marks the ends of a line and what it needs between them to stay within a third of a pixel (Douglas and Peucker).
void mark_needed(const std::vector<Place>& line, std::vector<bool>& is_needed) {
  std::vector<std::pair<std::size_t, std::size_t>> spans = {{0, line.size() - 1}};
  while (!spans.empty()) {
    const auto [first, last] = spans.back();
    spans.pop_back();
    is_needed[first] = is_needed[last] = true;
    const double dx = line[last].x - line[first].x, dy = line[last].y - line[first].y;
    double farthest = std::hypot(dx, dy) / 3;
    std::size_t split = first;
    for (std::size_t i = first + 1; i < last; ++i) {
      const double distance = std::abs(dx * (line[i].y - line[first].y) - dy * (line[i].x - line[first].x));
      if (!(distance > farthest)) continue;
      farthest = distance;
      split = i;
    }
    if (split != first) spans.insert(spans.end(), {{first, split}, {split, last}});
  }
}

// Where the value stands on an axis from 0, its low end, to 1.
double share(const ChartAxis& axis, double low, double high, double value) {
  const auto place = [&](double number) { return axis.log_base > 0 ? std::log(number > 0 ? number : 0.5) : number; };
  return high > low ? (place(value) - place(low)) / (place(high) - place(low)) : 0;
}

// The chart with a block for each line, of the rows that a small picture of it needs.
Chart thinned(Chart chart) {
  std::vector<ChartBlock> blocks;
  for (ChartPanel& panel : chart.panels) {
    const auto [low, high] = value_range(chart, panel);
    for (ChartSeries& s : panel.series) {
      const bool has_band = s.highest > 0;
      ChartBlock block{.columns = {"x", "y"}};
      if (has_band) block.columns.insert(block.columns.end(), {"lowest", "highest"});
      for (const std::vector<double>& row : chart.blocks[s.block].rows)
        if (!std::isnan(row[s.y]))
          block.rows.push_back(has_band ? std::vector{row[0], row[s.y], row[s.lowest], row[s.highest]}
                                        : std::vector{row[0], row[s.y]});
      auto& rows = block.rows;
      std::vector<bool> is_needed(rows.size(), s.look == Look::filled || s.look == Look::hollow);
      for (std::size_t column = 1; !rows.empty() && column < rows.front().size(); ++column) {
        std::vector<Place> line;
        for (const std::vector<double>& row : rows)
          line.push_back({400 * share(chart.x, rows.front()[0], rows.back()[0], row[0]),
                          200 * share(panel.y, low, high, row[column])});
        mark_needed(line, is_needed);
      }
      std::size_t next = 0;
      std::erase_if(rows, [&](const auto&) { return !is_needed[next++]; });
      s.block = blocks.size();
      s.y = 1;
      if (has_band) std::tie(s.lowest, s.highest) = std::pair(2, 3);
      blocks.push_back(std::move(block));
    }
  }
  chart.blocks = std::move(blocks);
  return chart;
}

Markup key_part(const Chart& chart) {
  Markup entries;
  const std::vector<ChartSeries> key = key_of(chart);
  for (const ChartSeries& entry : key) {
    const bool has_page_colour = entry.colour == "#000000" || entry.colour == guide_colour;
    const std::string style = "color:" + (has_page_colour ? "inherit" : entry.colour);
    const char* look = entry.look == Look::dashed ? "dashed" : entry.is_thin ? "thin" : "";
    entries += element("li", {}, element("i", {{"class", look}, {"style", style}}), entry.name);
  }
  return key.size() > 1 ? element("ul", {{"class", "key"}}, entries) : Markup{};
}

// Some lines of each block that lines go through.
Markup tables_of(const Chart& chart) {
  Markup result;
  if (chart.has_diagonal) return result;
  for (const ChartBlock& block : chart.blocks) {
    Table table{.caption = block.name, .left = 0};
    for (std::string heading : block.columns) {
      std::ranges::replace(heading, '_', ' ');
      table.columns.push_back({.heading = std::move(heading)});
    }
    for (const std::size_t row : sampled(block.rows.size(), 10)) {
      Cells& cells = table.rows.emplace_back();
      for (const double value : block.rows[row]) cells.push_back(std::isnan(value) ? Cell() : Cell(value));
    }
    result += table_part(table);
  }
  return result;
}

}  // namespace

std::vector<Markup> chart_parts(const std::vector<std::vector<Chart>>& sections) {
  std::vector<Chart> drawn;
  for (const std::vector<Chart>& charts : sections)
    for (const Chart& chart : charts) drawn.push_back(thinned(chart));
  const std::vector<std::vector<std::string>> svgs = panel_svgs(drawn);
  std::vector<Markup> result;
  auto panels = svgs.begin();
  for (const std::vector<Chart>& charts : sections) {
    Markup pictures, instead;
    for (const Chart& chart : charts) {
      for (std::size_t i = 0; i < panels->size(); ++i)
        pictures +=
            svg_part((*panels)[i], text(chart.title, ": ", chart.panels[i].y.label, " against ", chart.x.label));
      if (panels->size() < chart.panels.size()) {
        instead +=
            element("p", {{"class", "note"}}, chart.title, ": gnuplot, which draws charts, is missing or failed.");
        instead += tables_of(chart);
      }
      ++panels;
    }
    Markup& part = result.emplace_back();
    if (!pictures.text.empty()) {
      part += key_part(charts.front());
      part += element("div", {{"class", charts.front().has_diagonal ? "charts many" : "charts"}}, pictures, "\n");
    }
    part += instead;
  }
  return result;
}

}  // namespace normalign
