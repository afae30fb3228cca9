#include "server/worker/wire.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace edgegate {
namespace {

bool ReceiveExactly(int fd, char* data, size_t size) {
  while (size > 0) {
    const ssize_t n = ::recv(fd, data, size, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

// A message of one byte and one descriptor. Its members point at each other, so it cannot be
// copied.
struct DescriptorMessage {
  DescriptorMessage() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
  }
  DescriptorMessage(const DescriptorMessage&) = delete;
  DescriptorMessage& operator=(const DescriptorMessage&) = delete;

  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
};

}  // namespace

bool SendAll(int fd, std::string_view message) {
  while (!message.empty()) {
    const ssize_t n = ::send(fd, message.data(), message.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    message.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool ReceiveAll(int fd, uint32_t max_size, std::string* message) {
  uint32_t size = 0;
  if (!ReceiveExactly(fd, reinterpret_cast<char*>(&size), sizeof size) || size > max_size) {
    return false;
  }
  message->resize(size);
  return ReceiveExactly(fd, message->data(), size);
}

bool SendDescriptor(int fd, int descriptor) {
  DescriptorMessage message;
  cmsghdr* header = CMSG_FIRSTHDR(&message.header);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  ssize_t n = 0;
  do {
    n = ::sendmsg(fd, &message.header, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n == 1;
}

int ReceiveDescriptor(int fd) {
  DescriptorMessage message;
  ssize_t n = 0;
  do {
    n = ::recvmsg(fd, &message.header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  const cmsghdr* header = n == 1 ? CMSG_FIRSTHDR(&message.header) : nullptr;
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
    return -1;
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return descriptor;
}

}  // namespace edgegate
