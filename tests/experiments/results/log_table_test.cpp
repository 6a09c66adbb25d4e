#include "experiments/results/log_table.hpp"

#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("the table of epochs has a row for each epoch of each run and a column for each metric of any") {
  std::vector<LogFile<RunLog>> logs = {{"a/one.json", run_of("baseline", {row(0, 50, 40), row(10, 60, 45, 0.5)})},
                                       {"b/two.json", run_of("grokalign", {row(0, 52, 44)}, "other")}};
  logs[0].second.config["seed"] = 7;
  logs[1].second.grokked = true;
  logs[1].second.grokking_epoch = 20;
  logs[1].second.status = RunStatus::running;
  const ArrayTable table = epochs_table(logs);
  CHECK(table.name.empty());
  CHECK(as_csv(table) ==
        "file,run,task,condition,seed,status,grokking_epoch,epoch,train_acc,test_acc,train_loss,test_loss,opt_time,"
        "centroid_alignment,test_centroid_alignment\n"
        "a/one.json,run,toy,baseline,7.0,finished,,0,50.0,40.0,0.5,0.0,0.0,,\n"
        "a/one.json,run,toy,baseline,7.0,finished,,10,60.0,45.0,0.4,0.0,0.0,0.5,0.25\n"
        "b/two.json,run,other,grokalign,,running,20.0,0,52.0,44.0,0.48,0.0,0.0,,\n");

  logs[0].second.metrics[0].extras = {{"status", 1}};
  CHECK(message_of<UnreadableLog>([&] { epochs_table(logs); }) ==
        "a/one.json: found a metric 'status', expected one that is not the name of another column");
  CHECK(epochs_table({}).rows == 0);
}

TEST_CASE("the table of folds has a row for each fold, and a column for each radius of any run") {
  std::vector<LogFile<TabularLog>> logs = {{"a.json", tabular_log("iris", 1, {80, 90})},
                                           {"b.json", tabular_log("iris", 0, {70})}};
  logs[1].second.config.attack_radii = {2, 3};
  logs[1].second.result.folds[0].effective_rank.reset();
  CHECK(as_csv(folds_table(logs)) ==
        "file,run,table,condition,protocol,seed,status,fold,regularisation,updates,bandwidth,validation_acc,train_acc,"
        "test_acc,"
        "robust_acc_eps1,robust_acc_eps2,effective_rank,normalised_rank,normal_alignment,robust_acc_eps3\n"
        "a.json,iris_rfm_published_seed0,iris,RFM,published,0,finished,0,0.1,3,10.0,33.333333333333336,99.5,80.0,40.0,"
        "20.0,"
        "2.0,0.5,0.5,\n"
        "a.json,iris_rfm_published_seed0,iris,RFM,published,0,finished,1,0.1,3,10.0,33.333333333333336,99.5,90.0,45.0,"
        "22.5,"
        "2.0,0.5,0.5,\n"
        "b.json,iris_rfam_published_seed0,iris,RFAM,published,0,finished,0,0.1,3,10.0,33.333333333333336,99.5,70.0,,35."
        "0,,"
        "0.5,0.5,17.5\n");
}

}  // namespace
}  // namespace normalign::tests
