// What the program does on a machine before it does anything else, and what it tells about it. Another CPU and a broken
// library are played by a library that is loaded before OpenBLAS.
#include "experiments/runs/machine.hpp"

#include <regex>

#include "base/cores.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/malloc_counter.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// A library that knows no CPU of this century.
const std::string unknown_cpu = R"(
extern "C" char* getenv(const char*);
extern "C" const char* openblas_get_corename() {
  const char* const setting = getenv("OPENBLAS_CORETYPE");
  return setting && *setting ? setting : "Prescott";
}
)";
// Products that are not computed.
const std::string broken_products = R"(extern "C" void cblas_sgemm() {})";

bool without_preloading(const std::string& what) {
  if (without_program(what)) return true;
  // The sanitizers' own library must be the first.
  if (!can_count_mallocs()) skip(what + ": the program has sanitizers");
  return !can_count_mallocs();
}

// The program with another library before its own, and without a user's choice of kernels.
struct Preloaded {
  explicit Preloaded(const std::string& source) {
    write_file(folder / "library.cpp", source);
    const std::string command =
        "$(scripts/deps --compiler) -shared -fPIC -o " + library() + " " + (folder / "library.cpp").string();
    REQUIRE(run({"/bin/bash", "-c", command}).status == 0);
  }
  std::string library() const { return (folder / "library.so").string(); }
  Finished operator()(const Arguments& arguments, const Arguments& environment = {}) const {
    Arguments all{"/usr/bin/env", "-u", "OPENBLAS_CORETYPE", "-u", "NORMALIGN_BLAS_RESTART", "LD_PRELOAD=" + library()};
    all.insert(all.end(), environment.begin(), environment.end());
    const Arguments program = command(arguments);
    all.insert(all.end(), program.begin(), program.end());
    return run(all);
  }
  TemporaryFolder folder;
};

const std::string best_core = core_to_request(cpu_features(), "Prescott", "");

bool without_better_kernels() {
  if (!best_core.empty()) return false;
  skip("restart: this CPU runs no better kernels than Prescott's");
  return true;
}

TEST_CASE("machine: where the library does not know the CPU the program starts again, once, as it was called") {
  if (without_preloading("restart") || without_better_kernels()) return;
  const Preloaded program(unknown_cpu);
  const TemporaryFolder folder;
  const std::string line = "normalign: OpenBLAS chose its slow Prescott kernels for this CPU; started again with " +
                           best_core + " kernels (OPENBLAS_CORETYPE decides otherwise)\n";

  const fs::path json = folder / "a name.json";
  const Finished machine = program({"machine", "--json", json.string()});
  CHECK(machine.status == 0);
  CHECK(machine.err == line);
  const nlohmann::json found = read_json(json);
  CHECK(found["kernels"] == nlohmann::json{{"used", best_core}, {"library_choice", "Prescott"}, {"setting", nullptr}});
  CHECK(contains(machine.out, "the library chose Prescott, of a slower class"));

  // An argument that is empty, and a status.
  const Finished mistake = program({"train", "", "--quiet"});
  CHECK(mistake.status == 2);
  CHECK(lines(mistake.err).size() == 2);
  CHECK(mistake.err.starts_with(line));
  CHECK(contains(mistake.err, "task: found ''"));

  // A user's setting stays.
  const Finished setting = program({"--version"}, {"OPENBLAS_CORETYPE=Prescott"});
  CHECK(setting.status == 0);
  CHECK(setting.err.empty());
}

TEST_CASE("machine: a sweep's runs inherit the kernels and do not start again") {
  if (without_preloading("restart of a sweep") || without_better_kernels()) return;
  const Preloaded program(unknown_cpu);
  const TemporaryFolder folder;
  write_file(folder / "sweep.json",
             R"({"settings": {"rings": {"epochs": 1}}, "conditions": {"baseline": {}}, "seeds": [0, 1]})");
  const std::string out = (folder / "runs").string();
  const Finished sweep = program({"sweep", (folder / "sweep.json").string(), "--out", out});
  CAPTURE(sweep.err);
  CHECK(sweep.status == 0);
  REQUIRE(contains(sweep.err, "started again"));
  CHECK(sweep.err.find("started again") == sweep.err.rfind("started again"));
  for (const char* run : {"rings_baseline_seed0.json", "rings_baseline_seed1.json"})
    CHECK(contains(read_json(fs::path(out) / run)["environment"]["blas"], "(" + best_core + ")"));
}

TEST_CASE("machine: a library whose products are wrong is refused in one line, with status 1") {
  if (without_preloading("wrong products")) return;
  const Finished finished = Preloaded(broken_products)({"--version"}, {"OPENBLAS_CORETYPE=Prescott"});
  CHECK(finished.status == 1);
  CHECK(finished.out.empty());
  CHECK(lines(finished.err).size() == 1);
  CHECK(contains(finished.err, "a product in float of 3x2 and 2x5 is wrong: found 0 at (0, 0), expected"));
}

TEST_CASE("machine: too little address space for the library is one line that says how much it takes") {
  if (without_preloading("address space")) return;
  const auto limited = [](const std::string& kibibytes) {
    return run({"/bin/bash", "-c", "ulimit -v " + kibibytes + " && exec \"$0\" --version", command({}).front()});
  };
  const Finished refused = limited("200000");
  CHECK(refused.status == 1);
  CHECK(lines(refused.err).size() == 1);
  std::smatch match;
  REQUIRE(std::regex_search(refused.err, match,
                            std::regex("ulimit -v: found 200000 KiB of address space, expected at least ([0-9]+): ")));
  CHECK(limited(match[1]).status == 0);
}

TEST_CASE("machine: too little address space for a second thread is one line, too") {
  if (without_preloading("address space of threads")) return;
  const TemporaryFolder folder;
  const auto limited = [&](int kibibytes) {
    return run({"/bin/bash", "-c",
                "export OMP_NUM_THREADS=1; ulimit -v " + std::to_string(kibibytes) +
                    " && exec \"$0\" train sparse_parity --epochs 1 --quiet --overwrite --threads 2 --out " +
                    folder.path().string(),
                command({}).front()});
  };
  const Finished refused = limited(420'000);
  CAPTURE(refused.err);
  CHECK(refused.status == 1);
  CHECK(lines(refused.err).size() == 1);
  CHECK(contains(refused.err, "KiB of address space left by ulimit -v, expected 131072 for each thread"));
}

TEST_CASE("machine: threads that wait spin for a short time, unless the user has said how long") {
  // Of the library that runs threads, as it tells when it is loaded.
  const auto spin_count = [](const std::string& setting) {
    const Finished finished = run({"/bin/bash", "-c",
                                   "unset GOMP_SPINCOUNT OMP_WAIT_POLICY; export OMP_DISPLAY_ENV=verbose " + setting +
                                       "; exec -a name \"$0\" --version",
                                   command({}).front()});
    CHECK(finished.status == 0);
    CHECK(contains(finished.out, "normalign"));
    std::smatch match;
    return std::regex_search(finished.err, match, std::regex("GOMP_SPINCOUNT = '([0-9]+)'")) ? match[1].str() : "";
  };
  if (spin_count("GOMP_SPINCOUNT=7") != "7") return skip("spin count: the library of threads does not tell it");
  CHECK(spin_count("") == "20000");
  CHECK(spin_count("OMP_WAIT_POLICY=passive") == "0");
  CHECK(spin_count("OMP_WAIT_POLICY=active").size() > 8);
}

TEST_CASE("machine: what it tells is what the library finds") {
  const Machine found = machine();
  CHECK(found.usable_cores == usable_cores());
  CHECK(found.usable_cores <= found.cores_by_affinity);
  CHECK(found.wrong_product.empty());
  for (const ComputeRate& rate : {found.float64, found.float32}) {
    CHECK(rate.reached > 1e6);
    CHECK((rate.peak == 0 || rate.peak > 1e6));
  }
}

TEST_CASE("machine: the text names every limit, and kernels that could be faster") {
  Machine m{.cpu = "A CPU",
            .features = {.avx = true, .avx2 = true, .fma = true, .avx512 = true},
            .processors = 8,
            .cores_by_affinity = 4,
            .cores_by_quota = 2.5,
            .usable_cores = 2,
            .memory = 3.0 * (1 << 30),
            .address_space = infinity,
            .blas = "OpenBLAS 1.0 (Haswell)",
            .kernels = {.used = "Haswell", .chosen = "", .setting = "Haswell"},
            .float64 = {.reached = 40e9, .peak = 80e9},
            .float32 = {.reached = 1e9}};
  CHECK(
      as_text(m) ==
      "CPU       A CPU, vectors of AVX-512\n"
      "cores     2 usable: 4 of 8 by affinity, time of 2.50 by control groups\n"
      "memory    3.00 GiB available; address space: no limit\n"
      "BLAS      OpenBLAS 1.0 (Haswell): as OPENBLAS_CORETYPE=Haswell asks; kernels for AVX-512 would run here and be "
      "faster\n"
      "products  right: small ones equal plain loops\n"
      "double    40.0 GFLOP/s, 50 % of the 80.0 that multiply-adds in registers reach\n"
      "float     1.0 GFLOP/s\n");
  CHECK(as_json(m)["cores_by_quota"] == 2.5);
  m.cores_by_quota = infinity;
  m.kernels = {.used = "SkylakeX", .chosen = "SkylakeX", .setting = ""};
  m.wrong_product = "all of them";
  CHECK(contains(as_text(m), "no limit by control groups"));
  CHECK(contains(as_text(m), "the library's own choice\n"));
  CHECK(contains(as_text(m), "WRONG: all of them"));
  CHECK(as_json(m)["cores_by_quota"].is_null());
}

}  // namespace
}  // namespace normalign::tests
