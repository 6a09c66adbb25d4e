// What most tests include, compiled once (see the Makefile): Catch2 and the heavier headers of the standard library. A
// test includes what it uses all the same. nlohmann/json is not here: every test would pay for it, and few use it.
// Included by nothing.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.hpp"
