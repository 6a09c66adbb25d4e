// What the table of operations (op_table_test.cpp) cannot say: both scalar types, extents of 0, identities.
#include "autodiff/ops_linear.hpp"

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

const Transposes every_flag[] = {{false, false}, {false, true}, {true, false}, {true, true}};

// op(a) op(b) is n x p, with m the inner extent.
Shape left(Transposes op, Index n, Index m) { return op.a ? Shape{m, n} : Shape{n, m}; }
Shape right(Transposes op, Index m, Index p) { return op.b ? Shape{p, m} : Shape{m, p}; }

template <class T>
void check_products() {
  for (const Transposes op : every_flag)
    for (const auto& [n, m, p] : {std::array<Index, 3>{3, 4, 2}, {1, 7, 5}, {17, 33, 9}, {2, 1, 2}, {64, 50, 31}}) {
      CAPTURE(op.a, op.b, n, m, p);
      const Matrix<T> a = random_matrix<T>(left(op, n, m), 1), b = random_matrix<T>(right(op, m, p), 2);
      const Matrix<T> c = random_matrix<T>({n, p}, 3);
      Tape<T> tape;
      const Var<T> va = tape.variable(a), vb = tape.variable(b), vc = tape.variable(c);
      const Var<T> product = matmul(va, vb, op);
      const Matrix<double> expected = naive_product(a, b, op);
      CHECK(relative_error(product.value(), expected) <= tolerance<T>());
      // The flags mean what transposing by hand means.
      const Var<T> by_hand = matmul(op.a ? transpose(va) : va, op.b ? transpose(vb) : vb);
      CHECK(relative_error(by_hand.value(), expected) <= tolerance<T>());
      CHECK(relative_error(add_product(vc, va, vb, op).value(), naive_product<T>(a, b, op, 1, &c, 1)) <=
            tolerance<T>());
      // And so do their gradients: g op(b)ᵀ and op(a)ᵀ g, transposed where the operand was.
      const auto found = grad(product, std::vector{va, vb}, {.seed = vc});
      const auto expected_gradients = grad(by_hand, std::vector{va, vb}, {.seed = vc});
      const auto from_sum = grad(add_product(vc, va, vb, op), std::vector{va, vb}, {.seed = vc});
      for (std::size_t k = 0; k < 2; ++k) {
        CHECK(relative_error(found[k].value(), expected_gradients[k].value()) <= tolerance<T>(1));
        CHECK(same_bits(from_sum[k].value(), found[k].value()));
      }
    }
}

TEST_CASE("products with every pair of flags, in double and in float") {
  check_products<double>();
  check_products<float>();
}

TEST_CASE("a product over nothing is zero, one of nothing is empty") {
  Tape<double> tape;
  for (const Transposes op : every_flag) {
    CAPTURE(op.a, op.b);
    const Var<double> a = tape.variable(Matrix<double>(left(op, 3, 0).rows, left(op, 3, 0).cols));
    const Var<double> b = tape.variable(Matrix<double>(right(op, 0, 2).rows, right(op, 0, 2).cols));
    const Var<double> c = tape.variable(random_matrix({3, 2}, 1));
    const Var<double> y = matmul(a, b, op);
    CHECK(same_bits(y.value(), Matrix<double>(3, 2)));
    CHECK(same_bits(add_product(c, a, b, op).value(), c.value()));
    const auto g = grad(sum(y), std::vector{a, b});
    CHECK(g[0].shape() == a.shape());
    CHECK(g[1].shape() == b.shape());

    const Var<double> none = tape.variable(Matrix<double>(left(op, 0, 4).rows, left(op, 0, 4).cols));
    const Var<double> full = tape.variable(random_matrix(right(op, 4, 2), 2));
    const Var<double> empty = matmul(none, full, op);
    CHECK(empty.shape() == Shape{0, 2});
    CHECK(all_zero(grad(sum(empty), full).value()));
  }
}

TEST_CASE("linear is a product with the weights transposed, plus the bias on each row") {
  Tape<double> tape;
  const Var<double> x = tape.variable(random_matrix({5, 3}, 1)), w = tape.variable(random_matrix({4, 3}, 2));
  const Var<double> b = tape.variable(random_matrix({1, 4}, 3));
  CHECK(same_bits(linear(x, w).value(), matmul(x, w, {.b = true}).value()));
  CHECK(same_bits(linear(x, w, b).value(), (matmul(x, w, {.b = true}) + b).value()));
  const Var<double> seed = tape.constant(random_matrix({5, 4}, 4));
  CHECK(same_bits(grad(linear(x, w, b), b, {.seed = seed}).value(), col_sum(seed).value()));
}

TEST_CASE("a value in many products gathers the sum of their gradients") {
  // w is used three times: its gradient is accumulated in place by products with beta = 1.
  const Matrix<double> w0 = random_matrix({3, 3}, 1), x0 = random_matrix({4, 3}, 2);
  Tape<double> tape;
  const Var<double> x = tape.variable(x0), w = tape.variable(w0);
  const Var<double> y1 = linear(x, w), y2 = linear(y1, w), y3 = matmul(y2, w);
  const Var<double> seed = tape.constant(random_matrix({4, 3}, 3));
  const Var<double> total = grad(y3, w, {.seed = seed});
  // The same with three weights of equal value.
  const Var<double> a = tape.variable(w0), b = tape.variable(w0), c = tape.variable(w0);
  const auto parts = grad(matmul(linear(linear(x, a), b), c), std::vector{a, b, c}, {.seed = seed});
  CHECK(relative_error(total.value(), (parts[0] + parts[1] + parts[2]).value()) <= tolerance<double>(1));
}

TEST_CASE("products say which extents must be equal") {
  Tape<double> tape;
  const Var<double> a = tape.variable(Matrix<double>(3, 4)), b = tape.variable(Matrix<double>(5, 4));
  CHECK(message_of([&] { matmul(a, b); }) == "matmul: a is 3x4 but b is 5x4; a.cols must equal b.rows");
  CHECK(message_of([&] { matmul(a, b, {.a = true}); }) == "matmul: a is 3x4 but b is 5x4; a.rows must equal b.rows");
  CHECK(message_of([&] { matmul(a, b, {.a = true, .b = true}); }) ==
        "matmul: a is 3x4 but b is 5x4; a.rows must equal b.cols");
  CHECK(message_of([&] { add_product(a, a, b, {.b = true}); }) ==
        "add_product: c is 3x4 but the product is 3x5; they must be equal");
  CHECK(message_of([&] { linear(a, b, a); }) == "linear: w is 5x4 but b is 3x4; b must be 1x5");
  CHECK(message_of([&] { linear(a, transpose(b), a); }) == "linear: a is 3x4 but b is 4x5; a.cols must equal b.cols");
}

}  // namespace
}  // namespace normalign::tests
