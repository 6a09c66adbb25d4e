#include "experiments/runs/interrupt.hpp"

namespace normalign {
namespace {

// A handler has nowhere else to leave word.
volatile std::sig_atomic_t noted = 0;

void note(int signal) { noted = signal; }

void install(int signal, SecondSignal second, struct sigaction& before) {
  struct sigaction action = {};
  action.sa_handler = note;
  action.sa_flags = static_cast<int>(second == SecondSignal::ends ? SA_RESETHAND | SA_RESTART : SA_RESTART);
  ::sigaction(signal, nullptr, &before);
  if (before.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt(SecondSignal second) {
  noted = 0;
  install(SIGINT, second, before_int_);
  install(SIGTERM, second, before_term_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &before_int_, nullptr);
  ::sigaction(SIGTERM, &before_term_, nullptr);
}

int Interrupt::signal() const { return noted; }

}  // namespace normalign
