// What is on a tape, as text.
#pragma once

#include <iostream>

#include "autodiff/tape.hpp"

namespace normalign {

/// Writes a table of the recorded nodes, a line each: the number, the operation with the numbers of its inputs, the
/// shape, and who keeps the value: Vars that name the node, a rule that will read it, or the caller who lent it. Where
/// nobody does, its memory is free again.
template <class T>
void print(const Tape<T>& tape, std::ostream& out = std::cout);

}  // namespace normalign
