#include "server/worker/wire.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace edgegate {
namespace {

std::string Message() {
  WireWriter writer;
  writer.Put(uint8_t{7}).PutString("text").PutVector(std::vector<int32_t>{1, -2}).Put(true);
  return writer.Take();
}

TEST_CASE("every field type is read as it was written") {
  const std::string message = Message();
  uint32_t size = 0;
  std::memcpy(&size, message.data(), sizeof size);
  CHECK(size == message.size() - sizeof size);
  WireReader reader(std::string_view(message).substr(sizeof size));
  CHECK(reader.Get<uint8_t>() == 7);
  CHECK(reader.GetString() == "text");
  CHECK(reader.GetVector<int32_t>() == std::vector<int32_t>{1, -2});
  CHECK(reader.GetBool());
  CHECK(reader.ok());
  CHECK(reader.Get<int64_t>() == 0);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("a message that is cut short anywhere is an error") {
  const std::string message = Message().substr(sizeof(uint32_t));
  for (size_t size = 0; size < message.size(); ++size) {
    WireReader reader(std::string_view(message).substr(0, size));
    reader.Get<uint8_t>();
    reader.GetString();
    reader.GetVector<int32_t>();
    reader.GetBool();
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("a vector of a wrong length is an error") {
  WireWriter writer;
  writer.PutString("12345");
  const std::string message = writer.Take();
  WireReader reader(std::string_view(message).substr(sizeof(uint32_t)));
  CHECK(reader.GetVector<int32_t>().size() == 1);
  CHECK_FALSE(reader.ok());
}

TEST_CASE("messages and descriptors cross a socket") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  WireWriter writer;
  writer.PutString(std::string(1 << 20, 'x'));
  const std::string sent = writer.Take();
  std::thread sender([&] {
    CHECK(SendAll(ends[0], sent));
    CHECK(SendDescriptor(ends[0], ends[0]));
    close(ends[0]);
  });
  std::string message;
  CHECK(ReceiveAll(ends[1], 2 << 20, &message));
  CHECK(message == sent.substr(sizeof(uint32_t)));
  const int descriptor = ReceiveDescriptor(ends[1]);
  CHECK(descriptor >= 0);
  sender.join();
  close(descriptor);
  CHECK_FALSE(ReceiveAll(ends[1], 2 << 20, &message));
  CHECK(ReceiveDescriptor(ends[1]) == -1);
  close(ends[1]);
}

TEST_CASE("a message above the limit is not received") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
  CHECK(SendAll(ends[0], Message()));
  std::string message;
  CHECK_FALSE(ReceiveAll(ends[1], 4, &message));
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace edgegate
