#include "linalg/blas_kernels.hpp"

#include <cstdlib>

#include "linalg/blas.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

constexpr CpuFeatures sse{}, avx{.avx = true}, avx2{.avx = true, .avx2 = true, .fma = true},
    avx512{.avx = true, .avx2 = true, .fma = true, .avx512 = true};

TEST_CASE("kernels: the fastest class follows from the instructions") {
  CHECK(fastest_kernels(sse) == KernelClass::sse);
  CHECK(fastest_kernels(avx) == KernelClass::avx);
  CHECK(fastest_kernels({.avx = true, .avx2 = true}) == KernelClass::avx);  // Haswell's kernels use FMA
  CHECK(fastest_kernels(avx2) == KernelClass::avx2);
  CHECK(fastest_kernels(avx512) == KernelClass::avx512);
}

TEST_CASE("kernels: another core is asked for where the library's is of a class below, and nowhere else") {
  struct Row {
    CpuFeatures features;
    const char *chosen, *setting, *expected;
  };
  const Row rows[] = {
      {avx512, "Prescott", "", "SkylakeX"},  // what OpenBLAS 0.3.21 does on an Emerald Rapids
      {avx512, "prescott", "", "SkylakeX"},
      {avx512, "Haswell", "", "SkylakeX"},
      {avx512, "Zen", "", "SkylakeX"},
      {avx512, "SkylakeX", "", ""},
      {avx512, "Cooperlake", "", ""},
      {avx512, "SapphireRapids", "", ""},
      {avx2, "Prescott", "", "Haswell"},
      {avx2, "Nehalem", "", "Haswell"},
      {avx2, "Sandybridge", "", "Haswell"},
      {avx2, "Haswell", "", ""},
      {avx2, "Zen", "", ""},
      {avx2, "Excavator", "", ""},
      {avx, "Prescott", "", "Sandybridge"},
      {avx, "Sandybridge", "", ""},
      {avx, "Piledriver", "", ""},
      {sse, "Prescott", "", ""},
      {sse, "Core2", "", ""},
      {avx512, "GraniteRapids", "", ""},  // not known here: the library is newer
      {sse, "ARMV8", "", ""},
      {avx512, "Prescott", "Prescott", ""},  // as the user wants
      {avx512, "Haswell", "Haswell", ""},
      {avx512, "Cooperlake", "nonsense", ""},
      {avx2, "Haswell", "Zen", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.chosen, row.setting);
    CHECK(core_to_request(row.features, row.chosen, row.setting) == row.expected);
  }
}

TEST_CASE("kernels: a setting that asks for instructions which the CPU lacks is refused before one of them runs") {
  const std::string message = message_of<InputError>([] { core_to_request(avx2, "SkylakeX", "skylakex"); });
  CHECK(message ==
        "OPENBLAS_CORETYPE: found skylakex, whose kernels need AVX-512, which this machine lacks; expected a core such "
        "as Haswell");
  CHECK_THROWS_AS(core_to_request(sse, "Sandybridge", "Sandybridge"), InputError);
}

TEST_CASE("kernels: the kernels in use are the library's choice or the user's") {
  const BlasKernels kernels = blas_kernels();
  CHECK(blas_description().ends_with("(" + kernels.used + ")"));
  CHECK((kernels.setting.empty() || kernels.chosen.empty()));
  CHECK(class_of_core(kernels.used).value_or(KernelClass::sse) <= fastest_kernels(cpu_features()));
}

// ---- the check of products

template <class T>
void right_product(ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op) {
  gemm<T>(a, b, c, op);
}

TEMPLATE_TEST_CASE("kernels: right products pass, and each kind of wrong one is named", "[linalg]", float, double) {
  using T = TestType;
  CHECK(wrong_product<T>(right_product<T>).empty());
  CHECK(wrong_blas_product().empty());

  // The last value of the largest product, by one unit in the last place.
  const auto last = [](ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op) {
    right_product<T>(a, b, c, op);
    T& value = c.data()[c.size() - 1];
    if (c.size() > 10000) value = std::nextafter(value, T{1e6});
  };
  const std::string found = wrong_product<T>(last);
  CHECK(contains(found, std::is_same_v<T, float> ? "in float of 101x103 and 103x102" : "in double of 101x103"));
  CHECK(contains(found, "at (100, 101)"));

  for (const Transposes wrong : {Transposes{}, {.a = true}, {.b = true}, {.a = true, .b = true}}) {
    const auto one_kind = [&](ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op) {
      right_product<T>(a, b, c, op);
      if (op == wrong) c(0, 0) += 1;
    };
    const std::string of_kind = wrong_product<T>(one_kind);
    CAPTURE(of_kind);
    CHECK(contains(of_kind, "first transposed") == wrong.a);
    CHECK(contains(of_kind, "second transposed") == wrong.b);
    CHECK(contains(of_kind, "at (0, 0), expected"));
  }
  // What leaves the inner extent's remainder out.
  const auto cut = [](ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op) {
    right_product<T>(a, b, c, op);
    const Index k = op.a ? a.rows() : a.cols();
    for (Index i = 0; i < c.rows(); ++i)
      for (Index j = 0; j < c.cols(); ++j)
        c(i, j) -= (op.a ? a(k - 1, i) : a(i, k - 1)) * (op.b ? b(j, k - 1) : b(k - 1, j));
  };
  CHECK_FALSE(wrong_product<T>(cut).empty());
}

}  // namespace
}  // namespace normalign::tests
