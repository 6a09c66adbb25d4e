// Grokking against a setting: for each task one chart of when runs grok, over a number of their configs.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/gnuplot.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// Returns a figure for each task, or each point of its grid without the setting, named TASK_against_SETTING: the
/// epochs and the seconds of optimisation at which finished runs grokked, and the `metrics` there, over the `setting`
/// of the runs, any that is one number. A point is the mean over the runs with one value that grokked, the band their
/// range. Runs on one line differ in the setting, the seed, the label and the folder of the data alone; other lines of
/// a condition are named for the settings in which they differ from its line with the most points. A panel says how
/// many per cent of the runs grokked, where some did not. A baseline that does not read the setting is a level line.
/// Axes whose values span more than a factor of 10 are logarithmic. `metrics`: as for `plot`, test points solid and
/// training points dashed.
///
/// The remarks name the runs that are unfinished or failed, the conditions that do not read the setting, and what has
/// no picture. Throws InputError where `setting` is no setting that is one number, where no finished run reads it,
/// where none that does grokked, and where none that grokked logged one of `metrics`.
Plot plot_against(const std::vector<RunLog>& logs, const std::string& setting,
                  const std::vector<std::string>& metrics = {});

}  // namespace normalign
