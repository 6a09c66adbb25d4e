#include "experiments/tabular/config.hpp"

#include "base/number_text.hpp"
#include "experiments/runs/settings.hpp"
#include "rfm/kernel.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using C = TabularConfig;

constexpr SettingReader<C> exponent = {"the kernel generalised_laplace",
                                       [](const C& c) { return c.kernel == "generalised_laplace"; }};
constexpr SettingReader<C> one_bandwidth = {"bandwidths that are empty",
                                            [](const C& c) { return c.bandwidths.empty(); }};
constexpr SettingReader<C> updates_above_0 = {"updates above 0", [](const C& c) { return c.updates > 0; }};
constexpr SettingReader<C> attacks = {"attack_radii that are not empty",
                                      [](const C& c) { return !c.attack_radii.empty(); }};
constexpr SettingReader<C> pgd_alone = {"the attack pgd at attack_radii that are not empty",
                                        [](const C& c) { return !c.attack_radii.empty() && c.attack == "pgd"; }};
constexpr SettingReader<C> apgd_alone = {"the attack apgd at attack_radii that are not empty",
                                         [](const C& c) { return !c.attack_radii.empty() && c.attack == "apgd"; }};

bool is_read(const Setting<C>& row, const C& config) { return !row.reader.is_there || row.reader.is_there(config); }

}  // namespace

const std::vector<Setting<TabularConfig>>& table_of(const TabularConfig&) {
  static const std::vector<Setting<TabularConfig>> table = {
      {"dataset", &C::dataset},
      {"alpha", &C::alpha, {.least = 0, .most = 1}},
      {"seed", &C::seed, {.least = 0}},
      {"protocol", &C::protocol, {.names = {"published", "nested"}}},
      {"kernel", &C::kernel},
      {"bandwidth", &C::bandwidth, {}, one_bandwidth},
      {"bandwidths", &C::bandwidths, {.least = 0}},
      {"exponent", &C::exponent, {}, exponent},
      {"regularisations", &C::regularisations, {.least = 0}},
      {"updates", &C::updates, {.least = 0}},
      {"agop_samples", &C::agop_samples, {.least = 1}, updates_above_0},
      {"geometry_samples", &C::geometry_samples, {.least = 1}},
      {"precision", &C::precision, {.names = {"float32", "float64"}}},
      {"attack_radii", &C::attack_radii, {.least = 0}},
      {"attack", &C::attack, {.names = {"pgd", "apgd"}}, attacks},
      {"attack_steps", &C::attack_steps, {.least = 0, .most = 1e6}, attacks},
      {"attack_step", &C::attack_step, {.least = 0}, pgd_alone},
      {"attack_restarts", &C::attack_restarts, {.least = 1, .most = 1e6}, apgd_alone},
      {"attack_clamp", &C::attack_clamp, {}, attacks}};
  return table;
}

std::string run_name(const TabularConfig& config) {
  const std::string method = config.alpha == 1   ? "rfm"
                             : config.alpha == 0 ? "rfam"
                                                 : "alpha" + number_text(config.alpha);
  return text(config.dataset, '_', method, '_', config.protocol, "_seed", config.seed);
}

std::string method_name(double alpha) {
  return alpha == 1 ? "RFM" : alpha == 0 ? "RFAM" : "alpha " + number_text(alpha);
}

std::string attack_words(const TabularConfig& config) {
  if (config.attack_radii.empty()) return "";
  const std::string how =
      config.attack == "pgd"
          ? text(" of ", number_text(config.attack_step), " radii")
          : text(", ", config.attack_restarts, config.attack_restarts == 1 ? " start" : " starts", " for each loss");
  const std::vector<double>& clamp = config.attack_clamp;
  const std::string range =
      clamp.empty() ? "" : text(", features from ", number_text(clamp[0]), " to ", number_text(clamp[1]));
  return text(config.attack, ", ", config.attack_steps, " steps", how, range);
}

void check(const TabularConfig& config) {
  settings::check(config);
  std::vector<double> bandwidths = config.bandwidths;
  bandwidths.push_back(config.bandwidth);
  for (const double bandwidth : bandwidths)
    check(Kernel{.shape = kernel_shape(config.kernel), .bandwidth = bandwidth, .exponent = config.exponent});
  if (config.regularisations.empty()) throw InputError("regularisations: found none, expected at least one");
  const std::vector<double>& clamp = config.attack_clamp;
  if (!clamp.empty() && !(clamp.size() == 2 && clamp[0] <= clamp[1]))
    throw InputError(text("attack_clamp: found ", Json(clamp).dump(), ", expected two numbers in order, or none"));
}

Json to_json(const TabularConfig& config) {
  Json json = settings::as_json(config, [&](const Setting<C>& row) { return is_read(row, config); });
  if (config.bandwidths.empty()) json.erase("bandwidths");
  return json;
}

void require_read(const std::string& place, const std::string& setting, const TabularConfig& config) {
  const Setting<C>* row = settings::row_of(config, setting);
  if (row && !is_read(*row, config)) settings::refuse_unread(place, "nothing in these runs", setting, row->reader.name);
}

}  // namespace normalign
