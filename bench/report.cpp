#include "report.hpp"

#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace normalign::bench {

void Report::add(const Row& row) {
  rows_.push_back(row);
  if (json_) return;
  std::cout << std::left << std::setw(46) << row.name << std::right << std::fixed << std::setprecision(3)
            << std::setw(9) << row.value << ' ' << std::left << std::setw(8) << row.unit;
  if (row.bound) {
    const bool met = row.at_most ? row.value <= *row.bound : row.value >= *row.bound;
    std::cout << (row.at_most ? "at most  " : "at least ") << std::setw(7) << std::setprecision(2) << *row.bound
              << (met ? "met     " : "NOT MET ");
  } else {
    std::cout << std::setw(24) << "";
  }
  std::cout << row.explanation << std::endl;
}

Report::~Report() {
  if (!json_) return;
  auto list = nlohmann::ordered_json::array();
  for (const Row& r : rows_) {
    nlohmann::ordered_json row{{"name", r.name}, {"value", r.value}, {"unit", r.unit}};
    if (r.bound) row[r.at_most ? "at_most" : "at_least"] = *r.bound;
    row["explanation"] = r.explanation;
    list.push_back(std::move(row));
  }
  std::cout << list.dump(2) << '\n';
}

std::string milliseconds(double seconds) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << 1e3 * seconds << " ms";
  return out.str();
}

}  // namespace normalign::bench
