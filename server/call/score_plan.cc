#include "server/call/score_plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "engine/base/portable_math.h"

namespace edgegate {

// Walks through the tree of a question's options. A node is the set of options that begin with the
// same tokens.
class ScorePlan::Walk {
 public:
  Walk(const EncodedQuestion& question, const std::vector<int32_t>& ends, ScorePlan* plan)
      : question_(question), ends_(ends), plan_(plan), terms_(question.options.size()) {
    Node root{std::vector<size_t>(question.options.size()), 0};
    std::iota(root.options.begin(), root.options.end(), 0);
    pending_.push_back(std::move(root));
  }

  std::vector<OptionTerms> Run() {
    while (!pending_.empty()) {
      Node node = std::move(pending_.back());
      pending_.pop_back();
      AddBranch(std::move(node));
    }
    return std::move(terms_);
  }

 private:
  struct Node {
    std::vector<size_t> options;
    size_t depth;
  };
  using Children = std::map<int32_t, std::vector<size_t>>;

  // Adds a branch that goes from the root to the node, and on to the deepest first descendant with
  // several options. The other descendants get branches of their own.
  void AddBranch(Node node) {
    ScoreBranch branch{question_.ids, {}};
    const auto& path = question_.options[node.options[0]];
    branch.tokens.insert(branch.tokens.end(), path.begin(),
                         path.begin() + static_cast<int64_t>(node.depth));
    while (true) {
      std::vector<size_t> ended;
      Children children = ChildrenOf(node, &ended);
      const bool splits = children.size() + (ended.empty() ? 0 : 1) > 1;
      split_ = split_ || splits;
      if (split_ && !children.empty()) AddRow(children, splits ? ended : Ended{}, &branch);
      const auto differ = [&](const auto& child) { return Differ(child.second); };
      auto next = std::ranges::find_if(children, differ);
      if (next == children.end()) break;
      for (auto other = std::next(next); other != children.end(); ++other) {
        if (differ(*other)) pending_.push_back({other->second, node.depth + 1});
      }
      branch.tokens.push_back(next->first);
      node = {std::move(next->second), node.depth + 1};
    }
    if (branch.rows.empty()) return;  // all options are the same
    branch.tokens.resize(static_cast<size_t>(branch.rows.back().offset));
    plan_->branches_.push_back(std::move(branch));
  }

  using Ended = std::vector<size_t>;

  // True if some of the options have different tokens.
  bool Differ(const std::vector<size_t>& options) const {
    const auto& first = question_.options[options[0]];
    return std::ranges::any_of(options,
                               [&](size_t option) { return question_.options[option] != first; });
  }

  Children ChildrenOf(const Node& node, Ended* ended) const {
    Children children;
    for (const size_t option : node.options) {
      const auto& ids = question_.options[option];
      if (ids.size() == node.depth) {
        ended->push_back(option);
      } else {
        children[ids[node.depth]].push_back(option);
      }
    }
    return children;
  }

  void AddRow(const Children& children, const Ended& ended, ScoreBranch* branch) {
    ScoreRow row{static_cast<int>(branch->tokens.size()), {}};
    for (const auto& [token, options] : children) {
      for (const size_t option : options) terms_[option].push_back({plan_->num_scores_});
      row.tokens.push_back(token);
      ++plan_->num_scores_;
    }
    if (!ended.empty() && !ends_.empty()) {
      Term end(ends_.size());
      std::iota(end.begin(), end.end(), plan_->num_scores_);
      for (const size_t option : ended) terms_[option].push_back(end);
      row.tokens.insert(row.tokens.end(), ends_.begin(), ends_.end());
      plan_->num_scores_ += ends_.size();
    }
    branch->rows.push_back(std::move(row));
  }

  const EncodedQuestion& question_;
  const std::vector<int32_t>& ends_;
  ScorePlan* const plan_;
  std::vector<OptionTerms> terms_;
  std::vector<Node> pending_;
  bool split_ = false;  // the options differ in a token that was seen
};

void ScorePlan::Add(const EncodedQuestion& question, const std::vector<int32_t>& ends) {
  questions_.push_back(Walk(question, ends, this).Run());
}

std::vector<std::vector<double>> ScorePlan::LogProbabilities(
    const std::vector<float>& scores) const {
  std::vector<std::vector<double>> all;
  for (const auto& options : questions_) {
    all.emplace_back();
    for (const OptionTerms& terms : options) {
      double sum = 0;
      for (const Term& term : terms) {
        double probability = 0;
        for (const size_t score : term) probability += PortableExp(double{scores[score]});
        sum += term.size() == 1 ? double{scores[term[0]]} : PortableLog(probability);
      }
      all.back().push_back(sum);
    }
  }
  return all;
}

std::vector<double> Softmax(const std::vector<double>& logprobs, double temperature) {
  const double largest = *std::ranges::max_element(logprobs);
  std::vector<double> out;
  double total = 0;
  for (const double logprob : logprobs) {
    // All are -infinity if no option can follow: then they are equal.
    out.push_back(std::isinf(largest) ? 1.0 : PortableExp((logprob - largest) / temperature));
    total += out.back();
  }
  for (double& probability : out) probability /= total;
  return out;
}

}  // namespace edgegate
