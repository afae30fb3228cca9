// Messages between the daemon and its worker processes: a 4-byte length in the machine's byte
// order, then that many bytes. The fields of a message are written and read one after the other.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/status.h"

namespace edgegate {

// Builds one message. Owned by one thread.
class WireWriter {
 public:
  WireWriter() : bytes_(sizeof(uint32_t), '\0') {}

  template <typename T>
  WireWriter& Put(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  WireWriter& PutString(std::string_view text) {
    Put(static_cast<uint32_t>(text.size()));
    bytes_.append(text);
    return *this;
  }
  template <typename T>
  WireWriter& PutVector(const std::vector<T>& values) {
    return PutString({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }

  // Returns the fields that were written so far.
  std::string_view fields() const { return std::string_view(bytes_).substr(sizeof(uint32_t)); }
  // Returns the message with its length before it. The writer is empty afterwards.
  std::string Take() {
    const auto size = static_cast<uint32_t>(bytes_.size() - sizeof(uint32_t));
    std::memcpy(bytes_.data(), &size, sizeof size);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

// Reads the fields of one message. If the message is too short, the missing fields are zero or
// empty and ok() becomes false. `message` must outlive the reader.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  template <typename T>
  T Get() {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    static_assert(!std::is_same_v<T, bool>, "not every byte is a bool: use GetBool()");
    T value{};
    if (rest_.size() < sizeof value) {
      ok_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  bool GetBool() { return Get<uint8_t>() != 0; }
  std::string_view GetString() {
    const auto size = Get<uint32_t>();
    if (rest_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }
  template <typename T>
  std::vector<T> GetVector() {
    const std::string_view bytes = GetString();
    if (bytes.size() % sizeof(T) != 0) ok_ = false;
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }

  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// Sends a whole message of WireWriter::Take(). For workers, whose sockets block. False: the other
// side has closed the socket.
bool SendAll(int fd, std::string_view message);
// Receives one message of at most `max_size` bytes, without its length. False: the other side has
// closed the socket, or the message is longer.
bool ReceiveAll(int fd, uint32_t max_size, std::string* message);

// Sends one byte and a descriptor. False on an error.
bool SendDescriptor(int fd, int descriptor);
// Receives one byte and a descriptor. -1: the other side has closed the socket, or sent no
// descriptor.
int ReceiveDescriptor(int fd);

}  // namespace edgegate
