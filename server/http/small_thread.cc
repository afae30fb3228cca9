#include "server/http/small_thread.h"

#include <pthread.h>

#include <memory>

namespace edgegate {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackBytes = 8 << 20;  // sanitizers make frames several times as large
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr size_t kStackBytes = 8 << 20;
#else
constexpr size_t kStackBytes = 512 << 10;
#endif
#else
constexpr size_t kStackBytes = 512 << 10;
#endif

void* Run(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

}  // namespace

bool StartSmallThread(std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, Run, owned.get()) == 0;
  pthread_attr_destroy(&attributes);
  if (started) static_cast<void>(owned.release());  // Run() owns it
  return started;
}

}  // namespace edgegate
