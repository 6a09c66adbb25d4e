// The parts of a page that tables and settings of runs become.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/report/html.hpp"

namespace normalign {

/// The table with its caption, headings and notes; and several with their legend.
html::Markup table_part(const Table& table);
html::Markup table_part(const TableSet& set);

/// Some words, under which the content opens.
html::Markup group(const std::string& words, const html::Markup& content);

/// The address of a file of the folder, given by its path there, from the page; empty: the page has no links.
using AddressOf = std::function<std::string(const std::filesystem::path& path)>;

/// The path, as a link where it has an address.
html::Markup link_to(const std::filesystem::path& path, const AddressOf& address_of);

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
