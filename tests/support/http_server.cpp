#include "support/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace normalign::tests {
namespace {

// Whether there is something to read or accept within `milliseconds`.
bool readable(int socket, int milliseconds) {
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, milliseconds) > 0;
}

}  // namespace

HttpAnswer http_ok(const std::string& body) { return {.body = body, .length = static_cast<long>(body.size())}; }

HttpServer::HttpServer(std::map<std::string, HttpAnswer> answers) : answers_(std::move(answers)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* address = reinterpret_cast<sockaddr*>(&where);
  if (listener_ < 0 || ::bind(listener_, address, size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, address, &size) != 0)
    throw std::runtime_error("cannot listen on 127.0.0.1");
  address_ = "http://127.0.0.1:" + std::to_string(ntohs(where.sin_port)) + "/";
  thread_ = std::thread([this] { serve(); });
}

HttpServer::~HttpServer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

std::vector<std::string> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::serve() {
  while (!stop_) {
    if (!readable(listener_, 20)) continue;
    const int connection = ::accept(listener_, nullptr, nullptr);
    if (connection < 0) continue;
    answer(connection);
    ::close(connection);
  }
}

void HttpServer::answer(int connection) {
  std::string request;
  while (request.find("\r\n\r\n") == request.npos) {
    char part[1024];
    if (!readable(connection, 5000)) return;
    const ssize_t count = ::recv(connection, part, sizeof part, 0);
    if (count <= 0) return;
    request.append(part, static_cast<std::size_t>(count));
  }
  const auto start = request.find(' ') + 1;
  const std::string path = request.substr(start, request.find(' ', start) - start);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(path);
  }
  const auto found = answers_.find(path);
  const HttpAnswer answer = found == answers_.end() ? HttpAnswer{.status = 404} : found->second;
  std::string bytes = "HTTP/1.1 " + std::to_string(answer.status) + " Answer\r\nConnection: close\r\n";
  if (answer.length >= 0) bytes += "Content-Length: " + std::to_string(answer.length) + "\r\n";
  bytes += "\r\n" + answer.body;
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<std::size_t>(count);
  }
}

}  // namespace normalign::tests
