#include "experiments/runs/table_encoding_json.hpp"
#include "experiments/training/table_samples.hpp"
#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task table() {
  return {
      .name = "table",
      .summary =
          "a table of one's own (normalign train table FILE --label COLUMN, or --target COLUMN): two ReLU layers of "
          "256, AdamW, batch 32, cross entropy (of targets mse), float32, a fourth of the rows for testing",
      .defaults = {.hidden = {256, 256},
                   .epochs = 200,
                   .batch_size = 32,
                   .learning_rate = 1e-3,
                   .weight_decay = 0.01,
                   .epsilon = 1e-8,
                   .stop = "never",
                   .lambda = 1e-3},
      .data_settings = {"data", "label_column", "regression", "targets", "labels", "test_data", "test_labels",
                        "test_share", "folds", "fold", "header", "index_column", "columns", "drop", "categories",
                        "missing", "standardise", "insist_on_classes"},
      .data =
          [](const RunConfig& config) {
            const TableSamples samples = table_samples(config);
            return in_precision(config, [&]<class T>(T) {
              return Split<T>{converted<T>(samples.split.train), converted<T>(samples.split.test)};
            });
          },
      .data_files = table_files,
      .dataset =
          [](const RunConfig& config) {
            const TableSamples samples = table_samples(config);
            nlohmann::ordered_json json = {{"reading", samples.reading},
                                           {"train_rows", samples.split.train.inputs.rows()},
                                           {"test_rows", samples.split.test.inputs.rows()}};
            json.update(table_encoding_json(samples.encoding));
            return json;
          }};
}

}  // namespace normalign::tasks
