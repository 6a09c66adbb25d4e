// The command line `normalign`.
#pragma once

namespace normalign {

/// Runs the command line and returns the exit status: 0 when all went well, 1 when a run failed or a check did not
/// pass, 2 on a user's mistake, which is told in one line on standard error.
int command_line(int argc, const char* const* argv);

}  // namespace normalign
