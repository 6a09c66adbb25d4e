// Vector versions of elementary functions in `omp simd` loops.
//
// glibc's libmvec holds them (at most 4 ulp off), and its headers offer them to the compiler under -ffast-math only,
// which this project does without. Declaring them here makes g++ call them from `omp simd` loops; other compilers and
// libraries use the scalar functions. Which elements of a loop are computed by which version depends on the length
// alone, so results are reproducible.
#pragma once

#include <cmath>

#if defined(__GLIBC__) && defined(__x86_64__) && defined(_OPENMP) && !defined(__clang__)
extern "C" {
#pragma omp declare simd notinbranch
double exp(double) noexcept;
#pragma omp declare simd notinbranch
float expf(float) noexcept;
#pragma omp declare simd notinbranch
double log(double) noexcept;
#pragma omp declare simd notinbranch
float logf(float) noexcept;
#pragma omp declare simd notinbranch
double sin(double) noexcept;
#pragma omp declare simd notinbranch
double cos(double) noexcept;
#if __GLIBC_PREREQ(2, 35)
#pragma omp declare simd notinbranch
double tanh(double) noexcept;
#pragma omp declare simd notinbranch
float tanhf(float) noexcept;
#pragma omp declare simd notinbranch
double log1p(double) noexcept;
#pragma omp declare simd notinbranch
float log1pf(float) noexcept;
#pragma omp declare simd notinbranch
double erfc(double) noexcept;
#pragma omp declare simd notinbranch
float erfcf(float) noexcept;
#endif
}
#endif
