// The parts of a page that tables and settings of runs become.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/report/html.hpp"

namespace normalign {

/// The table with its caption, headings and notes; and several with their legend.
html::Markup table_part(const Table& table);
html::Markup table_part(const TableSet& set);

/// A table of objects, one row each: the keys of all of them across in the order they come, numbers with four digits, a
/// dash for null and for what is missing, no column for what all lack; objects within count as their entries. `left`:
/// so many first columns hold words.
Table table_of(const nlohmann::ordered_json& objects, std::size_t left);

/// An object as a list of names and values; empty for an empty one.
html::Markup list_part(const nlohmann::ordered_json& object);

/// What all objects have in common: the keys that each has with one value.
nlohmann::ordered_json common_part(const std::vector<const nlohmann::ordered_json*>& objects);

/// The entries of `object` that `common` does not have with the same value.
nlohmann::ordered_json difference_from(const nlohmann::ordered_json& common, const nlohmann::ordered_json& object);

/// At most `most` of the numbers below `all`: the first, the last, and as many in even steps between.
std::vector<std::size_t> sampled(std::size_t all, std::size_t most);

}  // namespace normalign
