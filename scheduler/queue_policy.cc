#include "scheduler/queue_policy.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace edgegate {
namespace {

using Registry = std::map<std::string, QueuePolicyRegistration::Make, std::less<>>;

// A function's variable, so that it exists before the first registration.
Registry& AllPolicies() {
  static Registry registry;
  return registry;
}

}  // namespace

void QueuePolicy::OnNewClient(const std::map<std::string, ClientAccount>& /*clients*/,
                              ClientAccount* /*account*/) {}

void QueuePolicy::OnComputed(ClientAccount* /*account*/, int /*prompt_tokens*/,
                             int /*generated_tokens*/) {}

void QueuePolicy::OrderWaiting(const QueueView& view, std::vector<Sequence*>* order) {
  order->clear();
  for (const auto& [name, account] : view.clients) {
    if (!account.waiting.empty()) order->push_back(account.waiting.front());
  }
  std::sort(order->begin(), order->end(),
            [](const Sequence* a, const Sequence* b) { return a->id < b->id; });
}

void QueuePolicy::OrderRunning(const QueueView& /*view*/, std::vector<Sequence*>* /*running*/) {}

bool QueuePolicy::Overtakes(const Sequence& /*waiting*/, const Sequence& /*running*/) const {
  return false;
}

bool QueuePolicy::MayBePassed(const Sequence& /*blocked*/) const { return false; }

bool QueuePolicy::MayPreempt(const QueueView& /*view*/, const Sequence& /*waiting*/) const {
  return false;
}

void QueuePolicy::ChooseVictims(const QueueView& /*view*/, const Sequence& /*waiting*/,
                                Shortage /*shortage*/, std::vector<Sequence*>* victims) {
  victims->clear();
}

// The youngest running sequence, if it is younger than `growing`: the oldest always makes progress.
Sequence* QueuePolicy::VictimOfGrowth(const QueueView& view, const Sequence& growing) {
  Sequence* youngest = view.running.back();
  return youngest->id > growing.id ? youngest : nullptr;
}

std::unique_ptr<QueuePolicy> MakeQueuePolicy(std::string_view name) {
  const auto found = AllPolicies().find(name);
  return found == AllPolicies().end() ? nullptr : found->second();
}

std::vector<std::string> QueuePolicyNames() {
  std::vector<std::string> names;
  for (const auto& [name, make] : AllPolicies()) names.push_back(name);
  return names;
}

Status CheckQueuePolicy(std::string_view name) {
  if (AllPolicies().contains(name)) return {};
  return InvalidArgument("engine.queue_policy is \"{}\": must be one of {}", name,
                         fmt::join(QueuePolicyNames(), ", "));
}

QueuePolicyRegistration::QueuePolicyRegistration(const char* name, Make make) {
  AllPolicies().emplace(name, make);
}

}  // namespace edgegate
