// A small HTTP server on loopback, for what downloads.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace normalign::tests {

/// What the server answers.
struct HttpAnswer {
  int status = 200;
  std::string body = {};
  /// What Content-Length says; more than the body is a transfer that breaks off. Negative: it is left out, and the end
  /// of the connection ends the body.
  long length = 0;
};

/// An answer of status 200 with its true length.
HttpAnswer http_ok(const std::string& body);

/// Answers GET on a free port of 127.0.0.1, one connection after the other, each closed after its answer, until the end
/// of the scope; connections are refused from then on. A path without an answer is 404.
class HttpServer {
 public:
  /// `answers`: by path, such as "/file". Throws std::runtime_error when there is no port.
  explicit HttpServer(std::map<std::string, HttpAnswer> answers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// "http://127.0.0.1:PORT/".
  const std::string& address() const { return address_; }
  /// The paths that were asked for, in order.
  std::vector<std::string> requests() const;

 private:
  void serve();
  void answer(int connection);

  std::map<std::string, HttpAnswer> answers_;
  std::string address_;
  int listener_ = -1;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace normalign::tests
