// The geometry: alignment of images, regions of random networks, certificates of digits and of points of a plane.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "experiments/figures/table.hpp"
#include "experiments/training/parts.hpp"
#include "experiments/training/task.hpp"
#include "geometry/certificates/certificate.hpp"
#include "geometry/local_geometry.hpp"
#include "geometry/planar/decision_boundary.hpp"
#include "groups.hpp"
#include "linalg/random.hpp"
#include "measure.hpp"
#include "nn/train_step.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::bench {

// The alignment of 1024 images with an MNIST network. Its floor: the products of one forward pass and of k backward
// ones to the input, each alone on all rows.
void alignment(Report& report, const BenchOptions&) {
  const Dataset<double> data = random_digits(1024);
  const Batch<double> batch{.inputs = data.inputs, .labels = data.labels};
  const std::vector<Index> widths{784, 200, 200, 200, 10};
  const Mlp<double> mlp({.widths = widths, .init_scale = 8});
  std::vector<Candidate> candidates;
  for (int threads : {1, 2}) candidates.push_back([&, threads] { mean_local_geometry(mlp, batch, threads); });
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    candidates.push_back(product_candidate<double>({1024, widths[l + 1], widths[l], false, true}));
    candidates.push_back(product_candidate<double>({1024, widths[l], widths[l + 1], false, false}));
  }
  const auto times = medians(candidates, 9, 1);
  double floor = 0;
  for (std::size_t p = 2; p < times.size(); p += 2) floor += times[p] + 10 * times[p + 1];
  for (int threads : {1, 2})
    report.add(
        {.name = text("alignment of 1024 images, ", threads, threads == 1 ? " thread" : " threads"),
         .value = times[static_cast<std::size_t>(threads) - 1],
         .unit = "s",
         .bound = threads == 1 ? 1 : 0.5,
         .at_most = true,
         .explanation = text("784-200-200-200-10, double; its products alone on one thread ", milliseconds(floor))});
}

// The regions of random networks in [-1, 1]^2 with their neighbours, maps and decision boundary. The 28354 regions of a
// network of four layers of 128 took SplineCam 452 s on two cores and edge subdivision (Berzins, 2023) 7.1 s on one.
void slices(Report& report, const BenchOptions&) {
  struct Form {
    Index units;
    Index layers;
    double bound;  // regions per second and core; 28354 in 0.35 s
  };
  for (const auto& [units, layers, bound] :
       {Form{16, 3, 8.1e4}, Form{32, 3, 8.1e4}, Form{64, 4, 8.1e4}, Form{128, 4, 8.1e4}, Form{256, 4, 0}}) {
    std::vector<Index> widths{2};
    widths.insert(widths.end(), static_cast<std::size_t>(layers), units);
    widths.push_back(1);
    const PiecewiseAffineNetwork network = piecewise_affine(Mlp<double>({.widths = widths}));
    Index regions = 0;
    std::vector<Candidate> candidates;
    for (const int threads : {1, 2})
      candidates.push_back([&, threads] {
        const Slice found = slice(network, input_plane(), {.threads = threads});
        class_boundary(found);
        regions = found.regions();
      });
    const auto times = medians(candidates, units < 200 ? 9 : 3, 1);
    report.add({.name = text("regions of 2-", units, "x", layers, "-1 per second"),
                .value = static_cast<double>(regions) / times[0],
                .unit = "",
                .bound = bound,
                .at_most = false,
                .explanation = text(regions, " regions in ", milliseconds(times[0]), " on one thread, ",
                                    milliseconds(times[1]), " on two")});
  }
}

namespace {

void add_certificates(Report& report, const std::string& name, const PiecewiseAffineNetwork& network,
                      ConstView<double> points, const CertificateOptions& options, double least_share,
                      double most_seconds, const std::string& explanation) {
  const std::clock_t cpu_start = std::clock();
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Certificate> found = normalign::certificates(network, points, options, 2);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double core_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  const auto close = std::ranges::count_if(found, [](const Certificate& c) { return c.upper <= 2 * c.lower; });
  const std::string limit = options.seconds < infinity ? text(", at most ", options.seconds, " s each") : "";
  report.add({.name = text("exact certificates, ", name),
              .value = static_cast<double>(std::ranges::count_if(found, &Certificate::exact)),
              .unit = text("of ", points.rows()),
              .bound = least_share * static_cast<double>(points.rows()),
              .at_most = false,
              .explanation = text(name_of(options.norm), ", ", explanation, "; the bounds of ", close,
                                  " differ by at most a factor 2")});
  report.add({.name = text("time of these certificates, ", name),
              .value = seconds,
              .unit = "s",
              .bound = most_seconds,
              .at_most = true,
              .explanation = text("on two threads, ", four_digits(core_seconds), " core seconds", limit)});
}

// The exact distance of the decision boundary for the first test digits: a network of the usual start, in both norms,
// one of the grokking study's large start, which has its boundary nearer and more regions on the way, and one that is
// too large to be exact in linf.
void certificates_of_digits(Report& report, const BenchOptions& options) {
  if (!std::filesystem::is_directory(options.data)) {
    std::cerr << "certificates of digits: left out, there is no MNIST in " << options.data
              << " (make data, or --data DIR)\n";
    return;
  }
  struct Case {
    const char* name;
    Norm norm;
    std::vector<Index> hidden;
    double init_scale;
    Index epochs, digits;
    double seconds, least_share, most_seconds;
  };
  for (const auto& [name, norm, hidden, init_scale, epochs, digits, seconds, least_share, most_seconds] :
       {Case{"usual start", Norm::l2, {32, 32}, 1, 30, 100, infinity, 0.95, 60},
        Case{"large start", Norm::l2, {32, 32}, 8, 100, 100, infinity, 0.95, 60},
        Case{"usual start, linf", Norm::linf, {32, 32}, 1, 30, 30, 60, 0.9, 300},
        Case{"256-256, linf", Norm::linf, {256, 256}, 1, 30, 10, 10, 0, 120}}) {
    RunConfig config = defaults_for(task("mnist_ce"), "baseline");
    config.hidden = hidden;
    config.data = options.data;
    config.init_scale = init_scale;
    config.epochs = epochs;
    const tests::TemporaryFolder folder;
    const std::filesystem::path model = folder / "model.safetensors";
    const RunLog log = task("mnist_ce").run(config, 2, {.model_file = model});
    const Split<double> data = in_double(task("mnist_ce").data(config));
    add_certificates(report, name, piecewise_affine(model_in<double>(model)),
                     data.test.inputs.view().row_block(0, digits), {.norm = norm, .seconds = seconds}, least_share,
                     most_seconds,
                     text("784-", hidden[0], '-', hidden[1], "-10 after ", log.metrics.back().epoch, " epochs, test ",
                          four_digits(log.metrics.back().test_acc), " %"));
  }
}

}  // namespace

// Also of points of the plane, where a random network has thousands of regions within the distance.
void certificates(Report& report, const BenchOptions& options) {
  const PiecewiseAffineNetwork planar =
      piecewise_affine(Mlp<double>({.widths = {2, 64, 64, 64, 3}, .init_scale = 4, .seed = 1}));
  Matrix<double> points(50, 2);
  RandomRows(1, Stream::data, 0).uniform(0, points.span(), -1, 1);
  for (const Norm norm : {Norm::l2, Norm::linf})
    add_certificates(report, text("plane, ", name_of(norm)), planar, points, {.norm = norm}, 1, 60, "2-64-64-64-3");
  certificates_of_digits(report, options);
}

}  // namespace normalign::bench
