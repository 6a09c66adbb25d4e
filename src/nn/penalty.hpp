// What a penalty is: terms that a training step adds to the task loss, recorded one row block at a time.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/mlp.hpp"

namespace normalign {

/// One term of a penalty.
struct PenaltyTerm {
  std::string name;   ///< by which results and logs give the term
  double weight = 0;  ///< the factor of the term in the loss
};

/// What a penalty keeps beside a tape from step to step, so that a steady step asks for no memory.
template <class T>
struct PenaltyMemory {
  std::vector<Matrix<T>> matrices{};
  std::vector<Var<T>> vars{};  ///< each is let go before the tape is cleared
};

/// A row block of a step's batch on its tape, as a penalty finds it: m of n rows. Under a share of the samples these
/// are the drawn rows, on which the network is called once more.
template <class T>
struct PenaltyBlock {
  Tape<T>& tape;
  /// The network, whose parameters are variables; a copy of it may be called at other points.
  const MlpOnTape<T>& net;
  const Var<T>& x;                 ///< the inputs, m x d: a variable
  const Var<T>& f;                 ///< net(x), m x k
  const Var<T>& task_loss;         ///< 1x1: of all rows of the row block whose tape it is, its part of the batch's
  Index batch_rows;                ///< n: of the batch, or as many of them as are drawn
  std::span<const Index> samples;  ///< the numbers of the m samples
  std::uint64_t seed;              ///< with step and sample number the address of a random draw
  std::uint32_t step;              ///< number of the step
  PenaltyMemory<T>& memory;        ///< of this penalty and this tape
};

/// Adds terms to the loss of a training step. A step cuts its batch into row blocks, which threads record side by side
/// on tapes of their own; so each term of a batch is a sum over its blocks, and `record` is called by several threads
/// at once. A step has the same bits at any number of threads where random numbers depend on seed, step and sample
/// number alone.
template <class T>
class Penalty {
 public:
  virtual ~Penalty() = default;
  /// The terms, always the same ones; a penalty without a term is off.
  virtual std::vector<PenaltyTerm> terms() const = 0;
  /// Records the block's share of each term, 1x1 and differentiable in the parameters: for a mean over samples the sum
  /// over the block's rows divided by batch_rows, for a function of the parameters alone m / n of it. A share that is
  /// left empty is zero.
  virtual void record(const PenaltyBlock<T>& block, std::span<Var<T>> shares) const = 0;
  /// s in (0, 1]: each step finds the terms on a share s of the batch's rows that `draw_share` draws, as an estimate of
  /// those on all of them; what they add to the loss is multiplied by the draw's weight. For means over samples whose
  /// loss is linear in them the estimate, and its gradient, is unbiased. 1: on all rows.
  virtual double share() const { return 1; }
  /// Whether the loss is linear in the terms. If not, a step records every block, each on a tape of its own, before it
  /// sweeps back.
  virtual bool is_linear() const { return true; }
  /// What the batch's terms add to the loss: by default their weighted sum. `slopes` holds the weights before the call
  /// and the derivative of the result in each term after it.
  virtual double value(std::span<const double> terms, std::span<double> slopes) const {
    double sum = 0;
    for (std::size_t i = 0; i < terms.size(); ++i) sum += slopes[i] * terms[i];
    return sum;
  }
};

}  // namespace normalign
