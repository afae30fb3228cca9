// One connection over a real socket: bodies and their memory, and clients that leave or only end
// their sending half, on this machine and elsewhere.

#include "server/http/connection.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "server/api/openai/errors.h"
#include "server/http/listen_socket.h"

namespace edgegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A connection and its client.
class Pair {
 public:
  explicit Pair(bool find_local_peers = true) : table_(TableLimits{}) {
    ListenSocket listener;
    REQUIRE(listener.Open("127.0.0.1", 0).ok());
    client = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(listener.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    entry_ = table_.Admit(accept(listener.fd(), nullptr, nullptr), "127.0.0.1");
    ConnectionLimits limits{.headers = seconds(1),
                            .body = seconds(2),
                            .pause = seconds(1),
                            .write = seconds(1),
                            .idle = seconds(1),
                            .head = {},
                            .request_body = {}};
    limits.request_body.body_bytes = 1 << 20;
    limits.find_local_peers = find_local_peers;
    connection = std::make_unique<Connection>(&table_, entry_, limits, OpenAiErrorBody);
  }

  ~Pair() {
    connection.reset();
    table_.Remove(entry_);
    CloseClient();
  }

  void Send(const std::string& text) const {
    REQUIRE(send(client, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  std::string Receive() const {
    char text[1000];
    const ssize_t n = recv(client, text, sizeof text, MSG_DONTWAIT);
    return n > 0 ? std::string(text, static_cast<size_t>(n)) : "";
  }
  void CloseClient() {
    if (client >= 0) close(client);
    client = -1;
  }
  // True if the connection reports within two seconds that the client has left.
  bool Gone(milliseconds patience, const std::function<void()>& probe = {}) const {
    for (int i = 0; i < 200; ++i) {
      if (connection->gone(patience, probe)) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return false;
  }

  int client = -1;
  std::unique_ptr<Connection> connection;

 private:
  ConnectionTable table_;
  ConnectionTable::Entry* entry_ = nullptr;
};

const char* const kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_CASE("a half-closed client still counts as connected") {
  for (const bool local : {true, false}) {
    CAPTURE(local);
    Pair pair(local);
    pair.Send(kGet);
    REQUIRE(pair.connection->ReadHead());
    CHECK_FALSE(pair.connection->gone(milliseconds(0)));
    shutdown(pair.client, SHUT_WR);
    CHECK_FALSE(pair.Gone(milliseconds(50)));
    CHECK(pair.Receive() == (local ? "" : "HTTP/1.1 100 Continue\r\n\r\n"));
    CHECK(pair.connection->Write({200, {}, "{}"}));
    CHECK(pair.Receive().starts_with("HTTP/1.1 200 OK\r\n"));
    pair.CloseClient();
    if (local) CHECK(pair.Gone(milliseconds(50)));
  }
}

TEST_CASE("a client that closes its socket has left, whatever it sent before") {
  for (const bool local : {true, false}) {
    for (const size_t extra : {0, 1, 100000, 3000000}) {
      CAPTURE(local);
      CAPTURE(extra);
      Pair pair(local);
      pair.Send(kGet);
      REQUIRE(pair.connection->ReadHead());
      std::thread sender([&] {
        pair.Send(std::string(extra, 'x'));
        pair.CloseClient();
      });
      CHECK(pair.Gone(milliseconds(50)));
      sender.join();
    }
  }
}

TEST_CASE("a stream's probe finds the client that left") {
  Pair pair(false);
  pair.Send(kGet);
  REQUIRE(pair.connection->ReadHead());
  CHECK(pair.connection->write("x", 1) == 1);
  std::this_thread::sleep_for(milliseconds(20));
  CHECK(pair.Receive() == "x");
  pair.CloseClient();
  CHECK_FALSE(pair.Gone(milliseconds(50)));
  CHECK(pair.Gone(milliseconds(50), [&] { pair.connection->write(":\n\n", 3); }));
}

TEST_CASE("HTTP/1.0 clients get no interim answer and some time") {
  Pair pair(false);
  pair.Send("GET / HTTP/1.0\r\n\r\n");
  REQUIRE(pair.connection->ReadHead());
  shutdown(pair.client, SHUT_WR);
  std::this_thread::sleep_for(milliseconds(20));
  CHECK_FALSE(pair.connection->gone(milliseconds(0)));
  std::this_thread::sleep_for(milliseconds(2050));
  CHECK(pair.connection->gone(milliseconds(0)));
  CHECK(pair.Receive().empty());
}

TEST_CASE("memory for a body is charged before it is allocated") {
  for (const bool chunked : {false, true}) {
    Pair pair;
    const std::string content(100000, 'a');
    std::thread sender([&] {
      pair.Send(chunked
                    ? "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186A0\r\n" +
                          content + "\r\n0\r\n\r\n"
                    : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + content);
    });
    REQUIRE(pair.connection->ReadHead());
    std::string body;
    size_t asked = 0;
    CHECK_FALSE(pair.connection->ReadBody(&body, [&](size_t bytes) -> std::optional<HttpError> {
      CHECK(bytes > asked);
      CHECK(body.size() <= asked);
      asked = bytes;
      return std::nullopt;
    }));
    sender.join();
    CHECK(body == content);
    CHECK(asked >= body.size());
    CHECK(asked <= 2 * body.size() + 65536);
    CHECK_FALSE(pair.connection->closing());
  }
}

TEST_CASE("a body without memory, or that ends early, closes the connection") {
  Pair refused;
  refused.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  REQUIRE(refused.connection->ReadHead());
  std::string body;
  const auto full = refused.connection->ReadBody(&body, [](size_t) {
    return std::optional<HttpError>(HttpError{503, "full", "", ""});
  });
  REQUIRE(full);
  CHECK(full->status == 503);
  CHECK(refused.connection->closing());
  CHECK_FALSE(refused.connection->ReadHead());

  Pair ended;
  ended.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
  REQUIRE(ended.connection->ReadHead());
  shutdown(ended.client, SHUT_WR);
  const auto error = ended.connection->ReadBody(&body);
  REQUIRE(error);
  CHECK(error->status == 400);

  Pair slow;
  slow.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
  REQUIRE(slow.connection->ReadHead());
  const auto late = slow.connection->ReadBody(&body);
  REQUIRE(late);
  CHECK(late->status == 408);
}

}  // namespace
}  // namespace edgegate
