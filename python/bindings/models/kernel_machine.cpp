#include "python/bindings/models/kernel_machine.hpp"

#include <pybind11/stl/filesystem.h>

#include "base/error.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/support/computation.hpp"
#include "python/bindings/support/printed.hpp"
#include "rfm/agop.hpp"

namespace normalign::python {
namespace {

using namespace py::literals;

// ---- how one is made -------------------------------------------------------------------------------------------

template <class T>
Matrix<T> matrix(const char* name, const py::array& array) {
  return Matrix<T>(MatrixArgument<T>(name, array).view());
}

template <class T>
std::unique_ptr<Machine> made(const Kernel& kernel, const py::array& centres, const py::array& metric,
                              const py::array& coefficients, const std::optional<py::array>& directions) {
  PlacedMachine<T> placed{.machine = {kernel, matrix<T>("centres", centres), matrix<T>("metric", metric),
                                      matrix<T>("coefficients", coefficients)}};
  if (directions) {
    placed.span = SpanCoordinates<T>::along(matrix<T>("directions", *directions));
    if (placed.span->coordinates() != placed.machine.inputs())
      throw InputError(text("directions: found ", placed.span->coordinates() - 1, " rows, expected ",
                            placed.machine.inputs() - 1, ", one fewer than the metric has"));
  }
  return std::make_unique<Machine>(std::move(placed));
}

std::unique_ptr<Machine> from_arrays(const ArrayLike& centres, const ArrayLike& metric, const ArrayLike& coefficients,
                                     const std::string& kernel, double bandwidth, double exponent,
                                     const std::optional<ArrayLike>& directions) {
  const Kernel shape = kernel_of(kernel, bandwidth, exponent);
  const py::array x = array_of("centres", centres), m = array_of("metric", metric),
                  a = array_of("coefficients", coefficients);
  std::optional<py::array> q;
  if (directions) q = array_of("directions", *directions);
  if (is_float32(x) && is_float32(m) && is_float32(a) && (!q || is_float32(*q))) return made<float>(shape, x, m, a, q);
  return made<double>(shape, x, m, a, q);
}

template <class T>
std::unique_ptr<Machine> machine_in(const TensorFile& file) {
  PlacedMachine<T> placed{.machine = kernel_machine_from<T>(file)};
  placed.span = span_in<T>(file, placed.machine.inputs());
  return std::make_unique<Machine>(std::move(placed));
}

std::unique_ptr<Machine> loaded(const std::filesystem::path& path) {
  return without_lock([&] {
    const TensorFile file = read_safetensors(path);
    try {
      const auto centres = file.tensors.find("centres");
      const bool is_float = centres != file.tensors.end() && centres->second.values.index() == 0;
      return is_float ? machine_in<float>(file) : machine_in<double>(file);
    } catch (const InputError& error) {
      throw InputError(path.string() + ": " + error.what());
    }
  });
}

// ---- what one does ---------------------------------------------------------------------------------------------

// Calls visit(row, J) with the Jacobian (c x d) at each row of x, from any thread.
template <class T, class Visit>
void visit_jacobians_in_inputs(const PlacedMachine<T>& placed, ConstView<T> x, int threads, const StopPoll& stop,
                               const Visit& visit) {
  if (!placed.span) {
    placed.machine.visit_jacobians(x, visit, threads, stop);
    return;
  }
  const SpanCoordinates<T>& span = *placed.span;
  const Index last = span.coordinates() - 1;
  Matrix<T> rest(x.rows(), x.cols());
  const Matrix<T> points = span.of(x, rest);
  placed.machine.visit_jacobians(
      points,
      [&](Index row, ConstView<T> along) {
        Matrix<T> jacobian = span.in_inputs(along);
        // The last coordinate is the rest's length, whose gradient is the rest over it, and is 0 where there is none.
        const T length = points(row, last);
        if (length > 0)
          for (Index c = 0; c < jacobian.rows(); ++c)
            for (Index j = 0; j < jacobian.cols(); ++j) jacobian(c, j) += along(c, last) * (rest(row, j) / length);
        visit(row, jacobian);
      },
      threads, stop);
}

template <class T>
Matrix<T> jacobians_at(const PlacedMachine<T>& placed, ConstView<T> x, int threads, const std::function<bool()>& stop) {
  const Index c = placed.machine.outputs();
  Matrix<T> all = unset_matrix<T>(x.rows() * c, x.cols());  // row i c + o: output o at row i of x
  visit_jacobians_in_inputs(placed, x, threads, StopPoll("jacobian", stop), [&](Index row, ConstView<T> jacobian) {
    std::ranges::copy(jacobian.span(), all.row(row * c).data());
  });
  return all;
}

template <class T>
Matrix<T> outer_products_at(const PlacedMachine<T>& placed, ConstView<T> x, int threads,
                            const std::function<bool()>& stop) {
  if (!placed.span) {
    const std::vector<Index> once(static_cast<std::size_t>(x.rows()), 1);
    return agop<T>(placed.machine, x, once, threads, StopPoll("agop", stop));
  }
  constexpr Index rows_at_a_time = 256;
  Matrix<T> result(x.cols(), x.cols());
  for (Index first = 0; first < x.rows(); first += rows_at_a_time) {
    const Index rows = std::min(rows_at_a_time, x.rows() - first);
    // (rows c x d)ᵀ, rows c x d
    syrk<T>(jacobians_at(placed, x.row_block(first, rows), threads, stop), result, T(1) / static_cast<T>(x.rows()),
            T(1));
  }
  return result;
}

// In double whatever the machine is in, as the command `importances` has it.
template <class T>
std::vector<double> shares_of_features(const PlacedMachine<T>& placed, int threads, const StopPoll& stop) {
  const KernelMachine<T>& machine = placed.machine;
  const KernelMachine<double> exact(machine.kernel(), converted<double>(machine.centres().view()),
                                    converted<double>(machine.metric().view()),
                                    converted<double>(machine.coefficients().view()));
  const std::vector<Index> once(static_cast<std::size_t>(exact.centres().rows()), 1);
  const Matrix<double> products = agop<double>(exact, exact.centres(), once, threads, stop);
  std::optional<SpanCoordinates<double>> span;
  if (placed.span) span = SpanCoordinates<double>::along(converted<double>(placed.span->directions()));
  std::vector<double> shares = diagonal_in_inputs(products, span);
  const double trace = total<double>(shares);
  if (!(trace > 0)) throw InputError("machine: found slopes of 0 at all its centres, expected some that are not");
  for (double& share : shares) share /= trace;
  return shares;
}

py::array outputs(const Machine& machine, const ArrayLike& x, std::optional<int> threads) {
  const int count = thread_count(threads);
  return machine.at("X", x, [&]<class T>(const PlacedMachine<T>& placed, ConstView<T> rows) {
    return array_from(without_lock([&] { return outputs_at<T>(placed, rows, count); }));
  });
}

py::array jacobians(const Machine& machine, const ArrayLike& x, std::optional<int> threads) {
  const int count = thread_count(threads);
  return machine.at("X", x, [&]<class T>(const PlacedMachine<T>& placed, ConstView<T> rows) {
    Matrix<T> all =
        interruptible([&](const std::function<bool()>& stop) { return jacobians_at<T>(placed, rows, count, stop); });
    return owning_array(std::move(all), {rows.rows(), placed.machine.outputs(), rows.cols()});
  });
}

py::array outer_products(const Machine& machine, const ArrayLike& x, std::optional<int> threads) {
  const int count = thread_count(threads);
  return machine.at("X", x, [&]<class T>(const PlacedMachine<T>& placed, ConstView<T> rows) {
    return array_from(interruptible(
        [&](const std::function<bool()>& stop) { return outer_products_at<T>(placed, rows, count, stop); }));
  });
}

py::array importances(const Machine& machine, std::optional<int> threads) {
  const int count = thread_count(threads);
  return array_from(interruptible([&](const std::function<bool()>& stop) {
    return machine.visit(
        [&](const auto& placed) { return shares_of_features(placed, count, StopPoll("importances", stop)); });
  }));
}

py::array metric_in_inputs(const Machine& machine) {
  return machine.visit([]<class T>(const PlacedMachine<T>& placed) {
    return array_from(placed.span ? placed.span->metric_in_inputs(placed.machine.metric())
                                  : Matrix<T>(placed.machine.metric()));
  });
}

// ---- what it holds ---------------------------------------------------------------------------------------------

// A matrix of the machine that `part` gives, as a view.
template <class Part>
py::array view(const py::object& self, const Part& part) {
  return self.cast<const Machine&>().visit([&](const auto& placed) {
    const auto& values = part(placed);
    return borrowed_array(values.data(), {values.rows(), values.cols()}, self);
  });
}

py::array centres(const py::object& self) {
  return view(
      self, [](const auto& placed) -> const auto& { return placed.machine.centres(); });
}
py::array metric(const py::object& self) {
  return view(
      self, [](const auto& placed) -> const auto& { return placed.machine.metric(); });
}
py::array coefficients(const py::object& self) {
  return view(
      self, [](const auto& placed) -> const auto& { return placed.machine.coefficients(); });
}
py::object directions(const py::object& self) {
  if (self.cast<const Machine&>().visit([](const auto& placed) { return !placed.span; })) return py::none();
  return view(self, [](const auto& placed) { return placed.span->directions(); });
}

std::string described(const Machine& machine) {
  const Kernel& kernel = machine.kernel();
  const Index centres = machine.visit([](const auto& placed) { return placed.machine.centres().rows(); });
  return text("KernelMachine(", machine.inputs(), " inputs, ", machine.outputs(),
              machine.outputs() == 1 ? " output, " : " outputs, ", centres, centres == 1 ? " centre" : " centres",
              ", kernel='", name_of(kernel.shape), "', bandwidth=", kernel.bandwidth,
              kernel.shape == KernelShape::generalised_laplace ? text(", exponent=", kernel.exponent) : "", ", ",
              machine.is_double() ? "float64" : "float32", ")");
}

py::tuple state(const py::object& self) {
  const Kernel& kernel = self.cast<const Machine&>().kernel();
  return py::make_tuple(centres(self), metric(self), coefficients(self), name_of(kernel.shape), kernel.bandwidth,
                        kernel.exponent, directions(self));
}

std::unique_ptr<Machine> from_state(const py::tuple& state) {
  const Kernel kernel{.shape = kernel_shape(state[3].cast<std::string>()),
                      .bandwidth = state[4].cast<double>(),
                      .exponent = state[5].cast<double>()};
  const py::array centres = state[0];
  const auto directions = state[6].cast<std::optional<py::array>>();
  return is_float32(centres) ? made<float>(kernel, centres, state[1], state[2], directions)
                             : made<double>(kernel, centres, state[1], state[2], directions);
}

void bind_properties(py::class_<Machine>& type) {
  type.def_property_readonly("centres", &centres, "x_i (n, d), which cannot be written to; in coordinates (n, r + 1).")
      .def_property_readonly("metric", &metric, "M (d, d), which cannot be written to; in coordinates (r + 1, r + 1).")
      .def_property_readonly("coefficients", &coefficients, "a_i (n, c), which cannot be written to.")
      .def_property_readonly("directions", &directions, R"(
None, or orthonormal directions (r, d): centres and metric are then in coordinates along these, with the length of what
is left as the last one.)")
      .def_property_readonly(
          "kernel", [](const Machine& machine) { return std::string(name_of(machine.kernel().shape)); },
          "'laplace', 'gaussian' or 'generalised_laplace'.")
      .def_property_readonly(
          "bandwidth", [](const Machine& machine) { return machine.kernel().bandwidth; },
          "L, in the units of the distance.")
      .def_property_readonly(
          "exponent", [](const Machine& machine) { return machine.kernel().exponent; }, "p, of generalised_laplace.")
      .def_property_readonly("inputs", &Machine::inputs, "d, the columns of X.")
      .def_property_readonly("outputs", &Machine::outputs, "c.")
      .def_property_readonly(
          "dtype",
          [](const Machine& machine) { return machine.is_double() ? py::dtype::of<double>() : py::dtype::of<float>(); },
          "float32 or float64, in which it computes.");
}

}  // namespace

Index Machine::inputs() const {
  return visit([](const auto& placed) { return placed.inputs(); });
}
Index Machine::outputs() const {
  return visit([](const auto& placed) { return placed.machine.outputs(); });
}
const Kernel& Machine::kernel() const {
  return visit([](const auto& placed) -> const Kernel& { return placed.machine.kernel(); });
}

template <class T>
Matrix<T> outputs_at(const PlacedMachine<T>& placed, ConstView<T> x, int threads) {
  return placed.span ? normalign::outputs_at(*placed.span, placed.machine, x, threads)
                     : placed.machine.outputs_at(x, threads);
}

TensorFile tensor_file(const Machine& machine) {
  return machine.visit([](const auto& placed) {
    TensorFile file = normalign::tensor_file(placed.machine);
    if (placed.span) add_directions(file, *placed.span);
    return file;
  });
}

Kernel kernel_of(const std::string& name, double bandwidth, double exponent) {
  const Kernel kernel{.shape = kernel_shape(name), .bandwidth = bandwidth, .exponent = exponent};
  check(kernel);
  if (kernel.shape != KernelShape::generalised_laplace && exponent != 1)
    throw InputError(
        text("exponent: found ", exponent, " with kernel '", name, "', expected one with 'generalised_laplace' alone"));
  return kernel;
}

template Matrix<float> outputs_at(const PlacedMachine<float>&, ConstView<float>, int);
template Matrix<double> outputs_at(const PlacedMachine<double>&, ConstView<double>, int);

void bind_kernel_machines(py::module_& module) {
  py::class_<Machine> type(module, "KernelMachine", printed(), R"(
The predictor of kernel ridge regression, f(x) = sum_i k(|x - x_i|_M) a_i with |v|_M^2 = v^T M v: d inputs, c outputs.

It never changes; threads may share it. It computes in float32 where all its arrays are float32, else in float64.)");
  type.def(py::init(&from_arrays), "centres"_a, "metric"_a, "coefficients"_a, py::kw_only(), "kernel"_a = "laplace",
           "bandwidth"_a = 10.0, "exponent"_a = 1.0, "directions"_a = py::none(), R"(
centres: x_i, (n, d). metric: M (d, d), symmetric, without negative eigenvalues. coefficients: a_i, (n, c). kernel:
'laplace' exp(-r/L), 'gaussian' exp(-r^2/(2 L^2)) or 'generalised_laplace' exp(-(r/L)^p). bandwidth: L. exponent: p in
(0, 2]. directions: see the property of that name. The arrays are copied.)")
      .def("__call__", &outputs, "X"_a, py::kw_only(), "threads"_a = py::none(), "f at the rows of X (m, d): (m, c).")
      .def("predict", &outputs, "X"_a, py::kw_only(), "threads"_a = py::none(), "f at the rows of X (m, d): (m, c).")
      .def("jacobian", &jacobians, "X"_a, py::kw_only(), "threads"_a = py::none(), R"(
The Jacobian of f at each row of X (m, d): (m, c, d). Centres at the very point contribute nothing: Laplace kernels have
a kink there.)")
      .def("agop", &outer_products, "X"_a, py::kw_only(), "threads"_a = py::none(), R"(
The average gradient outer product, the mean of J^T J over the rows of X (m, d): (d, d).)")
      .def("importances", &importances, py::kw_only(), "threads"_a = py::none(), R"(
The share of each feature (d,), with sum 1: the mean squared slope of the outputs along it at the centres, which is the
diagonal of the average gradient outer product over its trace. As the command `normalign importances` has it.)")
      .def("metric_in_inputs", &metric_in_inputs, R"(
M (d, d) as a copy: `metric` itself, or what it is in the inputs where the machine is in coordinates.)")
      .def(
          "save",
          [](const Machine& machine, const std::filesystem::path& path) {
            without_lock([&] { write_safetensors(path, tensor_file(machine)); });
          },
          "path"_a, R"(
Writes the machine to a safetensors file, which `load_machine` and the command `normalign predict` read. A file that is
there is replaced at once.)")
      .def(printed_method, &described)
      .def(py::pickle(&state, &from_state));
  bind_properties(type);
  module.def("load_machine", &loaded, "path"_a, R"(
The kernel machine in a safetensors file, as `KernelMachine.save` or `normalign tabular --save-model` write it.

The latter sees features with mean 0 and deviation 1 unless told otherwise, and scales targets likewise; how, stands in
the file for `normalign predict`, and is not applied here.)");
}

}  // namespace normalign::python
