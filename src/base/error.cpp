#include "base/error.hpp"

#include <sstream>

namespace normalign {

std::string detail::joined(std::initializer_list<Written> parts) {
  std::ostringstream out;
  for (const auto& [value, write] : parts) write(out, value);
  return out.str();
}

void check_whole(const char* field, std::int64_t found, std::int64_t least, std::int64_t most) {
  if (found < least || found > most)
    throw InputError(text(field, ": found ", found, ", expected a whole number from ", least, " to ", most));
}

}  // namespace normalign
