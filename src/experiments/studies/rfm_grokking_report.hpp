// The study of grokking in kernel machines as text, JSON, CSV, LaTeX and a picture.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/figures/chart.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/studies/rfm_grokking.hpp"

namespace normalign {

/// When each model grokked: the runs, those that grokked, and mean, standard deviation and median of the updates after
/// which they did.
Table grokking_table(const RfmGrokking& study);

/// `grokking_table`, then a line for each model and number of updates with means over seeds, and what the columns are.
/// CSV has the lines of "means" as in `as_json`.
TableSet tables(const RfmGrokking& study);

/// {"chance_alignment", "chance_circulant_share", "modulus", "train_fraction", "criterion", "grokking": [{"model",
/// "runs", "grokked", "mean", "std", "median"}], "means": [{"model", "updates", "seeds", and each measure with its
/// deviation as "_std"}], "rows": [{"model", "seed", "updates", and each measure}]}, all digits, null where undefined.
nlohmann::ordered_json as_json(const RfmGrokking& study);

/// Five panels against the updates: accuracy, squared error, the circulant share with a line at chance, class
/// alignment with a line at 0, and the effective rank over the number of outputs; means over seeds, shaded one standard
/// deviation, solid at test and dashed at training pairs. Named "rfm_grokking".
Chart chart_of(const RfmGrokking& study);

}  // namespace normalign
