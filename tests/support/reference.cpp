#include "support/reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <stdexcept>

#include "support/catch.hpp"

namespace normalign::tests {

namespace fs = std::filesystem;

std::optional<fs::path> reference_folder() {
  if (const char* given = std::getenv("NORMALIGN_REFERENCE")) return fs::path(given);
  const fs::path usual = "../shared/data/reference";
  if (fs::is_directory(usual)) return usual;
  return std::nullopt;
}

std::vector<fs::path> reference_files(const fs::path& folder) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == ".json") files.push_back(file.path());
  std::ranges::sort(files);
  return files;
}

nlohmann::json read_json(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return nlohmann::json::parse(file);
}

namespace {
void append_numbers(const nlohmann::json& json, std::vector<double>& values) {
  if (json.is_number()) return values.push_back(json.get<double>());
  for (const auto& entry : json) append_numbers(entry, values);
}
}  // namespace

Matrix<double> matrix_of(const nlohmann::json& json) {
  if (json.is_number()) return {{json.get<double>()}};
  if (json.empty() || json.front().is_number()) return matrix_of(nlohmann::json::array({json}));
  std::vector<std::vector<double>> rows;
  for (const auto& row : json) {
    std::vector<double>& values = rows.emplace_back();
    append_numbers(row, values);
    if (values.size() != rows.front().size()) throw std::runtime_error("matrix_of: rows differ in length");
  }
  Matrix<double> result(static_cast<Index>(rows.size()), static_cast<Index>(rows.front().size()));
  for (Index i = 0; i < result.rows(); ++i) std::ranges::copy(rows[static_cast<std::size_t>(i)], result.row(i).begin());
  return result;
}

std::vector<Matrix<double>> parameters_of(const nlohmann::json& json) {
  std::vector<Matrix<double>> result;
  for (int layer = 0; json.contains(text('W', layer)); ++layer) {
    result.push_back(matrix_of(json.at(text('W', layer))));
    if (json.contains(text('b', layer))) result.push_back(matrix_of(json.at(text('b', layer))));
  }
  if (result.size() != json.size()) throw std::runtime_error("parameters_of: a tensor has an unknown name");
  return result;
}

ReferenceMlp read_reference_mlp(const fs::path& path) {
  const nlohmann::json json = read_json(path);
  const std::string loss = json.at("loss");
  ReferenceMlp result{.mlp = Mlp<double>({.widths = json.at("sizes").get<std::vector<Index>>(),
                                          .activation = activation(json.at("activation").get<std::string>()),
                                          .bias = json.at("bias")}),
                      .loss = loss == "cross_entropy" ? Loss::cross_entropy : Loss::mse,
                      .lambda = json.at("lambda_"),
                      .x = matrix_of(json.at("x")),
                      .labels = {},
                      .targets = {},
                      .projection = matrix_of(json.at("projection")),
                      .direction = parameters_of(json.at("direction")),
                      .expect = json.at("expect")};
  const std::vector<Matrix<double>> values = parameters_of(json.at("params"));
  const std::vector<MatrixView<double>> parameters = result.mlp.parameters();
  if (values.size() != parameters.size()) throw std::runtime_error(path.string() + ": another number of tensors");
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    if (values[p].shape() != parameters[p].shape()) throw std::runtime_error(path.string() + ": another shape");
    std::ranges::copy(values[p].span(), parameters[p].span().begin());
  }
  const Index n = result.x.rows(), k = result.mlp.options().widths.back();
  const auto& y = json.at("y");
  if (loss == "mse") {
    result.targets = Matrix<double>(n, 1);
    for (Index i = 0; i < n; ++i) result.targets(i, 0) = y.at(static_cast<std::size_t>(i));
  } else {
    if (loss != "cross_entropy" && loss != "mse_one_hot") throw std::runtime_error(path.string() + ": loss " + loss);
    result.labels = y.get<std::vector<std::int32_t>>();
    result.targets = Matrix<double>(n, k);
    for (Index i = 0; i < n; ++i) result.targets(i, result.labels[static_cast<std::size_t>(i)]) = 1;
  }
  return result;
}

double naive_activation(Activation activation, double t, double slope) {
  switch (activation) {
    case Activation::relu:
      return t > 0 ? t : 0;
    case Activation::leaky_relu:
      return t > 0 ? t : slope * t;
    case Activation::abs:
      return std::abs(t);
    case Activation::tanh:
      return std::tanh(t);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-t));
    case Activation::softplus:
      return std::max(t, 0.0) + std::log1p(std::exp(-std::abs(t)));
    case Activation::silu:
      return t / (1 + std::exp(-t));
    case Activation::gelu:
      return t * std::erfc(-t / std::sqrt(2)) / 2;
    case Activation::gelu_tanh:
      return t / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (t + 0.044715 * t * t * t)));
    case Activation::quadratic:
      return t * t;
    case Activation::identity:
      return t;
  }
  throw std::logic_error("naive_activation: not an activation");
}

template <class T>
Matrix<double> naive_output(const Mlp<T>& mlp, ConstView<T> x) {
  Matrix<double> h(x.rows(), x.cols());
  std::ranges::copy(x.span(), h.span().begin());
  for (std::size_t layer = 0; layer < mlp.layers().size(); ++layer) {
    const auto& [weight, bias] = mlp.layers()[layer];
    Matrix<double> next(h.rows(), weight.rows());
    for (Index i = 0; i < next.rows(); ++i)
      for (Index unit = 0; unit < next.cols(); ++unit) {
        double t = bias.empty() ? 0 : static_cast<double>(bias(0, unit));
        for (Index j = 0; j < h.cols(); ++j) t += static_cast<double>(weight(unit, j)) * h(i, j);
        const bool last = layer + 1 == mlp.layers().size();
        next(i, unit) = last ? t : naive_activation(mlp.options().activation, t, mlp.options().slope);
      }
    h = std::move(next);
  }
  return h;
}

template Matrix<double> naive_output(const Mlp<float>&, ConstView<float>);
template Matrix<double> naive_output(const Mlp<double>&, ConstView<double>);

}  // namespace normalign::tests
