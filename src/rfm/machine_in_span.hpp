// Kernel machines on tables with more columns than rows, in the coordinates of their rows' span.
#pragma once

#include <optional>
#include <vector>

#include "linalg/span_coordinates.hpp"
#include "rfm/kernel_machine.hpp"

namespace normalign {

// Kernel, ridge regression, covariance and AGOP at the rows depend on lengths, distances and angles, which coordinates
// of the rows' span keep. So a machine whose centres are among the rows and whose metric is a multiple of the identity
// outside of the span, as all metrics of `Rfm` are, is one of r + 1 inputs: fit it to `SpanCoordinates::rows()` with
// `RfmOptions::inputs` d. What needs the axes of the inputs, as attacks in linf do, goes through these.

/// Adds to the file of such a machine (`tensor_file`) its `directions`, r x d.
template <class T>
void add_directions(TensorFile& file, const SpanCoordinates<T>& span);

/// The coordinates, without rows, of the machine of `inputs` inputs in a file; none where its inputs are the columns
/// themselves. Throws InputError where the directions are not one fewer than the inputs.
template <class T>
std::optional<SpanCoordinates<T>> span_in(const TensorFile& file, Index inputs);

/// The outputs at the rows of x (m x d) of a machine of c outputs in these coordinates: m x c. Throws InputError on a
/// misfit or fewer than one thread.
template <class T>
Matrix<T> outputs_at(const SpanCoordinates<T>& span, const KernelMachine<T>& machine, ConstView<T> x, int threads = 1);

/// The diagonal in the inputs of a symmetric matrix in the coordinates of a machine, as `agop` gives it: d numbers. No
/// gradient at the rows leaves their span. Without `span` the coordinates are the inputs.
std::vector<double> diagonal_in_inputs(ConstView<double> products, const std::optional<SpanCoordinates<double>>& span);

/// What KernelMachine::pull_back does, for a machine of these coordinates and gradients in the inputs: writes sum_c s_c
/// grad f_c at each row of x (m x d) to `gradients` (m x d), s being what `cotangents` makes of the row's outputs.
/// Costs 6 m d r flops besides. Throws InputError on a misfit or fewer than one thread.
template <class T>
void pull_back(const SpanCoordinates<T>& span, const KernelMachine<T>& machine, ConstView<T> x,
               const typename KernelMachine<T>::Cotangents& cotangents, MatrixView<T> gradients, int threads = 1);

}  // namespace normalign
