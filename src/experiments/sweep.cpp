#include "experiments/sweep.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "experiments/child_process.hpp"
#include "experiments/progress.hpp"
#include "experiments/run_lock.hpp"
#include "experiments/task.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::string written(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// ---- which runs a file asks for --------------------------------------------------------------------------------

// The place of an entry: conditions."J only".lambda
std::string entry_of(const std::string& place, const std::string& key) {
  const bool plain =
      !key.empty() && std::ranges::all_of(key, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  return (place.empty() ? "" : place + ".") + (plain ? key : written(key));
}

// Does `action`; what it refuses is refused with `place` before it.
template <class Action>
void within(const std::string& place, const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    throw InputError(place + error.what());
  }
}

[[noreturn]] void refuse(const std::string& place, const Json& value, const char* expected) {
  const std::string found = written(value);
  throw InputError(
      text(place, ": found ", found.size() <= 60 ? found : text("an ", value.type_name()), ", expected ", expected));
}

// As JSON, but an object that has a key twice is refused: a reader would silently drop one of the entries.
Json parsed(const std::string& content) {
  std::vector<std::set<std::string>> keys;
  const auto look = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      throw InputError(text(written(value), ": found twice in one object, expected once"));
    return true;
  };
  try {
    return Json::parse(content, look);
  } catch (const Json::exception& error) {
    const std::string_view what = error.what();
    const auto at = what.find("line ");
    throw InputError(text(at == what.npos ? what : what.substr(at)));
  }
}

const Json& object_at(const Json& parent, const std::string& place, const char* expected) {
  if (!parent.is_object()) refuse(place, parent, expected);
  return parent;
}

std::vector<std::int64_t> seeds_of(const Json& value, const std::string& place) {
  const auto is_seed = [](const Json& seed) {
    return seed.is_number_integer() && (!seed.is_number_unsigned() || seed.get<std::uint64_t>() <= INT64_MAX) &&
           seed.get<std::int64_t>() >= 0;
  };
  if (value.is_array() && !value.empty()) {
    for (const Json& seed : value)
      if (!is_seed(seed)) refuse(place, seed, "whole numbers from 0");
    return value.get<std::vector<std::int64_t>>();
  }
  constexpr std::int64_t most = 100'000;
  if (!value.is_object() || value.size() != 2 || !value.contains("first") || !value.contains("count"))
    refuse(place, value, "a list of seeds that is not empty, or {\"first\": seed, \"count\": number}");
  const Json &first = value.at("first"), &count = value.at("count");
  if (!is_seed(first) || first.get<std::int64_t>() > INT64_MAX - most)
    refuse(entry_of(place, "first"), first, "a whole number from 0");
  if (!is_seed(count) || count.get<std::int64_t>() < 1 || count.get<std::int64_t>() > most)
    refuse(entry_of(place, "count"), count, "a whole number from 1 to 100000");
  std::vector<std::int64_t> seeds;
  for (std::int64_t i = 0; i < count.get<std::int64_t>(); ++i) seeds.push_back(first.get<std::int64_t>() + i);
  return seeds;
}

// Fields of a run, all said in one place.
struct Layer {
  std::string place;  // what precedes the name of a field in a message
  Json fields;
};

// The layer of an object in the file, without the keys that are no fields.
Layer layer_of(const Json& object, const std::string& place, std::initializer_list<const char*> other_keys) {
  Layer layer{place + '.', object_at(object, place, "an object of settings")};
  for (const char* key : other_keys) layer.fields.erase(key);
  for (const char* key : {"task", "condition", "label", "seed"})
    if (layer.fields.contains(key))
      throw InputError(text(layer.place, key, ": unexpected here, it follows from the keys of \"settings\" and ",
                            "\"conditions\" and from \"seeds\""));
  return layer;
}

// The run of these layers, the last of which wins.
RunConfig run_of(RunConfig run, std::initializer_list<const Layer*> layers) {
  for (const Layer* layer : layers)
    for (const auto& [name, value] : layer->fields.items())
      within(layer->place, [&, &name = name, &value = value] { set_field(run, name, value); });
  try {
    check(run);
    return run;
  } catch (const InputError& error) {
    // It is the layer that had the last word on the field that is to blame.
    const std::string message = error.what(), field = message.substr(0, message.find(':'));
    std::string place;
    for (const Layer* layer : layers)
      if (layer->fields.contains(field)) place = layer->place;
    throw InputError(text(place, message));
  }
}

std::vector<RunConfig> runs_of(const Json& file, const Layer& fixed) {
  object_at(file, "top level", "an object");
  for (const auto& [key, value] : file.items())
    if (key != "settings" && key != "conditions" && key != "seeds" && key != "overrides")
      throw InputError(
          text(entry_of("", key), ": unknown key, expected one of settings, conditions, seeds, overrides"));
  for (const char* key : {"settings", "conditions"})
    if (!file.contains(key) || !file[key].is_object() || file[key].empty())
      refuse(key, file.contains(key) ? file[key] : Json(), "an object that is not empty");
  const Layer everywhere = layer_of(file.value("overrides", Json::object()), "overrides", {});

  std::vector<RunConfig> runs;
  std::set<std::string> names;
  for (const auto& [task_name, setting] : file["settings"].items()) {
    within("settings: ", [&name = task_name] { task(name); });
    const std::string place = entry_of("settings", task_name);
    const Layer of_setting = layer_of(setting, place, {"seeds"});
    const bool own_seeds = setting.contains("seeds");
    const std::vector<std::int64_t> seeds = own_seeds ? seeds_of(setting["seeds"], entry_of(place, "seeds"))
                                                      : seeds_of(file.value("seeds", Json()), "seeds");
    for (const auto& [label, fields] : file["conditions"].items()) {
      const std::string condition_place = entry_of("conditions", label);
      const Layer of_condition = layer_of(fields, condition_place, {"condition"});
      const Json condition = fields.value("condition", Json(label));
      if (label.empty() || !condition.is_string()) refuse(condition_place, condition, "the name of a condition");
      within(condition_place + '.', [&] { conditions(condition.get<std::string>()); });
      RunConfig run = defaults_for(task(task_name), condition.get<std::string>());
      if (label != run.condition) run.label = label;
      run = run_of(run, {&everywhere, &of_setting, &of_condition, &fixed});
      for (const std::int64_t seed : seeds) {
        run.seed = seed;
        if (!names.insert(run_name(run)).second)
          throw InputError(text(own_seeds ? entry_of(place, "seeds") : "seeds", ": found two runs named ",
                                run_name(run), ", expected one"));
        runs.push_back(run);
      }
    }
  }
  return runs;
}

Layer fixed_fields(std::span<const std::string> assignments) {
  Json fields = Json::object();
  for (const std::string& given : assignments) {
    const auto [name, value] = assignment(given);
    fields[name] = value;
  }
  for (const char* key : {"task", "condition", "label", "seed"})
    if (fields.contains(key))
      throw InputError(text("--set ", key, ": unexpected here, it is for the sweep's file to say"));
  RunConfig trial;
  for (const auto& [name, value] : fields.items()) set_field(trial, name, value);
  return {"--set ", fields};
}

// ---- the files of a run ----------------------------------------------------------------------------------------

fs::path log_file(const fs::path& folder, const std::string& name) { return folder / (name + ".json"); }
fs::path checkpoint_file(const fs::path& folder, const std::string& name) {
  return folder / text('.', name, ".checkpoint");
}
fs::path lock_file(const fs::path& folder, const std::string& name) { return folder / text('.', name, ".lock"); }

// Removes the temporary files of processes that were killed while they wrote the run's log or checkpoint. To be called
// by the holder of the run's lock.
void remove_temporary_files(const fs::path& folder, const std::string& name) {
  const std::string log = text('.', name, ".json."), checkpoint = text("..", name, ".checkpoint.");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const std::size_t start = file.starts_with(log) ? log.size() : file.starts_with(checkpoint) ? checkpoint.size() : 0;
    if (start == 0 || !file.ends_with(".tmp") || file.size() < start + 4) continue;
    const std::string id = file.substr(start, file.size() - start - 4);
    std::error_code ignored;
    if (std::ranges::all_of(id, [](unsigned char c) { return std::isdigit(c); })) fs::remove(entry.path(), ignored);
  }
}

bool finished(const std::optional<RunLog>& log) { return log && log->status == RunStatus::finished; }

// ---- running them ----------------------------------------------------------------------------------------------

struct Running {
  const RunConfig* run;
  ChildProcess process;
  Clock::time_point start = Clock::now();
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// How long runs took, to tell how long others will.
class Durations {
 public:
  void add(const RunConfig& run, double seconds) {
    for (Mean* mean : {&all_, &of_[kind(run)]}) {
      mean->sum += seconds;
      mean->count += 1;
    }
  }
  // Seconds; NaN when no run has ended yet.
  double expected(const RunConfig& run) const {
    const auto found = of_.find(kind(run));
    const Mean& mean = found == of_.end() ? all_ : found->second;
    return mean.sum / mean.count;
  }

 private:
  struct Mean {
    double sum = 0, count = 0;
  };
  static std::pair<std::string, std::string> kind(const RunConfig& run) { return {run.task, condition_label(run)}; }
  Mean all_;
  std::map<std::pair<std::string, std::string>, Mean> of_;
};

// The runs of a sweep on their way.
class Sweep {
 public:
  Sweep(const std::vector<RunConfig>& runs, const SweepOptions& options, std::ostream& out)
      : options_(options), out_(out) {
    for (const RunConfig& run : runs)
      if (finished(log_of(run, options.folder)))
        ++done_;
      else
        left_.push_back(&run);
    for (const RunConfig* run : left_) check_writable_log(log_file(options.folder, run_name(*run)), true);
  }

  SweepResult run() {
    if (done_ > 0 || left_.empty()) report(text("sweep: ", done_, " runs are there already, ", left_.size(), " to do"));
    SignalWait signals;
    for (bool news = false;;) {
      while (static_cast<int>(running_.size()) < options_.jobs && !left_.empty()) start_next();
      if (options_.terminal)
        show_progress();
      else if (news)
        report(state());
      if (running_.empty()) break;
      if (const int signal = signals.wait(1000ms)) {
        const std::size_t stopped = running_.size() + left_.size();
        running_.clear();
        report(text("sweep: stopped by signal ", signal, " with ", stopped, " runs left; the same command goes on"));
        return {failed_, signal};
      }
      news = std::erase_if(running_, [&](Running& running) {
        const auto end = running.process.end();
        if (end) take_note(running, *end);
        return end.has_value();
      });
    }
    clear_line();
    return {failed_, 0};
  }

 private:
  void start_next() {
    const RunConfig* run = left_.front();
    left_.erase(left_.begin());
    running_.push_back({run, ChildProcess(options_.command(run_name(*run)), options_.input)});
  }

  void take_note(const Running& ended, const ProcessEnd& end) {
    const std::string name = run_name(*ended.run);
    clear_line();
    out_ << end.error << std::flush;
    if (end.status == 0 && end.signal == 0) {
      ++done_;
      durations_.add(*ended.run, seconds_since(ended.start));
    } else {
      ++failed_;
      std::string reason = said_by(end, name);
      if (reason.empty()) {
        reason = end.signal ? text("the process ended by signal ", end.signal)
                            : text("the process ended with status ", end.status);
        report(text("normalign: ", name, ": ", reason));
      }
      mark_failed(*ended.run, reason);
    }
  }

  // The process's own last word on why it failed, in the form of all messages; empty when it had none.
  static std::string said_by(const ProcessEnd& end, const std::string& name) {
    const std::string start = text("normalign: ", name, ": ");
    const auto at = end.error.rfind(start);
    if (end.signal || at == std::string::npos) return "";
    const auto from = at + start.size();
    return end.error.substr(from, end.error.find('\n', from) - from);
  }

  // Where the process had no time to say in the log that it failed, this one does. Another sweep may be at the run by
  // now: then it is not for this one to judge.
  void mark_failed(const RunConfig& run, const std::string& reason) const {
    const std::string name = run_name(run);
    const RunLock lock(lock_file(options_.folder, name), 0ms);
    if (!lock.held()) return;
    remove_temporary_files(options_.folder, name);
    std::optional<RunLog> log = log_of(run, options_.folder);
    if (!log || log->status != RunStatus::running || log->metrics.empty()) return;
    log->status = RunStatus::failed;
    log->failure = reason;
    write_log(log_file(options_.folder, name), *log);
  }

  std::string state() const {
    double seconds = 0;
    for (const RunConfig* run : left_) seconds += durations_.expected(*run);
    for (const Running& running : running_)
      seconds += std::max(durations_.expected(*running.run) - seconds_since(running.start), 0.0);
    const std::size_t runs = running_.size() + left_.size();
    const double at_a_time = static_cast<double>(std::min(static_cast<std::size_t>(options_.jobs), runs));
    return text("sweep: ", done_, " done, ", running_.size(), " running, ", left_.size(), " left, ", failed_, " failed",
                runs == 0 ? "" : text("; about ", duration(seconds / at_a_time), " left"));
  }

  void show_progress() {
    const std::string line = state();
    out_ << '\r' << line << std::string(line.size() < width_ ? width_ - line.size() : 0, ' ') << std::flush;
    width_ = line.size();
  }
  void clear_line() {
    if (width_ > 0) out_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
    width_ = 0;
  }
  void report(const std::string& line) {
    clear_line();
    out_ << line << std::endl;
  }

  const SweepOptions& options_;
  std::ostream& out_;
  std::vector<const RunConfig*> left_;
  std::list<Running> running_;
  Durations durations_;
  Index done_ = 0, failed_ = 0;
  std::size_t width_ = 0;  // of the line on the terminal, to be written over
};

}  // namespace

std::vector<RunConfig> sweep_runs(const std::string& content, const std::string& file,
                                  std::span<const std::string> assignments) {
  const Layer fixed = fixed_fields(assignments);
  std::vector<RunConfig> runs;
  within(file + ": ", [&] { runs = runs_of(parsed(content), fixed); });
  return runs;
}

std::vector<RunConfig> shard_of(const std::vector<RunConfig>& runs, const std::string& shard) {
  std::istringstream in(shard);
  in >> std::noskipws;
  std::size_t i = 0, n = 0;
  char slash = 0;
  if (!std::isdigit(static_cast<unsigned char>(shard.empty() ? ' ' : shard.front())) || !(in >> i >> slash) ||
      slash != '/' || !std::isdigit(in.peek()) || !(in >> n) || in.peek() != EOF || i < 1 || i > n)
    throw InputError(text("shard: found '", shard, "', expected i/n with 1 <= i <= n"));
  std::vector<RunConfig> result;
  for (std::size_t k = i - 1; k < runs.size(); k += n) result.push_back(runs[k]);
  return result;
}

std::optional<RunLog> log_of(const RunConfig& run, const fs::path& folder) {
  const fs::path file = log_file(folder, run_name(run));
  if (!fs::exists(file)) return std::nullopt;
  RunLog log = read_log(file);
  // As a log has them, so that numbers are compared after the same rounding.
  const Json expected = Json::parse(written(to_json(run)));
  if (const auto difference = config_difference(log.config, expected))
    throw InputError(text(file.string(), ": config.", *difference,
                          " as this sweep has it; another folder, or this log out of the way"));
  return log;
}

RunLog sweep_run(const RunConfig& run, const SweepRunOptions& options) {
  const std::string name = run_name(run);
  check_writable_log(log_file(options.folder, name), true);
  const RunLock lock(lock_file(options.folder, name), options.patience);
  if (!lock.held()) throw RunError("another process is at this run");
  remove_temporary_files(options.folder, name);
  if (const auto log = log_of(run, options.folder); finished(log)) return *log;
  return task(run.task).run(run, options.threads,
                            {.progress = options.progress,
                             .log_file = log_file(options.folder, name),
                             .checkpoint_file = checkpoint_file(options.folder, name),
                             .checkpoint_seconds = options.checkpoint_seconds});
}

SweepResult run_sweep(const std::vector<RunConfig>& runs, const SweepOptions& options, std::ostream& out) {
  const SweepResult result = Sweep(runs, options, out).run();
  if (result.signal) return result;
  // What processes left that were killed, by an earlier sweep's end perhaps, after their log was finished.
  for (const RunConfig& run : runs) {
    const std::string name = run_name(run);
    if (!finished(log_of(run, options.folder))) continue;
    const RunLock lock(lock_file(options.folder, name), 5s);
    if (!lock.held()) continue;
    remove_temporary_files(options.folder, name);
    fs::remove(checkpoint_file(options.folder, name));
  }
  return result;
}

}  // namespace normalign
