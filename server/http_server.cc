#include "server/http_server.h"

#include <CivetServer.h>

#include <vector>

#include "absl/strings/str_cat.h"

namespace nnseg {

class HttpServer::Endpoint final : public CivetHandler {
 public:
  Endpoint(std::string path, Handler handler)
      : path_(std::move(path)), handler_(std::move(handler)) {}

  bool handleGet(CivetServer*, mg_connection* connection) override {
    // The library also hands over what lies below a path.
    if (path_ != mg_get_request_info(connection)->local_uri) return false;
    const HttpResponse response = handler_();
    mg_printf(connection,
              "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
              "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
              response.status, mg_get_response_code_text(connection, response.status),
              response.content_type.c_str(), response.body.size());
    mg_write(connection, response.body.data(), response.body.size());
    return true;
  }

 private:
  const std::string path_;
  const Handler handler_;
};

struct HttpServer::Civet {
  explicit Civet(const std::vector<std::string>& options) : server(options) {}
  CivetServer server;
};

HttpServer::HttpServer() = default;
HttpServer::~HttpServer() = default;

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    const std::string& address, const std::map<std::string, Handler>& handlers) {
  auto server = std::unique_ptr<HttpServer>(new HttpServer());
  try {
    server->civet_ = std::make_unique<Civet>(std::vector<std::string>{
        "listening_ports", address, "num_threads", "2", "request_timeout_ms", "5000"});
  } catch (const std::exception&) {
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", address));
  }
  for (const auto& [path, handler] : handlers) {
    auto endpoint = std::make_unique<Endpoint>(path, handler);
    server->civet_->server.addHandler(path, *endpoint);
    server->endpoints_[path] = std::move(endpoint);
  }
  return server;
}

int HttpServer::port() const { return civet_->server.getListeningPorts().front(); }

}  // namespace nnseg
