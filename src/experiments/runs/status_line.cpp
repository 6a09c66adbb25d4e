#include "experiments/runs/status_line.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iomanip>
#include <sstream>

namespace normalign {

namespace {

std::optional<std::size_t> columns_of(int stream) {
  winsize size = {};
  if (::ioctl(stream, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  std::size_t columns = 0;
  if (const char* words = std::getenv("COLUMNS")) std::from_chars(words, words + std::strlen(words), columns);
  return columns > 0 ? std::optional(columns) : std::nullopt;
}

}  // namespace

std::size_t terminal_columns() { return columns_of(STDERR_FILENO).value_or(80); }

std::optional<std::size_t> output_columns() { return columns_of(STDOUT_FILENO); }

std::string duration(double seconds) {
  if (!(seconds >= 0) || !std::isfinite(seconds)) return "-";
  const auto whole = static_cast<long long>(seconds);
  std::ostringstream out;
  out << std::setfill('0');
  if (whole >= 3600)
    out << whole / 3600 << ':' << std::setw(2) << whole / 60 % 60;
  else
    out << whole / 60;
  out << ':' << std::setw(2) << whole % 60;
  return out.str();
}

void StatusLine::show(const std::string& line) {
  if (!terminal_) return;
  // The last column stays free: some terminals go to the next line as soon as it is written.
  const std::string shown = line.substr(0, terminal_columns() - 1);
  out_ << '\r' << shown << std::string(shown.size() < width_ ? width_ - shown.size() : 0, ' ') << std::flush;
  width_ = shown.size();
}

void StatusLine::clear() {
  if (width_ > 0) out_ << '\r' << std::string(width_, ' ') << '\r' << std::flush;
  width_ = 0;
}

}  // namespace normalign
