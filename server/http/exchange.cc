#include "server/http/exchange.h"

#include <utility>

namespace edgegate {

void Exchange::Answer(const std::string& body, int status, const char* type) {
  response_.status = status;
  response_.set_content(body, type);
}

void Exchange::Fail(const HttpError& error) {
  ShortAnswer answer = MakeShortAnswer(error, connection_.error_body());
  for (const auto& [name, value] : answer.headers) response_.set_header(name, value);
  Answer(answer.body, answer.status);
}

// HTTP/1.0 has no chunks. The end of the connection ends the stream.
void Exchange::Stream(const char* type, std::function<bool(StreamSink&)> send) {
  response_.set_header("Cache-Control", "no-cache");
  const auto provide = [connection = &connection_, send = std::move(send)](
                           size_t, httplib::DataSink& data) {
    StreamSink sink(connection, &data);
    if (!send(sink)) return false;
    data.done();
    return true;
  };
  if (head().minor_version > 0) return response_.set_chunked_content_provider(type, provide);
  connection_.Close();
  response_.set_content_provider(type, provide);
}

}  // namespace edgegate
