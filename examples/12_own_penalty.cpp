// A penalty of one's own: |J_i|_1, the sum of a Jacobian's absolute entries, which is small where few inputs count. The
// task is the parity of the first 3 of 24 bits. With the penalty the network finds out that the other 21 say nothing.
#include <cstdio>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "data/sparse_parity.hpp"
#include "nn/adamw.hpp"
#include "nn/evaluate.hpp"
#include "nn/train_step.hpp"

using namespace normalign;

class JacobianL1 : public Penalty<float> {
 public:
  explicit JacobianL1(double weight) : weight_(weight) {}
  std::vector<PenaltyTerm> terms() const override { return {{.name = "jacobian_l1", .weight = weight_}}; }

  // A batch is cut into row blocks, and each records its share of the batch's mean.
  void record(const PenaltyBlock<float>& block, std::span<Var<float>> shares) const override {
    auto sizes = block.tape.full({1, 1}, 0);
    for (const auto& rows : jacobian(block.f, block.x, {.create_graph = true}))  // k of m x d
      sizes = sizes + sum(abs(rows));
    shares[0] = sizes / static_cast<double>(block.batch_rows);
  }

 private:
  double weight_;
};

const char* answer(bool yes) { return yes ? "yes" : "no"; }

int main() {
  const auto data = sparse_parity<float>({.bits = 24, .relevant = 3, .samples = 800});  // half for training
  const Batch<float> train{.inputs = data.train.inputs, .labels = data.train.labels};
  const Batch<float> test{.inputs = data.test.inputs, .labels = data.test.labels};
  for (const double weight : {0.0, 0.01}) {
    Mlp<float> mlp({.widths = {24, 64, 64, 2}});
    AdamW<float> adamw({.learning_rate = 1e-2, .weight_decay = 0.1});
    const JacobianL1 penalty(weight);
    TrainStep<float> step(mlp, adamw, {.penalties = {&penalty}, .threads = 2});
    StepResult last;
    for (std::uint32_t i = 0; i < 140; ++i) last = step(train, i);

    Evaluator<float> evaluate(mlp, Loss::cross_entropy, 2);
    Tape<float> tape;
    const auto x = tape.variable(test.inputs);
    float in_three_bits = 0, all = 0;
    for (const auto& rows : jacobian(mlp.on(tape)(x), x)) {
      in_three_bits += sum(abs(slice_cols(rows, 0, 3))).item();
      all += sum(abs(rows)).item();
    }
    std::printf("weight %.2f: %s below 20 %s, over half of it in 3 bits %s, test above 90 %% %s\n", weight,
                step.term_names()[0].c_str(), answer(last.terms[0] < 20), answer(in_three_bits > all / 2),
                answer(evaluate(test).accuracy > 90));
  }
}
// prints weight 0.00: jacobian_l1 below 20 no, over half of it in 3 bits no, test above 90 % no
// prints weight 0.01: jacobian_l1 below 20 yes, over half of it in 3 bits yes, test above 90 % yes
