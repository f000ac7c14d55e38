#include "server/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace nnseg {
namespace {

constexpr int kThreads = 2;
constexpr int kClientTimeoutSeconds = 2;
constexpr std::size_t kMaxRequestBytes = 4096;

// The library's own choice, SO_REUSEPORT, would let two servers share a port unnoticed.
void AllowRestart(socket_t socket) {
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

}  // namespace

struct HttpServer::Listener {
  Listener() {
    server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server.set_socket_options(AllowRestart);
    server.set_keep_alive_max_count(1);
    server.set_read_timeout(kClientTimeoutSeconds);
    server.set_write_timeout(kClientTimeoutSeconds);
    server.set_payload_max_length(kMaxRequestBytes);
  }
  ~Listener() {
    server.stop();
    if (thread.joinable()) thread.join();
  }

  httplib::Server server;
  int port = -1;
  std::thread thread;
};

HttpServer::HttpServer() : listener_(std::make_unique<Listener>()) {}
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::string& address, const std::map<std::string, Handler>& handlers) {
  auto http = std::unique_ptr<HttpServer>(new HttpServer());
  httplib::Server& server = http->listener_->server;
  for (const auto& entry : handlers) {
    server.Get(entry.first,
               [handler = entry.second](const httplib::Request&, httplib::Response& answer) {
                 const HttpResponse response = handler();
                 answer.status = response.status;
                 answer.set_header("Cache-Control", "no-store");
                 answer.set_content(response.body, response.content_type);
               });
  }
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  int& port = http->listener_->port;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) port = -1;
  if (port == 0) {
    port = server.bind_to_any_port(host);
  } else if (port > 0 && !server.bind_to_port(host, port)) {
    port = -1;
  }
  if (port <= 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", address));
  }
  http->listener_->thread = std::thread([&server] { server.listen_after_bind(); });
  // Before it runs it cannot be stopped.
  while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return http;
}

int HttpServer::port() const { return listener_->port; }

}  // namespace nnseg
