// How a classifier is aligned with its data: measures of the affine map z -> J z + b that it is near a sample x.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/stop.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

template <class T>
struct Batch;
template <class T>
class Mlp;

/// Measures at one sample, or their means over samples. What is undefined (a cosine of vectors whose lengths multiply
/// to no more than 1e-8, anything but the norms of J = 0) is absent, and a mean is over the samples where the measure
/// is defined.
struct LocalGeometry {
  /// cos(Jᵀ1, x): the paper's centroid alignment. Adding one function to all outputs changes it.
  std::optional<double> centroid_alignment = {};
  /// cos(J_y - mean_j J_j, x) with y the label: the same without that freedom. Absent where there is no label.
  std::optional<double> class_alignment = {};
  /// |cos(v, x)|, v the first right singular vector of J; arbitrary where the two largest singular values are equal.
  std::optional<double> normal_alignment = {};
  /// The same of the centred Jacobian, whose rows have the mean row subtracted.
  std::optional<double> centred_normal_alignment = {};
  /// (sum s)^2 / sum s^2 of the singular values s of J: 1 for rank one.
  std::optional<double> effective_rank = {};
  /// s_1^2 / sum s^2.
  std::optional<double> explained_variance = {};
  std::optional<double> jacobian_norm = {};  ///< |J|_F
  std::optional<double> offset_norm = {};    ///< |b|^2
  std::optional<double> centroid_norm = {};  ///< |Jᵀ1|
};

/// The measures by name, in the order of the struct.
std::vector<std::pair<const char*, std::optional<double>>> measures(const LocalGeometry& geometry);

/// The measures of one map: jacobian k x d, output f(x) 1 x k, x 1 x d, label in 0, ..., max(k, 2) - 1, or none where
/// the outputs are no classes. One output stands for two classes with the logits -f/2 and f/2. Throws InputError on
/// shapes or a label that do not fit, or a jacobian that is not finite.
LocalGeometry local_geometry(ConstView<double> jacobian, ConstView<double> output, ConstView<double> x,
                             std::optional<std::int32_t> label);

/// The measures that follow from the singular values and vectors of the map alone.
struct SingularGeometry {
  std::optional<double> normal_alignment = {};
  std::optional<double> effective_rank = {};
  std::optional<double> explained_variance = {};
};

/// Returns the measures of one map, given its Jacobian, k x d, and x, 1 x d. It decomposes the inner products of the
/// rows or of the columns, whichever are fewer, for a fraction of what `local_geometry` costs; singular values are off
/// by up to about 1e-8 of the largest. Throws InputError on shapes that do not fit, or a jacobian that is not finite.
SingularGeometry singular_geometry(ConstView<double> jacobian, ConstView<double> x);

/// Calls `visit(i, J, f(x))` for each row x of `inputs`, n x d, of a network with any activation: the Jacobian, k x d,
/// by k backward passes, and the output, 1 x k, which are lent for the call. Rows come in any order on up to `threads`
/// threads, with the same bits at any number. `stop` is asked about five times a second, by one thread at a time, from
/// any; true ends the computation by Stopped. Throws InputError on inputs that do not fit, none, or fewer than one
/// thread.
template <class T>
void visit_jacobians(const Mlp<T>& mlp, ConstView<T> inputs,
                     const std::function<void(Index row, ConstView<double> jacobian, ConstView<double> output)>& visit,
                     int threads = 1, const std::function<bool()>& stop = {});

/// The measures at each row of a batch (inputs and labels, which may be missing; the rest is not looked at) of a
/// network with any activation. J takes k backward passes and is measured in double. On up to `threads` threads, with
/// the same bits at any number. `stop` is asked as by `visit_jacobians`. Throws InputError on shapes or labels that do
/// not fit, an empty batch, a Jacobian that is not finite, or fewer than one thread; Stopped when stopped.
template <class T>
std::vector<LocalGeometry> local_geometries(const Mlp<T>& mlp, const Batch<T>& data, int threads = 1,
                                            const std::function<bool()>& stop = {});

/// The means of each measure over those where it is defined; absent where none is.
LocalGeometry mean(std::span<const LocalGeometry> geometries);

/// The means of local_geometries. Throws as it does.
template <class T>
LocalGeometry mean_local_geometry(const Mlp<T>& mlp, const Batch<T>& data, int threads = 1,
                                  const std::function<bool()>& stop = {});

/// The mean of |cos(v, x)| over random directions v in d dimensions, nearly: sqrt(2 / (pi d)).
double chance_alignment(Index d);

}  // namespace normalign
