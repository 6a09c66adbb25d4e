#include "autodiff/check/gradcheck.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

using Vars = std::vector<Var<double>>;

// Random numbers in (-1, 1), the same at every evaluation: `step` names the use, `row` the matrix.
Matrix<double> direction(std::uint64_t seed, int step, std::size_t row, Shape shape) {
  Matrix<double> result(shape.rows, shape.cols);
  const RandomRows rows(seed, Stream::gradcheck, static_cast<std::uint32_t>(step));
  rows.uniform(static_cast<std::uint32_t>(row), result.span(), -1, 1);
  return result;
}

// The function of one order, evaluated at one point: the scalar s and what it was contracted from.
struct Evaluation {
  Vars x;
  Vars inner;  // f^order at order 1, else the gradients that s contracts
  Var<double> s;
  BranchHash branches = 0;
};

// On which side of their kinks the values of all operations are.
class BranchWatch final : public detail::Watch<double> {
 public:
  void see(const Primitive<double>& primitive, const Call<double>& call, std::uint32_t) override {
    if (primitive.branches) primitive.branches(call, seen);
  }
  BranchHash seen = 0;
};

Evaluation evaluation(Tape<double>& tape, const DifferentiableFunction& f, const std::vector<Matrix<double>>& inputs,
                      int order, std::uint64_t seed) {
  Evaluation e;
  for (const auto& input : inputs) e.x.push_back(tape.variable(input));
  {
    BranchWatch branches;
    const ScopedValue<detail::Watch<double>*> scope(detail::Graph<double>::of(tape).watch, &branches);
    e.inner = {f(tape, e.x)};
    e.branches = branches.seen;
  }
  const Var<double> y = e.inner[0];
  for (int power = 1; power < order; ++power) e.inner[0] = e.inner[0] * y;
  for (int contraction = 0;; ++contraction) {
    e.s = {};
    for (std::size_t i = 0; i < e.inner.size(); ++i) {
      const auto c = tape.constant(direction(seed, contraction, i, e.inner[i].shape()));
      const auto share = sum(e.inner[i] * c);
      e.s = e.s ? e.s + share : share;
    }
    if (contraction == order - 1) return e;
    e.inner = grad(e.s, e.x, {.create_graph = true});
  }
}

double largest(std::span<const double> values) {
  double result = 0;
  for (double value : values) result = std::max(result, std::abs(value));
  return result;
}

double dot(std::span<const double> a, std::span<const double> b) {
  double result = 0;
  for (std::size_t i = 0; i < a.size(); ++i) result += a[i] * b[i];
  return result;
}

// Not `error <= bound`, so that NaN fails.
bool exceeds(double error, double bound) { return !(error <= bound); }

class Checker {
 public:
  Checker(const DifferentiableFunction& f, const std::vector<Matrix<double>>& inputs, const GradcheckOptions& options)
      : f_(f), inputs_(inputs), options_(options) {}

  GradcheckReport report() {
    for (int order = 1; order <= options_.order && report_.passed; ++order) {
      against_differences(order);
      if (report_.passed) forward_against_reverse(order);
    }
    return report_;
  }

 private:
  template <class... Parts>
  void fail(int order, std::size_t input, const Parts&... parts) {
    report_.passed = false;
    report_.failure = text(options_.name, ": order ", order, ", input ", input, " (", inputs_[input].shape(), "), ",
                           parts..., ", seed ", options_.seed);
  }

  void note(double& worst, double error) const {
    if (exceeds(error, worst)) worst = error;
  }

  void against_differences(int order) {
    tape_.clear();
    const Evaluation here = evaluation(tape_, f_, inputs_, order, options_.seed);
    std::vector<Matrix<double>> reverse;
    for (const auto& g : grad(here.s, here.x)) reverse.emplace_back(g.value());
    const std::size_t index = static_cast<std::size_t>(order - 1);

    for (std::size_t k = 0; k < inputs_.size() && report_.passed; ++k) {
      Matrix<double> difference(inputs_[k].rows(), inputs_[k].cols());
      for (std::size_t entry = 0; entry < inputs_[k].span().size(); ++entry) {
        const double step = options_.step * std::max(1.0, std::abs(inputs_[k].span()[entry]));
        double s[2];
        for (int side : {0, 1}) {
          auto moved = inputs_;
          moved[k].span()[entry] += side ? step : -step;
          tape_.clear();
          const Evaluation there = evaluation(tape_, f_, moved, order, options_.seed);
          if (there.branches != here.branches)
            return fail(order, k, "entry ", position(k, entry), " = ", inputs_[k].span()[entry],
                        ": refused, a step of ", step, " crosses a kink");
          s[side] = there.s.item();
        }
        difference.span()[entry] = (s[1] - s[0]) / (2 * step);
      }
      const double scale = std::max(1.0, largest(difference.span()));
      for (std::size_t entry = 0; entry < difference.span().size(); ++entry) {
        const double found = reverse[k].span()[entry], expected = difference.span()[entry];
        const double error = std::abs(found - expected);
        note(report_.error[index], error / scale);
        if (exceeds(error / scale, options_.tolerance[index]))
          return fail(order, k, "entry ", position(k, entry), ": reverse mode gives ", found,
                      " but central differences ", expected, " (absolute error ", error, ", relative ", error / scale,
                      "), step ", options_.step);
      }
    }
  }

  // <u, J t> = <Jᵀ u, t> for the innermost derivative of this order and each input.
  void forward_against_reverse(int order) {
    tape_.clear();
    const Evaluation here = evaluation(tape_, f_, inputs_, order, options_.seed);
    const std::size_t index = static_cast<std::size_t>(order - 1);
    for (std::size_t k = 0; k < inputs_.size(); ++k) {
      const auto t = direction(options_.seed, 10, k, inputs_[k].shape());
      for (std::size_t m = 0; m < here.inner.size(); ++m) {
        const auto u = direction(options_.seed, 11, m, here.inner[m].shape());
        const auto pushed = jvp(here.inner[m], here.x[k], tape_.constant(t));
        const auto pulled = grad(here.inner[m], here.x[k], {.seed = tape_.constant(u)});
        const double forward = dot(pushed.value().span(), u.span());
        const double backward = dot(pulled.value().span(), t.span());
        const double scale = std::max({1.0, std::abs(forward), std::abs(backward)});
        const double error = std::abs(forward - backward);
        note(report_.forward_error[index], error / scale);
        if (exceeds(error / scale, options_.tolerance[index]))
          return fail(order, k, "contracted: forward mode gives ", forward, " but reverse mode ", backward,
                      " (absolute error ", error, ", relative ", error / scale, ")");
      }
    }
  }

  std::string position(std::size_t input, std::size_t entry) const {
    const auto cols = static_cast<std::size_t>(inputs_[input].cols());
    return text('(', entry / cols, ", ", entry % cols, ')');
  }

  const DifferentiableFunction& f_;
  const std::vector<Matrix<double>>& inputs_;
  const GradcheckOptions& options_;
  Tape<double> tape_;
  GradcheckReport report_;
};

}  // namespace

GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Matrix<double>>& inputs,
                          const GradcheckOptions& options) {
  if (options.order < 1 || options.order > 3)
    throw InputError(text("gradcheck: order is ", options.order, "; it must be 1, 2 or 3"));
  if (inputs.empty()) throw InputError("gradcheck: there are no inputs; there must be at least one");
  return Checker(f, inputs, options).report();
}

}  // namespace normalign
