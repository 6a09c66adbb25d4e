// One line on a terminal that tells how far something is.
#pragma once

#include <cstddef>
#include <optional>
#include <ostream>
#include <string>

namespace normalign {

/// Columns of the terminal that standard error is, else what the environment has as COLUMNS, else 80.
std::size_t terminal_columns();

/// Columns of the terminal that standard output is, else what the environment has as COLUMNS; nothing where neither
/// tells.
std::optional<std::size_t> output_columns();

/// Seconds as "m:ss" or "h:mm:ss", rounded down; "-" when negative or not finite.
std::string duration(double seconds);

/// A line that is written over: on a terminal it is cut to fit, so that it never wraps, and elsewhere nothing is shown.
class StatusLine {
 public:
  /// Writes to `out`, which is borrowed.
  StatusLine(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  /// Shows `line`, of one byte for each letter, in place of what was shown.
  void show(const std::string& line);
  /// Wipes it, so that other lines can be written.
  void clear();

 private:
  std::ostream& out_;
  bool terminal_;
  std::size_t width_ = 0;  // of what is shown
};

}  // namespace normalign
