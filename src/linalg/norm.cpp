#include "linalg/norm.hpp"

#include <string>

#include "base/error.hpp"
#include "base/nearest_name.hpp"

namespace normalign {

const char* name_of(Norm norm) { return norm == Norm::l2 ? "l2" : "linf"; }

Norm norm_of(const char* field, std::string_view name) {
  for (const Norm norm : {Norm::l2, Norm::linf})
    if (name == name_of(norm)) return norm;
  throw InputError(
      text(field, ": found '", one_line(name), "', ", expected_one_of(name, {name_of(Norm::l2), name_of(Norm::linf)})));
}

}  // namespace normalign
