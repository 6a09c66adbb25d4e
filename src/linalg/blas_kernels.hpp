// Which of its kernels OpenBLAS uses, and better ones where it does not know the CPU.
//
// OpenBLAS holds kernels for many CPUs and chooses by the CPU's name. A CPU that is newer than the library gets those
// of a CPU of 2004, with which a product takes several times as long. What kernels need, though, is instructions, and
// these the CPU itself tells.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "linalg/blas.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// The vector instructions that kernels are written for, the fastest last. avx2 includes fused multiply-adds; avx512
/// stands for the sets F, CD, BW, DQ and VL together.
enum class KernelClass { sse, avx, avx2, avx512 };

/// The instruction sets that this CPU has and the operating system lets programs use; on other CPUs than x86, none.
struct CpuFeatures {
  bool avx = false;
  bool avx2 = false;
  bool fma = false;
  bool avx512 = false;  ///< F, CD, BW, DQ and VL together
};

/// Returns what the CPU under this process has.
CpuFeatures cpu_features();

/// Returns the fastest class of kernels that runs on a CPU with these features.
KernelClass fastest_kernels(const CpuFeatures& features);

/// Returns the name of a class as a CPU's manual writes it, such as "AVX-512".
const char* name_of(KernelClass kernels);

/// Returns the class of the kernels that OpenBLAS names `core`, such as "Haswell", whatever the case of its letters;
/// nullopt for a name that is not known here.
std::optional<KernelClass> class_of_core(std::string_view core);

/// Decides whether a program is to start again with other kernels, and returns the name to set OPENBLAS_CORETYPE to;
/// empty where all stays as it is. `chosen` is the core whose kernels the library took; `setting` is the user's
/// OPENBLAS_CORETYPE, empty if unset. A user's setting always stays, and so does a core that is not known here, or one
/// whose class is not below the fastest. Throws InputError where the setting asks for instructions that the CPU lacks.
std::string core_to_request(const CpuFeatures& features, std::string_view chosen, std::string_view setting);

/// A product c = op(a) op(b) to be checked.
template <class T>
using CheckedProduct = std::function<void(ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op)>;

/// Compares a product with plain loops, in all four transpositions, on matrices of small whole numbers, which floating
/// point adds without rounding. Returns what is wrong about the first one that differs in any bit, or an empty text.
template <class T>
std::string wrong_product(const CheckedProduct<T>& product);

/// Checks the library's products in float and in double as `wrong_product` does.
std::string wrong_blas_product();

/// How the kernels in use came about.
struct BlasKernels {
  std::string used;     ///< the core whose kernels are in use, such as "Haswell"
  std::string chosen;   ///< the core that the library itself chose; empty where a user's setting kept it from choosing
  std::string setting;  ///< the user's OPENBLAS_CORETYPE; empty if unset
};

/// Returns what this process uses.
BlasKernels blas_kernels();

/// Makes this program use the fastest kernels that its CPU runs, and checks them. To be called first in main: where the
/// library took kernels of a slower class (see `core_to_request`), the program is started again in the same process,
/// once, with the same arguments and OPENBLAS_CORETYPE set, and one line on standard error says so. Child processes
/// inherit the choice. Programs of this project do this before main; one that links the library calls it itself.
///
/// Throws InputError as `core_to_request` does, and RunError where a product is wrong.
void use_fastest_blas_kernels();

}  // namespace normalign
