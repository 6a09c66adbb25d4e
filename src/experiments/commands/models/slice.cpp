#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/studies/samples.hpp"
#include "experiments/studies/slice_details.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

struct SliceArguments {
  ModelArguments model;
  std::string out = "slice", colour = "slope", title, npz;
  SampleOptions samples;
  std::vector<Index> plane, axes;
  std::optional<Index> origin, output;
  Index points = 200, max_regions = 10'000'000;
  std::optional<double> window;
  double level = 0;
  std::vector<double> scale;
  std::optional<int> threads;
  bool centroids = false, statistics_only = false, details = false;
};

bool has_samples(const SliceArguments& a) { return !a.samples.data.empty() || !a.samples.task.empty(); }

ConstView<double> sample(const Dataset<double>& data, Index row, const char* option) {
  if (data.inputs.rows() == 0) throw InputError(text(option, ": found no samples, expected --data or --task with it"));
  if (row < 0 || row >= data.inputs.rows())
    throw InputError(text(option, ": found ", row, ", expected a sample's number from 0 to ", data.inputs.rows() - 1));
  return data.inputs.view().row_block(row, 1);
}

Plane plane_of(const SliceArguments& a, const Dataset<double>& data, Index inputs) {
  if (inputs == 1)
    throw InputError(text(a.model.file,
                          ": found a network with one input, expected two or more, as a slice is a plane; "
                          "normalign inspect looks at networks with any number"));
  if (!a.plane.empty()) {
    Matrix<double> three(3, inputs);
    for (Index i = 0; i < 3; ++i)
      std::ranges::copy(sample(data, a.plane[static_cast<std::size_t>(i)], "--plane").span(), three.row(i).begin());
    return plane_through(three);
  }
  if (!a.axes.empty() || a.origin) {
    const Matrix<double> origin =
        a.origin ? Matrix<double>(sample(data, *a.origin, "--origin")) : Matrix<double>(1, inputs);
    return a.axes.empty() ? axis_plane(origin, 0, 1) : axis_plane(origin, a.axes[0], a.axes[1]);
  }
  if (inputs != 2)
    throw InputError(text("plane: the network has ", inputs, " inputs; --plane or --axes must say which plane"));
  return input_plane();
}

// The data points by their projection: those that span the plane first, then the others in their order, as far as they
// fall into the window.
std::vector<SlicePoint> points_in(const SliceArguments& a, const Dataset<double>& data, const Plane& plane,
                                  double window, const PiecewiseAffineNetwork& network) {
  std::vector<Index> rows = a.plane;
  for (Index i = 0; i < data.inputs.rows(); ++i)
    if (std::ranges::find(a.plane, i) == a.plane.end()) rows.push_back(i);
  std::vector<SlicePoint> result;
  for (const Index row : rows) {
    if (static_cast<Index>(result.size()) >= a.points) break;
    const ConstView<double> x = data.inputs.view().row_block(row, 1);
    const auto [t, distance] = projection(plane, x);
    if (std::max(std::abs(t.x), std::abs(t.y)) > window) continue;
    SlicePoint point{.t = t, .distance = distance};
    if (!data.is_regression()) point.label = data.labels[static_cast<std::size_t>(row)];
    if (a.centroids) {
      const AffineMap map = local_maps(network, x).front().map;
      Matrix<double> centroid(1, map.slope.cols());
      for (Index i = 0; i < map.slope.rows(); ++i)
        for (Index j = 0; j < map.slope.cols(); ++j) centroid(0, j) += map.slope(i, j);
      point.centroid = projection(plane, centroid).t;
    }
    result.push_back(point);
  }
  return result;
}

// Room around the points that span the plane, or the unit square.
double window_of(const SliceArguments& a, const Dataset<double>& data, const Plane& plane) {
  if (a.window) {
    // Areas are squares of it.
    if (!(*a.window >= 1e-100 && *a.window <= 1e100))
      throw InputError(text("--window: found ", *a.window, ", expected a number from 1e-100 to 1e100"));
    return *a.window;
  }
  double farthest = 0;
  for (const Index row : a.plane) {
    const Point t = projection(plane, data.inputs.view().row_block(row, 1)).t;
    farthest = std::max({farthest, std::abs(t.x), std::abs(t.y)});
  }
  return a.plane.empty() ? 1 : 1.2 * farthest;
}

void write_files(const SliceArguments& a, const SlicePicture& picture, const PiecewiseAffineNetwork& network,
                 int threads) {
  const fs::path out = a.out;
  if (out.has_parent_path()) make_folder(out.parent_path());
  nlohmann::ordered_json json = as_json(picture, !a.statistics_only);
  if (a.details) add_details(json, picture.slice, network);
  write_text_file(a.out + ".json", of_kind(kind::slice, std::move(json)).dump() + "\n");
  if (!a.npz.empty()) write_npz(a.npz, picture, network, threads);
  draw(picture, a.out + ".svg");
  draw(picture, a.out + ".png");
}

int draw_slice(const SliceArguments& a) {
  const RegionColour colour = region_colour(a.colour);
  constexpr Index most_regions = Index{1} << 28;  // their edges are numbered by 32 bits
  check_whole("--max-regions", a.max_regions, 1, most_regions);
  if (a.details && a.statistics_only)
    throw InputError("--details: found with --statistics-only, which leaves out the regions that it is about");
  if (a.points < 0) throw InputError(text("--points: found ", a.points, ", expected a whole number from 0 on"));
  if (!a.scale.empty() && !(a.scale[0] > 0 && a.scale[1] > a.scale[0]))
    throw InputError(
        text("--scale: found ", a.scale[0], " and ", a.scale[1], ", expected two ascending numbers above 0"));
  const int threads = thread_count(a.threads);
  const Mlp<double> mlp = model_of(a.model);
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);
  Dataset<double> data{Matrix<double>(0, network.inputs()), {}, 0};
  if (has_samples(a)) {
    SampleOptions chosen = a.samples;
    chosen.model = a.model.file;
    data = samples(chosen, std::cerr);
    check_fit(mlp, data);
  }
  const Plane plane = plane_of(a, data, network.inputs());
  const double half_width = window_of(a, data, plane);
  SliceOptions options{.window = square(half_width), .max_regions = a.max_regions, .threads = threads};
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  options.progress = [&](const SliceProgress& now) {
    status.show(text("layer ", now.layers_done, " of ", now.layers, " done: ", now.regions, " regions"));
  };
  const Slice found = slice(network, plane, options);
  status.clear();
  const DecisionBoundary boundary = a.output ? level_set(found, *a.output, a.level) : class_boundary(found);
  SlicePicture picture{.slice = found,
                       .boundary = boundary,
                       .points = points_in(a, data, plane, half_width, network),
                       .title = a.title.empty() ? fs::path(a.model.file).stem().string() : a.title,
                       .colour = colour};
  if (!a.scale.empty()) picture.scale = {a.scale[0], a.scale[1]};
  write_files(a, picture, network, threads);
  const SliceStatistics s = statistics(found);
  std::cout << s.regions << " regions, " << s.distinct_maps << " different maps; area from " << s.smallest_area
            << " to " << s.largest_area << ", median " << s.median_area << "; slope " << s.mean_slope_norm
            << " on average, at most " << s.largest_slope_norm << "; decision boundary " << boundary.length()
            << " long in " << polylines(boundary).size() << " lines";
  if (!boundary.flat_regions.empty())
    std::cout << ", and everywhere in " << boundary.flat_regions.size() << " of the regions";
  std::cout << '\n' << a.out << ": .json .svg .png\n";
  return 0;
}

}  // namespace

void add_sample_options(CLI::App& command, SampleOptions& options) {
  const char* group = "Samples (--data, --task or both)";
  add(command, "--data", options.data,
      "Folder of IDX files as of MNIST, or a CSV file with the label last; with --task the task's folder", "PATH")
      ->group(group);
  add(command, "--task", options.task, "The samples that this task trains on (see normalign train --help)", "TASK")
      ->group(group);
  command.add_option("--seed", options.seed, "Seed of the task's samples (default 0)")->group(group);
  command.add_flag("--test", options.test, "The test samples in place of the training samples")->group(group);
  add_table_options(command, options.table, group);
}

Command add_slice(CLI::App& app) {
  const auto arguments = std::make_shared<SliceArguments>();
  SliceArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "slice", "The linear regions of a network with two inputs or more in a plane: JSON, SVG and PNG");
  add_model_options(*command, a.model, "A network of relu, leaky_relu or abs");
  add(*command, "--out", a.out, "Files to write, without .json, .svg and .png (default slice)", "PATH");
  auto* through =
      add(*command, "--plane", a.plane, "The plane through these three samples, numbered from 0", "N")->expected(3);
  add(*command, "--axes", a.axes, "The plane along these two inputs, numbered from 0", "N")
      ->expected(2)
      ->excludes(through);
  add(*command, "--origin", a.origin, "which holds this sample (default: the zero vector)", "N")->excludes(through);
  command->add_option(
      "--window", a.window,
      "Half the width of the square in the plane, in units of the inputs (default: around --plane, or 1)");
  add(*command, "--colour", a.colour, "What the colour of a region says: slope, area or class (default slope)", "NAME");
  command->add_option("--scale", a.scale, "Ends of the colour scale, to compare pictures (default: the slice's)")
      ->expected(2);
  auto* output =
      command->add_option("--output", a.output, "Draw where this output is at --level, not where classes tie");
  command->add_option("--level", a.level, "The level (default 0)")->needs(output);
  command->add_option("--points", a.points,
                      "Draw at most so many samples, in the colours of their classes, the paler the farther from the "
                      "plane (default 200)");
  command->add_flag("--centroids", a.centroids, "Draw an arrow from each sample to the centroid of its region");
  add(*command, "--title", a.title, "Above the picture (default: the model's name)", "WORDS");
  command->add_flag("--details", a.details,
                    "In the JSON also the outputs at vertices and the regions' maps of the network's input");
  add(*command, "--npz", a.npz, "Write all of this as a NumPy archive too", "FILE");
  command->add_flag("--statistics-only", a.statistics_only, "No regions, edges and vertices in the JSON");
  command->add_option("--max-regions", a.max_regions, "More are an error (default 10000000)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  add_sample_options(*command, a.samples);
  return [arguments] { return draw_slice(*arguments); };
}

}  // namespace normalign::commands
