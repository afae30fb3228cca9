#include "server/call/answer_grammar.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "server/call/thinking_budget.h"

namespace edgegate {
namespace {

using Constraint = std::shared_ptr<const TokenConstraint>;

// True if the answer may have thoughts. A constraint without tools leaves no place for them.
bool Thinks(const Call& call, const ServedModel& model) {
  return call.split_reasoning && model.text->traits().reasoning.has_value() &&
         (call.tools || !call.constraint);
}

GrammarSpec ToolGrammar(const Call& call, const ServedModel& model, bool reasoning_open) {
  CallRules rules;
  rules.tools = call.tools->tools;
  rules.required = call.tools->required;
  rules.parallel = call.tools->parallel;
  if (Thinks(call, model)) rules.reasoning = model.text->traits().reasoning;
  rules.reasoning_open = reasoning_open;
  if (call.constraint) {
    rules.content_schema = call.constraint->grammar.text;
    rules.content_field = call.constraint->field;
  }
  return {GrammarSpec::Kind::kStructure, CallStructure(*model.text->traits().calls, rules)};
}

// Makes the error of a structure. The first line of its message names the schema at fault.
CallError ToolError(const Status& status) {
  const std::string& message = status.message();
  const size_t line = message.find('\n');
  if (line == std::string::npos) return AtField("tools", status);
  return AtField(message.substr(0, line), Status(status.code(), message.substr(line + 1)));
}

std::variant<Constraint, CallError> StartGrammarAlone(const Call& call, const ServedModel& model,
                                                      bool reasoning_open,
                                                      const JobContext& context) {
  if (!call.tools && !call.constraint) return Constraint();
  const GrammarSpec spec =
      call.tools ? ToolGrammar(call, model, reasoning_open) : call.constraint->grammar;
  auto started = model.text->StartGrammar(spec, context);
  if (started.ok()) return Constraint(*std::move(started));
  if (call.tools) return ToolError(started.status());
  return AtField(call.constraint->field, started.status());
}

}  // namespace

std::optional<CallError> CheckTools(const Call& call, const ServedModel& model) {
  if (!call.tools) return std::nullopt;
  if (model.eos_token_ids.empty()) {
    return BadField("tools", "The model cannot call tools: it has no end-of-text token.");
  }
  if (model.text->traits().calls == nullptr) {
    return BadField("tools",
                    "The form in which this model calls tools is not known. The setting "
                    "'tool_format' of the model can name one.");
  }
  if (!call.constraint || call.tools->required) return std::nullopt;
  if (call.constraint->grammar.kind != GrammarSpec::Kind::kJsonSchema) {
    return BadField(call.constraint->field,
                    fmt::format("'{}' cannot be combined with 'tools': beside tools, only a JSON "
                                "schema can constrain the content.",
                                call.constraint->field));
  }
  if (ContentIsDistinct(*model.text->traits().calls)) return std::nullopt;
  return BadField(call.constraint->field,
                  fmt::format("'{}' cannot be combined with 'tools' for this model: its calls "
                              "(form {}) cannot be told from JSON content.",
                              call.constraint->field, model.text->traits().calls->name));
}

std::variant<Constraint, CallError> StartGrammar(const Call& call, const ServedModel& model,
                                                 bool reasoning_open, const JobContext& context) {
  auto grammar = StartGrammarAlone(call, model, reasoning_open, context);
  const AnswerTraits& traits = model.text->traits();
  const bool limited = call.thinking_tokens && Thinks(call, model) && !traits.reasoning_end.empty();
  if (!limited || std::holds_alternative<CallError>(grammar)) return grammar;
  ThinkingLimits limits;
  limits.marks = *traits.reasoning;
  limits.end_ids = traits.reasoning_end;
  limits.open = reasoning_open;
  limits.tokens = *call.thinking_tokens;
  return Constraint(LimitThinking(std::move(limits), model.text->vocabulary(), model.valid_tokens,
                                  std::get<Constraint>(std::move(grammar))));
}

std::optional<AnswerSyntax> SyntaxOf(const Call& call, const ServedModel& model,
                                     bool reasoning_open) {
  AnswerSyntax syntax;
  if (Thinks(call, model)) syntax.reasoning = model.text->traits().reasoning;
  syntax.reasoning_open = reasoning_open;
  if (call.tools) {
    syntax.calls = model.text->traits().calls;
    syntax.only_calls = call.tools->required;
    const bool tagged = syntax.calls->style == ArgumentStyle::kTagged;
    for (const CallableTool& tool : call.tools->tools) {
      syntax.tools.push_back(tool.name);
      if (tagged) syntax.plain.push_back(PlainMembers(tool.parameters));
    }
  }
  if (!syntax.reasoning && syntax.calls == nullptr) return std::nullopt;
  return syntax;
}

}  // namespace edgegate
