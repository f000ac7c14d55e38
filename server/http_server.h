#ifndef NNSEG_SERVER_HTTP_SERVER_H_
#define NNSEG_SERVER_HTTP_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace nnseg {

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Answers GET on fixed paths, for metrics and probes; anything else is 404. It knows neither files
/// nor uploads. One request per connection.
class HttpServer {
 public:
  /// Called from the server's threads.
  using Handler = std::function<HttpResponse()>;

  /// Listens on `address` (HOST:PORT; port 0 takes a free one). UNAVAILABLE when it cannot.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      const std::string& address, const std::map<std::string, Handler>& handlers);
  ~HttpServer();

  int port() const;

 private:
  struct Listener;
  HttpServer();

  std::unique_ptr<Listener> listener_;
};

}  // namespace nnseg

#endif  // NNSEG_SERVER_HTTP_SERVER_H_
