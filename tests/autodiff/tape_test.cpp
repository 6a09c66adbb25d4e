#include "autodiff/tape.hpp"

#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include "autodiff/grad.hpp"
#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/shape_rules.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

// Which Vars are good.

TEST_CASE("a Var that was recorded before a clear is refused, and says so") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}}), constant = tape.constant(M{{3, 4}});
  const V y = x * constant;
  tape.clear();
  const V fresh = tape.variable(M{{5, 6}});
  const std::string stale = ": a Var was recorded before its tape was cleared; record it anew";
  CHECK(message_of([&] { y.value(); }) == "value" + stale);
  CHECK(message_of([&] { y.shape(); }) == "shape" + stale);
  CHECK(message_of([&] { y.depends(); }) == "depends" + stale);
  CHECK(message_of([&] { y.item(); }) == "value" + stale);
  CHECK(message_of([&] { constant.value(); }) == "value" + stale);
  CHECK(message_of([&] { exp(x); }) == "exp" + stale);
  CHECK(message_of([&] { fresh* y; }) == "multiply" + stale);
  CHECK(message_of([&] { y* fresh; }) == "multiply" + stale);
  CHECK(message_of([&] { grad(y, fresh); }) == "grad" + stale);
  CHECK(message_of([&] { grad(sum(fresh), x); }) == "grad" + stale);
  CHECK(contains(message_of([&] { grad(fresh, fresh, {.seed = y}); }), stale));
  // Copies and assignments of stale Vars harm nobody.
  V copy = y;
  copy = x;
  copy = fresh;
  CHECK(copy.value()(0, 1) == 6);
}

TEST_CASE("a recorded Var that outlives its tape is refused, an unrecorded one lives on") {
  V recorded, loose, sum_of_loose;
  {
    Tape<double> tape;
    recorded = tape.variable(M{{1, 2}});
    const WithoutRecording<double> scope(tape);
    loose = exp(tape.constant(M{{0, 0}}));
  }
  CHECK(message_of([&] { recorded.value(); }) == "value: a Var has outlived its tape");
  CHECK(message_of([&] { recorded + loose; }) == "add: a Var has outlived its tape");
  CHECK(loose.value()(0, 1) == 1);
  sum_of_loose = loose + loose;  // still computes, on memory that the last Var will free
  CHECK(sum_of_loose.value()(0, 0) == 2);
}

TEST_CASE("unrecorded Vars live on after a clear") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  const V g = grad(sum(square(x)), x);
  V kept;
  {
    const WithoutRecording<double> scope(tape);
    kept = exp(x) * x;
  }
  const M before(kept.value());
  tape.clear();
  CHECK(g.value()(0, 1) == 4);
  CHECK(same_bits(kept.value(), before));
  // As a constant of the next recording it shares its memory with the tape; that too survives the next clear.
  for (int round = 0; round < 3; ++round) {
    const V z = tape.variable(M{{3, 4}});
    const V h = grad(sum(z * kept), z);
    CHECK(same_bits(h.value(), before));
    tape.clear();
  }
  CHECK(same_bits(kept.value(), before));
  CHECK(tape.buffers() == 2);
}

TEST_CASE("Vars of two tapes do not mix") {
  Tape<double> one, two;
  const V a = one.variable(M{{1}}), b = two.variable(M{{2}});
  CHECK(message_of([&] { a + b; }) == "add: its operands live on different tapes");
  CHECK(message_of([&] { linear(a, a, b); }) == "linear: its operands live on different tapes");
  const WithoutRecording<double> scope(two);
  const V loose = two.constant(M{{2}});
  CHECK(message_of([&] { a* loose; }) == "multiply: its operands live on different tapes");
}

TEST_CASE("an empty Var is refused everywhere but in assignments") {
  V empty;
  CHECK_FALSE(empty);
  CHECK(message_of([&] { empty.value(); }) == "value: a Var is empty; it must hold a value");
  CHECK(message_of([&] { empty.rows(); }) == "shape: a Var is empty; it must hold a value");
  CHECK(message_of([&] { exp(empty); }) == "exp: a Var is empty; it must hold a value");
  Tape<double> tape;
  const V x = tape.variable(M{{1}});
  CHECK(message_of([&] { x + empty; }) == "add: a Var is empty; it must hold a value");
  V moved = x;
  V target = std::move(moved);
  CHECK_FALSE(moved);  // NOLINT: moved-from Vars are empty by contract
  CHECK(target);
  const V& itself = target;
  target = itself;
  CHECK(target.item() == 1);
  target = {};
  CHECK_FALSE(target);
}

TEST_CASE("item wants a 1x1 value, full a shape that is not negative") {
  Tape<double> tape;
  CHECK(message_of([&] { tape.full({2, 3}, 1).item(); }) == "item: the value is 2x3; it must be 1x1");
  CHECK(contains(message_of([&] { tape.full({-1, 3}, 1); }), "an extent is -1"));
  const Index too_many = 1518500250;  // its square times 8 is 2^64 and some 290 million
  CHECK_THROWS_AS(tape.full({too_many, too_many}, 0), std::bad_alloc);
  CHECK(tape.full({0, 3}, 1).shape() == Shape{0, 3});
  const std::int32_t labels[] = {3, 0};
  CHECK(same_bits(tape.labels(labels).value(), M{{3}, {0}}));
}

TEST_CASE("labels that a float cannot tell apart are refused, in double they are kept") {
  constexpr std::int32_t limit = 1 << 24;
  const std::int32_t inside[] = {3, limit - 1}, outside[] = {3, limit + 1}, below[] = {3, -limit - 1};
  Tape<float> narrow;
  CHECK(narrow.labels(inside).value()(1, 0) == static_cast<float>(limit - 1));
  CHECK(message_of([&] { narrow.labels(outside); }) ==
        "labels: label 16777217 in row 1; whole numbers from 16777216 on are not exact in float, use double");
  CHECK_THROWS_AS(narrow.labels(below), InputError);
  CHECK(Tape<double>().labels(outside).value()(1, 0) == limit + 1);
}

// Recording.

TEST_CASE("WithoutRecording ends with its scope, also when it is left by an exception") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  const Index nodes = tape.nodes();
  try {
    const WithoutRecording<double> outer(tape);
    {
      const WithoutRecording<double> inner(tape);
      CHECK_FALSE(exp(x).depends());
    }
    CHECK_FALSE(exp(x).depends());  // the inner scope does not end the outer one
    x + tape.variable(M(3, 3));
    FAIL("the shapes do not fit");
  } catch (const InputError&) {
  }
  CHECK(tape.nodes() == nodes);
  CHECK(exp(x).depends());
}

TEST_CASE("only what depends on a variable is recorded") {
  Tape<double> tape;
  const V c = tape.constant(M{{1, 2}});
  CHECK_FALSE(c.depends());
  const Index nodes = tape.nodes();
  CHECK_FALSE((exp(c) + c * 3).depends());
  CHECK(tape.nodes() == nodes);
  const V x = tape.variable(M{{1, 2}});
  CHECK(x.depends());
  CHECK((x * c).depends());
  CHECK_FALSE(sign(x).depends());
  CHECK_FALSE(gate(c, x).depends());  // a mask is constant in what it looks at
}

TEST_CASE("a detached Var is a constant of the same value in the same memory") {
  const M held{{5, 6}};
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}}), borrowed = tape.borrowed_variable(held);
  const V y = exp(x);
  for (const V& var : {x, borrowed, y, detached(y)}) {
    const Index buffers = tape.buffers();
    const V constant = detached(var);
    CHECK_FALSE(constant.depends());
    CHECK(constant.value().data() == var.value().data());
    CHECK(tape.buffers() == buffers);
    CHECK(all_zero(grad(sum(constant), x).value()));
  }
  // What lends its memory to a result does not take it from the other.
  V lent = detached(y);
  const M before(y.value());
  lent = 3 * std::move(lent);
  CHECK(same_bits(y.value(), before));
  CHECK(same_bits(grad(sum(y), x).value(), before));
  CHECK(message_of([] { detached(V()); }) == "detached: a Var is empty; it must hold a value");
  const V kept = detached(y);
  tape.clear();
  CHECK(same_bits(kept.value(), before));
}

// Memory.

TEST_CASE("borrowed leaves are not copied and not written to") {
  const M held = random_matrix({4, 5}, 1);
  const M before = held;
  Tape<double> tape;
  V x = tape.borrowed_variable(held), c = tape.borrowed_constant(held);
  CHECK(x.value().data() == held.data());
  CHECK(c.value().data() == held.data());
  CHECK(tape.buffers() == 0);
  const V copied = tape.variable(held);
  CHECK(copied.value().data() != held.data());
  const V y = relu(std::move(c)) + relu(std::move(x));
  CHECK(tape.buffers() >= 1);
  CHECK(held == before);
  {
    const WithoutRecording<double> scope(tape);
    const V z = exp(tape.borrowed_constant(held));
    CHECK(z.value().data() != held.data());
  }
  CHECK(held == before);
}

TEST_CASE("an operand that is moved in lends its memory, one that is kept is left alone") {
  const M values = random_matrix({20, 30}, 1);
  const Index bytes = values.size() * static_cast<Index>(sizeof(double));
  Tape<double> tape;
  const WithoutRecording<double> scope(tape);
  V x = tape.constant(values);
  const double* memory = x.value().data();

  const V y = relu(x);  // x is still in use
  CHECK(tape.buffers() == 2);
  CHECK(same_bits(x.value(), values));
  const V same_value = x;
  const V z = exp(std::move(x));  // another Var still names the value
  CHECK(tape.buffers() == 3);
  CHECK(same_bits(same_value.value(), values));

  V w = tape.constant(values);
  memory = w.value().data();
  w = tanh(std::move(w));
  CHECK(w.value().data() == memory);
  w = 2 * (1 - square(std::move(w)));
  CHECK(w.value().data() == memory);
  CHECK(tape.buffers() == 4);
  CHECK(tape.peak_bytes() < 5 * bytes);
}

TEST_CASE("one operand used twice is not overwritten while it is read") {
  const M values = random_matrix({3, 4}, 1);
  M squares = values;
  for (double& value : squares.span()) value *= value;
  Tape<double> tape;
  for (const bool recorded : {false, true}) {
    CAPTURE(recorded);
    const auto leaf = [&] { return recorded ? tape.variable(values) : tape.constant(values); };
    V x = leaf();
    V copy = x;
    CHECK(same_bits((std::move(x) * copy).value(), squares));
    x = leaf();
    copy = x;
    CHECK(same_bits((copy * std::move(x)).value(), squares));
    CHECK(same_bits(copy.value(), values));
    x = leaf();
    CHECK(same_bits((x * x).value(), squares));
    CHECK(same_bits(x.value(), values));
    copy = x;
    CHECK(same_bits((std::move(x) * std::move(copy)).value(), squares));
    // c + c cᵀ with c moved into the sum, while the product reads it
    x = recorded ? tape.variable(M{{2}}) : tape.constant(M{{2}});
    CHECK(add_product(x, x, x).item() == 6);
    copy = x;
    CHECK(add_product(std::move(x), copy, copy).item() == 6);
  }
}

TEST_CASE("an operand whose value a rule reads is not taken over, though it is moved in") {
  Tape<double> tape;
  V x = tape.variable(M{{0.5, 1}});
  const V kept = x;
  V y = exp(x);  // its rule reads its output
  const M e(y.value());
  const V z = 3 * std::move(y);
  const V g = grad(sum(square(z)), kept);  // 18 e^2x
  CHECK_THAT(g.value()(0, 0), WithinRel(18 * e(0, 0) * e(0, 0), tolerance<double>(1)));
  CHECK_THAT(g.value()(0, 1), WithinRel(18 * e(0, 1) * e(0, 1), tolerance<double>(1)));
}

TEST_CASE("a gradient that is recorded may be moved into an operation") {
  Tape<double> tape;
  const V x = tape.variable(M{{0.5, 1}});
  V g = grad(sum(x + exp(x)), x, {.create_graph = true});
  const V h = relu(std::move(g));
  CHECK_THAT(grad(sum(h), x).value()(0, 1), WithinRel(std::exp(1.0), tolerance<double>(2)));
  // The cotangent that both operands of a sum receive is one value under two handles.
  const V y = tape.variable(M{{2, 3}});
  auto both = grad(sum(square(x + y)), std::vector{x, y});
  const M second(both[1].value());
  both[0] = 5 * std::move(both[0]);
  CHECK(same_bits(both[1].value(), second));
}

TEST_CASE("values that no rule will read are freed early") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({8, 8}, 1));
  SECTION("a chain of sums and scalings keeps two values") {
    V y = x;
    for (int i = 0; i < 100; ++i) y = 0.5 * (y + 1);
    CHECK(tape.buffers() == 2);
    CHECK(tape.nodes() == 201);
    CHECK_THAT(grad(sum(y), x).value()(0, 0), WithinRel(0x1p-100, tolerance<double>(1)));
  }
  SECTION("operations that read their output keep one value each") {
    V y = x;
    for (int i = 0; i < 10; ++i) y = tanh(y + 1);
    CHECK(tape.buffers() == 1 + 10);
    CHECK(all_finite(grad(sum(y), x).value()));
    CHECK(tape.buffers() == 1 + 10);
  }
  SECTION("memory follows the last Var") {
    V y = exp(x);
    CHECK(tape.buffers() == 2);
    y = {};  // still kept for its rule
    CHECK(tape.buffers() == 2);
    V z = x + 1;
    CHECK(tape.buffers() == 3);
    z = {};
    CHECK(tape.buffers() == 2);
    tape.clear();
    CHECK(tape.buffers() == 0);
  }
}

TEST_CASE("a cleared tape records the same graph in the same memory") {
  Tape<double> tape;
  std::size_t held = 0;
  for (int round = 0; round < 3; ++round) {
    const V x = tape.variable(random_matrix({8, 8}, 1));
    const V g = grad(sum(square(exp(x))), x);
    const auto& pool = detail::Graph<double>::of("test", x).pool;
    if (round > 0) CHECK(pool.bytes_held() == held);
    held = pool.bytes_held();
    tape.clear();
  }
  CHECK(tape.nodes() == 0);
  CHECK(tape.buffers() == 0);
}

TEST_CASE("a thousand penalised steps neither gather nodes nor memory") {
  Tape<double> tape;
  const M data = random_matrix({6, 4}, 1);
  M w1 = random_matrix({5, 4}, 2), w2 = random_matrix({3, 5}, 3);
  const std::int32_t classes[] = {0, 1, 2, 0, 1, 2};
  Index nodes = 0, buffers = 0, bytes = 0;
  std::size_t held = 0;
  for (int step = 0; step < 1000; ++step) {
    const V a = tape.borrowed_variable(w1), b = tape.borrowed_variable(w2);
    const V x = tape.variable(data);
    const V f = linear(tanh(linear(x, a)), b);
    const V g = grad(f, x, {.seed = tape.full(f.shape(), 1), .create_graph = true});
    const V penalty = mean(sqrt(clamp_min(row_sum(square(g)), 1e-8)));
    const V loss = mean(cross_entropy_rows(f, tape.labels(classes))) + 0.1 * penalty;
    const auto gradients = grad(loss, std::vector{a, b});
    const auto now_held = detail::Graph<double>::of("test", a).pool.bytes_held();
    if (step == 1) nodes = tape.nodes(), buffers = tape.buffers(), bytes = tape.peak_bytes(), held = now_held;
    if (step > 1 &&
        (tape.nodes() != nodes || tape.buffers() != buffers || tape.peak_bytes() != bytes || now_held != held)) {
      CAPTURE(step, tape.nodes(), nodes, tape.buffers(), buffers, tape.peak_bytes(), bytes, now_held, held);
      FAIL("the tape has grown");
    }
    for (std::size_t i = 0; i < w1.span().size(); ++i) w1.span()[i] -= 0.01 * gradients[0].value().span()[i];
    for (std::size_t i = 0; i < w2.span().size(); ++i) w2.span()[i] -= 0.01 * gradients[1].value().span()[i];
    tape.clear();
    if (tape.nodes() != 0) FAIL("clear leaves nodes");
  }
  CHECK(tape.buffers() == 0);
  CHECK(all_finite(w1));
}

// Failures.

TEST_CASE("an operation that throws leaves the tape usable and leaks nothing") {
  Tape<double> tape;
  const std::int32_t good[] = {0, 2}, bad[] = {0, 3};
  {
    const V x = tape.variable(random_matrix({2, 3}, 1));
    const Index buffers = tape.buffers(), nodes = tape.nodes();
    for (int i = 0; i < 5; ++i) {
      CHECK_THROWS_AS(cross_entropy_rows(x, tape.labels(bad)), InputError);
      CHECK_THROWS_AS(x + tape.constant(M(5, 5)), InputError);
    }
    CHECK(tape.nodes() <= nodes + 10);  // the constants of the failed calls
    CHECK(tape.buffers() <= buffers + 5);
    const V loss = sum(cross_entropy_rows(x, tape.labels(good)));
    CHECK(grad(loss, x).shape() == Shape{2, 3});
  }
  tape.clear();
  CHECK(tape.nodes() == 0);
  CHECK(tape.buffers() == 0);
  {
    const WithoutRecording<double> scope(tape);
    const V x = tape.constant(M(2, 3));
    CHECK_THROWS_AS(cross_entropy_rows(x, tape.labels(bad)), InputError);
    CHECK(tape.buffers() == 1);
  }
  CHECK(tape.buffers() == 0);
}

// Its pullbacks read an input that is declared for the other one, its pushforward the output; that of b has a's shape.
constexpr Primitive<double> faulty_op = {
    .name = "faulty",
    .arity = 2,
    .shape = broadcast_shape,
    .value = [](const Call<double>& call) { std::ranges::copy(call.x[0].span(), call.y.data()); },
    .pullback = {[](V g, const Recorded<double>& r) { return g * r.x(1); },
                 [](V g, const Recorded<double>&) { return g; }},
    .pushforward = {[](V t, const Recorded<double>& r) { return t * r.y(); }},
    .reads = {Reads::nothing, Reads::x1}};

TEST_CASE("a rule that reads what it does not declare is found out, even where the value is still there") {
  Tape<double> tape;
  V a = tape.variable(M{{1, 2}}), b = tape.variable(M{{3, 4}});
  const V x = a, y = apply(faulty_op, {&a, &b});
  CHECK(message_of<std::logic_error>([&] { grad(sum(y), x); }) ==
        "faulty: a rule of input 0 reads an input but the primitive does not declare it");
  CHECK(message_of<std::logic_error>([&] {
          jvp(2 * y, x, tape.full({1, 2}, 1));
        }) == "faulty: a rule of input 0 reads the output but the primitive does not declare it");
}

TEST_CASE("a rule that returns another shape is found out") {
  Tape<double> tape;
  V a = tape.constant(M{{1, 2}, {3, 4}}), b = tape.variable(M{{5, 6}});
  const V x = b, y = apply(faulty_op, {&a, &b});
  CHECK(message_of<std::logic_error>([&] { grad(sum(y), x); }) ==
        "faulty: a rule of input 1 returns 2x2; it must be 1x2");
}

constexpr Primitive<double> empty_handed_op = {
    .name = "empty_handed",
    .arity = 1,
    .shape = same_shape,
    .value = [](const Call<double>& call) { std::ranges::copy(call.x[0].span(), call.y.data()); },
    .pullback = {[](V, const Recorded<double>&) { return V(); }},
    .pushforward = {[](V, const Recorded<double>&) { return V(); }}};

// x xᵀ, with the rule of its first operand alone: a product of the wrong shape.
constexpr Primitive<double> wrong_product_op = {
    .name = "wrong_product",
    .arity = 1,
    .shape = same_shape,
    .value = [](const Call<double>& call) { std::ranges::copy(call.x[0].span(), call.y.data()); },
    .pullback = {[](V g, const Recorded<double>& r) {
      return Product<double>{std::move(g), r.x(), {.b = true}};
    }},
    .reads = {Reads::x0}};

TEST_CASE("a rule that returns a product of another shape is found out") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  V a = x;
  const V y = apply(wrong_product_op, {&a});
  CHECK(message_of<std::logic_error>([&] { grad(sum(y), x); }) ==
        "wrong_product: a rule of input 0 returns 1x1; it must be 1x2");
}

TEST_CASE("a rule that returns no value is found out") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 2}});
  V a = x;
  const V y = apply(empty_handed_op, {&a});
  const std::string wanted = "empty_handed: a rule of input 0 returns an empty Var; it must be 1x2";
  CHECK(message_of<std::logic_error>([&] { grad(sum(y), x); }) == wanted);
  CHECK(message_of<std::logic_error>([&] { jvp(y, x, tape.full({1, 2}, 1)); }) == wanted);
}

// Its pullback looks at its attribute after it has recorded so much that the nodes have moved.
constexpr Primitive<double> attentive_op = {
    .name = "attentive",
    .arity = 1,
    .shape = same_shape,
    .value = [](const Call<double>& call) { std::ranges::copy(call.x[0].span(), call.y.data()); },
    .pullback = {[](V g, const Recorded<double>& r) {
      const auto& attribute = r.attribute();
      for (int i = 0; i < 5000; ++i) g = g + r.x();
      return g * attribute.scalar;
    }},
    .reads = {Reads::x0}};

TEST_CASE("a rule may look at its attribute while it records") {
  Tape<double> tape;
  const V x = tape.variable(M{{1}});
  V a = x;
  const V y = apply(attentive_op, {&a}, {.scalar = 3});
  CHECK(grad(y, x, {.create_graph = true}).item() == 15003);
  static_assert(!std::is_reference_v<decltype(std::declval<const Recorded<double>&>().attribute())>);
}

TEST_CASE("a primitive is applied to as many inputs as it has") {
  Tape<double> tape;
  V a = tape.variable(M{{1, 2}});
  CHECK(message_of<std::logic_error>([&] { apply(faulty_op, {&a}); }) ==
        "faulty: applied to 1 inputs but its arity is 2");
}

TEST_CASE("a primitive without a value or a shape is refused") {
  static constexpr Primitive<double> no_value{.name = "no_value", .arity = 1, .shape = same_shape, .value = nullptr};
  static constexpr Primitive<double> no_shape{
      .name = "no_shape", .arity = 1, .shape = nullptr, .value = [](const Call<double>&) {}};
  Tape<double> tape;
  V a = tape.variable(M{{1, 2}});
  CHECK(message_of<std::logic_error>([&] { apply(no_value, {&a}); }) == "no_value: has no value function");
  CHECK(message_of<std::logic_error>([&] { apply(no_shape, {&a}); }) == "no_shape: has no shape function");
}

TEST_CASE("a tape and its Vars may go in any order") {
  std::vector<V> vars;
  auto tape = std::make_unique<Tape<double>>();
  for (int i = 0; i < 3; ++i) vars.push_back(tape->variable(M{{1, 2}}));
  vars.push_back(grad(sum(vars[0] * vars[1]), vars[0]));
  vars.push_back(vars[3] + vars[3]);
  SECTION("the tape first") { tape.reset(); }
  SECTION("the Vars first") { vars.clear(); }
  SECTION("mixed") {
    vars.erase(vars.begin(), vars.begin() + 2);
    tape.reset();
    CHECK(vars.at(2).value()(0, 1) == 4);
  }
}

}  // namespace
}  // namespace normalign::tests
