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
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/status_line.hpp"
#include "experiments/studies/inspection.hpp"
#include "experiments/studies/sample_details.hpp"
#include "experiments/studies/samples.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::commands {
namespace {

struct InspectArguments {
  ModelArguments model;
  std::string json, npz, norm = "l2", attack = "apgd";
  std::vector<double> clamp;
  SampleOptions samples{.most = 1024};
  InspectionOptions options;
  std::optional<int> threads;
  bool details = false, wide = false;
};

// What the options say of attacks, in `a.options`.
void take_attacks(const CLI::App& command, InspectArguments& a) {
  std::vector<double>& radii = a.options.attack_radii;
  ClassAttackOptions& attack = a.options.attack;
  for (const double radius : radii)
    if (!(std::isfinite(radius) && radius >= 0))
      throw InputError(text("--attack: found ", radius, ", expected a number from 0 on"));
  std::ranges::sort(radii);
  radii.erase(std::unique(radii.begin(), radii.end()), radii.end());
  for (const char* option : {"--attack-kind", "--attack-steps", "--restarts", "--clamp"})
    if (radii.empty() && command.count(option) > 0)
      throw InputError(text(option, ": found without --attack, which it is about"));
  attack.kind = attack_kind("--attack-kind", a.attack);
  attack.norm = a.options.certificate.norm;
  check_whole("--attack-steps", attack.steps, 0, 1'000'000);
  check_whole("--restarts", attack.restarts, 1, 1'000'000);
  if (a.clamp.empty()) return;
  if (!(a.clamp[0] <= a.clamp[1]))
    throw InputError(text("--clamp: found ", a.clamp[0], " and ", a.clamp[1], ", expected two numbers in order"));
  attack.clamp = InputRange{.low = a.clamp[0], .high = a.clamp[1]};
}

void write_files(const InspectArguments& a, const Mlp<double>& mlp, ConstView<double> x, const Inspection& found) {
  if (a.details || !a.npz.empty()) {
    const SampleDetails details = sample_details(mlp, x, a.options.threads);
    if (!a.npz.empty()) write_npz(a.npz, found, details, x);
    if (a.details) {
      nlohmann::ordered_json json = as_json(found);
      add_details(json, found, details, x);
      // A sample has many numbers, which are on one line.
      write_text_file(a.json, log_json::log_text(of_kind(kind::inspection, std::move(json)), "samples"));
      return;
    }
  }
  if (!a.json.empty()) write_json_file(a.json, kind::inspection, as_json(found));
}

int inspect(const CLI::App& command, InspectArguments a) {
  if (a.details && a.json.empty())
    throw InputError("--details: found without --json, which it is about; --npz has all of them");
  a.options.certificate.norm = norm_of("--norm", a.norm);
  take_attacks(command, a);
  const CertificateOptions& certificate = a.options.certificate;
  const LocalComplexityOptions& complexity = a.options.complexity;
  const auto refuse = [](const char* option, const auto& found, const char* expected) {
    throw InputError(text(option, ": found ", found, ", expected ", expected));
  };
  if (a.options.certificates < 0) refuse("--certificates", a.options.certificates, "a whole number from 0 on");
  if (certificate.parts < 0) refuse("--parts", certificate.parts, "a whole number from 0 on");
  if (!(certificate.seconds >= 0)) refuse("--seconds", certificate.seconds, "a number from 0 on");
  if (!(complexity.radius > 0)) refuse("--radius", complexity.radius, "a number above 0");
  if (complexity.directions < 1) refuse("--directions", complexity.directions, "a whole number from 1 on");
  a.options.threads = thread_count(a.threads);
  StatusLine status(std::cerr, isatty(STDERR_FILENO));
  a.options.certificate.progress = [&](Index done) {
    status.show(text("certificates: ", done, " of at most ", a.options.certificates, " done"));
  };
  SampleOptions chosen = a.samples;
  chosen.model = a.model.file;
  const Mlp<double> mlp = model_of(a.model);
  const Dataset<double> data = samples(chosen, std::cerr);
  if (data.is_regression() && a.options.certificates > 0 && command.count("--certificates") > 0)
    refuse("--certificates", a.options.certificates, "0, as numbers are predicted and certificates are about classes");
  const Inspection found = inspection(mlp, data, a.options);
  status.clear();
  write_files(a, mlp, data.inputs, found);
  print(tables(found), a.wide);
  return 0;
}

}  // namespace

Command add_inspect(CLI::App& app) {
  const auto arguments = std::make_shared<InspectArguments>();
  InspectArguments& a = *arguments;
  CLI::App* command =
      app.add_subcommand("inspect", "Alignment, regions and robustness certificates of a network at samples");
  add_model_options(*command, a.model,
                    "A network that train --save-model writes, or a stack of linear layers that PyTorch saved as "
                    "safetensors");
  command->add_option("--samples", a.samples.most, "The first so many samples; 0: all (default 1024)");
  command->add_option("--certificates", a.options.certificates,
                      "Certify the distance of the decision boundary for the first so many (default 10)");
  add(*command, "--norm", a.norm, "Norm of that distance, and of attacks: l2 or linf (default l2)", "NAME");
  command->add_option("--parts", a.options.certificate.parts,
                      "Steps of the search for one certificate at most; then it is two bounds (default 100000)");
  command->add_option("--seconds", a.options.certificate.seconds,
                      "Seconds for one certificate at most (default: no limit)");
  command->add_option("--attack", a.options.attack_radii, "Attack all samples within this distance; again for more")
      ->type_name("RADIUS")
      ->allow_extra_args(false);
  add(*command, "--attack-kind", a.attack,
      "apgd (default): APGD on cross entropy, then on other classes as targets; apgd_ce or apgd_targeted: one of them; "
      "pgd: steps of a tenth of the radius",
      "NAME");
  command->add_option("--attack-steps", a.options.attack.steps, "Steps of an attack from each start (default 100)");
  command->add_option("--restarts", a.options.attack.restarts, "Random starts of an attack on each loss (default 1)");
  command
      ->add_option("--clamp", a.clamp,
                   "The least and the largest value that attacked inputs may have, in the units that the network sees")
      ->type_name("LOW HIGH")
      ->expected(2);
  command->add_option("--radius", a.options.complexity.radius,
                      "Radius of local complexity, in units of the inputs (default 0.005)");
  command->add_option("--directions", a.options.complexity.directions,
                      "Random directions of local complexity (default 8)");
  command->add_option("--threads", a.threads, "Threads; results do not depend on it (default: all cores it may use)");
  add(*command, "--json", a.json, "Write everything as JSON too, sample by sample", "FILE");
  command->add_flag(
      "--details", a.details,
      "Of each sample in the JSON also input, outputs, class, Jacobian, offset, centroid, activation code "
      "and the nearest adversarial point");
  add(*command, "--npz", a.npz, "Write all of this as a NumPy archive too", "FILE");
  add_wide_option(*command, a.wide);
  add_sample_options(*command, a.samples);
  return [command, arguments] { return inspect(*command, *arguments); };
}

}  // namespace normalign::commands
