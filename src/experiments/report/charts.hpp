// The curves and clouds of points that a report draws.
#pragma once

#include "experiments/figures/scatter.hpp"
#include "experiments/report/html.hpp"
#include "experiments/results/curves.hpp"

namespace normalign {

/// One chart for each panel, as `normalign plot` draws them: medians over the finished runs of a condition, solid for
/// test and dashed for training points, shaded the range; the epoch is logarithmic, epoch 0 stands at 0.5. Losses of
/// more than two powers of ten are logarithmic too. Above them a key. Empty without finished runs.
html::Markup curve_charts(const SettingCurves& curves);

/// One run's accuracies against the epoch as a picture of a line's height.
html::Markup accuracy_sketch(const RunLog& log);

/// The points of a scatter whose values are finite and, on logarithmic axes, positive; empty where there is none.
html::Markup scatter_chart(const Scatter& scatter);

}  // namespace normalign
