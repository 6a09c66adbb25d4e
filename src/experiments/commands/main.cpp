#include "experiments/commands/cli.hpp"

int main(int argc, char** argv) { return normalign::command_line(argc, argv); }
