#include <unistd.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "experiments/commands/commands.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/interrupt.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/studies/region_picture.hpp"
#include "experiments/studies/region_report.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::commands {
namespace {

namespace fs = std::filesystem;

constexpr const char* standard_output = "-";

struct RegionArguments {
  ModelArguments model;
  std::string json, mesh, picture, title;
  std::optional<double> box;
  Index max_regions = 10'000'000;
  std::optional<std::int32_t> label;
  std::vector<double> scale, view;
  bool exact = false, statistics_only = false, walls = false, wide = false;
};

void check(const RegionArguments& a) {
  // Volumes are powers of it.
  if (a.box && !(*a.box >= 1e-15 && *a.box <= 1e15))
    throw InputError(text("--box: found ", *a.box, ", expected a number from 1e-15 to 1e15"));
  check_whole("--max-regions", a.max_regions, 1, INT32_MAX);
  if (!a.scale.empty() && !(a.scale[0] > 0 && a.scale[1] > a.scale[0]))
    throw InputError(
        text("--scale: found ", a.scale[0], " and ", a.scale[1], ", expected two ascending numbers above 0"));
  if (!a.view.empty() && !(std::abs(a.view[0]) <= 360 && std::abs(a.view[1]) <= 90))
    throw InputError(text("--view: found ", a.view[0], " and ", a.view[1],
                          ", expected degrees of at most 360 around the third axis and 90 above the other two"));
  if (!a.mesh.empty() && fs::path(a.mesh).extension() != ".ply")
    throw InputError(text("--mesh: found ", one_line(a.mesh), ", expected a name that ends in .ply"));
}

// Before a search that may take long: whether what is asked for can be drawn.
void check_drawing(const RegionArguments& a, const PiecewiseAffineNetwork& network) {
  if (a.mesh.empty() && a.picture.empty()) return;
  const char* option = a.mesh.empty() ? "--picture" : "--mesh";
  if (network.inputs() != 3)
    throw InputError(text(option, ": found a network with ", network.inputs(), " inputs, expected 3",
                          network.inputs() == 2 ? "; normalign slice draws two" : ""));
  if (!a.box) throw InputError(text(option, ": found no --box, expected one, as the picture is of a box"));
  const std::string ending = fs::path(a.picture).extension();
  if (!a.picture.empty() && ending != ".svg" && ending != ".png")
    throw InputError(text("--picture: found the ending '", one_line(ending), "', expected .svg or .png"));
  const Index classes = std::max<Index>(network.outputs(), 2);
  if (a.label && (*a.label < 0 || *a.label >= classes))
    throw InputError(text("--class: found ", *a.label, ", expected a class from 0 to ", classes - 1));
}

void draw_regions(const RegionArguments& a, const PiecewiseAffineNetwork& network, const RegionComplex& complex) {
  RegionPicture picture{.network = network,
                        .complex = complex,
                        .box = *a.box,
                        .label = a.label ? *a.label : smallest_class(complex),
                        .title = a.title.empty() ? fs::path(a.model.file).stem().string() : a.title};
  if (!a.scale.empty()) picture.scale = {a.scale[0], a.scale[1]};
  if (!a.view.empty()) {
    picture.azimuth = a.view[0];
    picture.elevation = a.view[1];
  }
  draw(picture, a.picture);
}

int find_regions(const RegionArguments& a) {
  check(a);
  const PiecewiseAffineNetwork network = piecewise_affine(model_of(a.model));
  check_drawing(a, network);
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  const Interrupt interrupt;
  RegionOptions options{.box = a.box.value_or(infinity), .max_regions = a.max_regions, .exact = a.exact};
  Index found = 0;
  options.progress = [&](const RegionProgress& now) {
    found = now.regions;
    status.show(text(now.regions, " regions, about ", std::floor(100 * now.done), " % of the search done"));
  };
  options.stop = [&] { return interrupt.signal() != 0; };
  RegionComplex complex;
  try {
    complex = regions(network, options);
  } catch (const Stopped&) {
    status.clear();
    std::cerr << "normalign: regions: stopped by signal " << interrupt.signal() << " after " << found
              << " regions or more; nothing was written\n";
    return 128 + interrupt.signal();
  }
  status.clear();
  const RegionReport report{.complex = complex, .statistics = statistics(complex), .box = options.box};
  const bool is_json_output = a.json == standard_output;
  if (!a.json.empty()) {
    const std::string json = of_kind(kind::regions, as_json(report, !a.statistics_only)).dump() + "\n";
    if (is_json_output)
      std::cout << json;
    else
      write_text_file(a.json, json);
  }
  if (!a.mesh.empty()) write_text_file(a.mesh, as_ply(network, complex, *a.box, a.walls));
  if (!a.picture.empty()) draw_regions(a, network, complex);
  if (!is_json_output) print(tables(report), a.wide);
  return 0;
}

}  // namespace

Command add_regions(CLI::App& app) {
  const auto arguments = std::make_shared<RegionArguments>();
  RegionArguments& a = *arguments;
  CLI::App* command = app.add_subcommand(
      "regions", "All linear regions of a network in its whole input space or in a box, exactly, for few inputs");
  command->footer(
      "For networks of up to about 6 inputs: the regions grow with the power of the number of units, and in more "
      "inputs\n"
      "each has too many corners. A region takes 8 ceil(N / 64) + 8 d + 64 bytes with N hidden units and d inputs, "
      "and\n"
      "about 12 d + 24 for its facets and what is decided in it; up to three times that during the search. In JSON it\n"
      "takes some 400, or nothing with --statistics-only. normalign slice cuts planes out of networks with any "
      "inputs.");
  add_model_options(*command, a.model, "A network of relu, leaky_relu or abs");
  command->add_option(
      "--box", a.box,
      "Only what is within |x_i| <= this counts (default: the whole input space, where most volumes are "
      "infinite)");
  command->add_option("--max-regions", a.max_regions, "More are an error (default 10000000)");
  command->add_flag("--exact", a.exact,
                    "Decide every sign by whole numbers, a referee for the default: the same regions at many times the "
                    "cost");
  add(*command, "--json", a.json,
      "Write everything as JSON too, region by region; without FILE, or for -, to standard output in place of the "
      "tables",
      "FILE")
      ->expected(0, 1)
      ->default_str(standard_output);
  command->add_flag("--statistics-only", a.statistics_only, "No regions, facets and pieces in the JSON");
  add_wide_option(*command, a.wide);
  const char* group = "Pictures (three inputs, with --box)";
  auto* mesh = add(*command, "--mesh", a.mesh,
                   "Write the decision boundary as polygons, coloured by |J|, for programs such as MeshLab", "FILE.ply")
                   ->group(group);
  command->add_flag("--walls", a.walls, "In the mesh also the facets between regions")->needs(mesh)->group(group);
  auto* picture = add(*command, "--picture", a.picture,
                      "Draw where one class wins, cut open, coloured by |J|: .svg or .png", "FILE")
                      ->group(group);
  command->add_option("--class", a.label, "which one (default: the one with the smallest volume)")
      ->needs(picture)
      ->group(group);
  command->add_option("--scale", a.scale, "Ends of the colour scale, to compare pictures (default: the network's)")
      ->expected(2)
      ->needs(picture)
      ->group(group);
  command
      ->add_option("--view", a.view,
                   "Where the eye is: degrees around the third axis, and above the other two (default 35 25)")
      ->expected(2)
      ->needs(picture)
      ->group(group);
  add(*command, "--title", a.title, "Above the picture (default: the model's name)", "WORDS")
      ->needs(picture)
      ->group(group);
  return [arguments] { return find_regions(*arguments); };
}

}  // namespace normalign::commands
