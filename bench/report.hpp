// What the bench reports: one row for each thing measured, with the bound that it must reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace normalign::bench {

/// One line of the report.
struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  std::optional<double> bound = {};  ///< what the value must reach, where something is asked of it
  bool at_most = true;               ///< or at least
  std::string explanation;           ///< ms, floor, what bounds it
};

/// Prints rows as they come, or, as JSON, all of them at its end.
class Report {
 public:
  /// Prints JSON, else text.
  explicit Report(bool json) : json_(json) {}
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  /// Takes a row, and prints it unless it is to become JSON.
  void add(const Row& row);

 private:
  bool json_;
  std::vector<Row> rows_;
};

/// "1.234 ms".
std::string milliseconds(double seconds);

}  // namespace normalign::bench
