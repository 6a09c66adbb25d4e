// A tape and its Vars as Python holds them: of either precision, and never left dangling.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "autodiff/check/nan_check.hpp"
#include "autodiff/tape.hpp"
#include "python/bindings/support/arrays.hpp"

namespace normalign::python {

class AnyTape;

/// A Var of either precision. It keeps its tape alive.
struct AnyVar {
  std::shared_ptr<AnyTape> tape;
  std::variant<Var<float>, Var<double>> var;

  /// It in that precision; throws InputError, opened by `name`, where it has the other one.
  template <class T>
  const Var<T>& as(const char* name) const;
  /// What visit(var) returns.
  template <class Visit>
  decltype(auto) visit(const Visit& visit) const {
    return std::visit(visit, var);
  }
};

/// A tape of either precision, with what its nodes borrow. The interpreter's lock is held in all that tapes do: a call
/// takes about as long as it would take to release it, and Vars that threads share are safe so.
class AnyTape : public std::enable_shared_from_this<AnyTape> {
 public:
  /// A tape of its own.
  static std::shared_ptr<AnyTape> made(bool is_double);
  /// One that C++ lends until `end_loan`; any use of the tape after that throws InputError.
  static std::shared_ptr<AnyTape> lent(Tape<double>& tape);
  void end_loan();
  /// The tape of a Var that C++ hands to Python in the midst of a sweep.
  template <class T>
  static std::shared_ptr<AnyTape> of(const Var<T>& var);
  ~AnyTape();
  AnyTape(const AnyTape&) = delete;
  AnyTape& operator=(const AnyTape&) = delete;

  /// Whether its values are float64, not float32.
  bool is_double() const { return std::holds_alternative<Held<double>>(held_); }
  /// What visit(tape) returns.
  template <class Visit>
  decltype(auto) visit(const Visit& visit) {
    return with_held([&](auto& held) -> decltype(auto) { return visit(held.get()); });
  }
  /// A result as Python holds it. Where its values belong to a network and no clear forgets it, it gets a copy.
  template <class T>
  AnyVar var(Var<T> var);

  /// Forgets the nodes and what they borrow. Throws InputError while a function of the caller's runs within a sweep.
  void clear();
  /// Keeps `object`, whose memory nodes borrow, until the next clear.
  void keep(const py::object& object);

  /// What is on for as long as anybody wants it, in whatever order the scopes end.
  enum class Scope { without_recording, nan_check };
  void enter(Scope scope);
  void leave(Scope scope);

  /// While it lives a function of the caller's runs within a sweep of the tape, or on a tape that is lent.
  class InUse {
   public:
    explicit InUse(std::shared_ptr<AnyTape> tape) : tape_(std::move(tape)) { ++tape_->uses_; }
    ~InUse() { --tape_->uses_; }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    std::shared_ptr<AnyTape> tape_;
  };

 private:
  template <class T>
  struct Held {
    std::unique_ptr<Tape<T>> own;
    Tape<T>* tape = own.get();                              // null after a loan
    Var<T> keeper = detail::Graph<T>::of(*tape).loose({});  // holds no value, but the graph, which outlives a loan
    std::unique_ptr<WithoutRecording<T>> without_recording = {};
    std::unique_ptr<NanCheck<T>> nan_check = {};

    Tape<T>& get() const {
      if (!tape) throw InputError("Tape: found that of a gradcheck which has ended, expected one that is there");
      return *tape;
    }
  };

  explicit AnyTape(std::variant<Held<float>, Held<double>> held);
  // Not by std::visit, which clang 14 cannot call with what uses members.
  template <class Use>
  decltype(auto) with_held(const Use& use) {
    if (auto* const held = std::get_if<Held<double>>(&held_)) return use(*held);
    return use(std::get<Held<float>>(held_));
  }
  const void* graph() const;

  std::vector<py::object> kept_;  // outlives the nodes
  std::variant<Held<float>, Held<double>> held_;
  int uses_ = 0, without_recording_ = 0, nan_checks_ = 0;
};

/// What an operation takes: a Var, or an array that becomes a constant.
struct Operand {
  py::object object;
  const AnyVar* var = nullptr;  // null: an array

  /// Of an argument; raises TypeError, opened by `name`, on None.
  static Operand of(const char* name, const py::object& argument);
  /// It on `tape`. Throws InputError, opened by `name`, on a Var of the other precision and as MatrixArgument does; of
  /// an array of one dimension it makes a column where `flat` allows it.
  enum class Flat { refused, column };
  template <class T>
  Var<T> on(const char* name, Tape<T>& tape, Flat flat = Flat::refused) const;
};

/// "float64" or "float32", and that as NumPy has it.
const char* precision_name(bool is_double);
py::dtype precision_dtype(bool is_double);

/// An argument as a number; raises TypeError where it is none.
double number_from(const py::handle& argument);

/// The tape that the operands are on. Throws InputError, opened by `name`, where no operand is a Var.
std::shared_ptr<AnyTape> tape_of(const char* name, std::initializer_list<const Operand*> operands);

}  // namespace normalign::python

namespace pybind11::detail {

/// Takes a Var as it is, and any object else, which is looked at where its name is known.
template <>
struct type_caster<normalign::python::Operand> {
  PYBIND11_TYPE_CASTER(normalign::python::Operand, const_name("Union[normalign._core.Var, numpy.typing.ArrayLike]"));
  bool load(handle source, bool) {
    if (source.is_none()) return false;
    value.object = reinterpret_borrow<object>(source);
    make_caster<normalign::python::AnyVar> var;
    if (var.load(source, false)) value.var = &cast_op<const normalign::python::AnyVar&>(var);
    return true;
  }
};

}  // namespace pybind11::detail
