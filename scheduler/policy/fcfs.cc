// "fcfs": first come, first served, independent of the client. These are the defaults of
// QueuePolicy.
#include "scheduler/queue_policy.h"

namespace edgegate {
namespace {

const QueuePolicyRegistration kRegistration("fcfs", [] { return std::make_unique<QueuePolicy>(); });

}  // namespace
}  // namespace edgegate
