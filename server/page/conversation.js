// The conversation, and its form in a request.
//
// A turn is {role: "user", text, images} or {role: "assistant", text, thoughts, calls, results}. Calls have the
// form of the API. Results are the texts that the user typed for the calls; null until they are sent. A turn that
// answers questions by probabilities has decisions: {questions, answers}, as in the API.

function userMessage({ text, images }) {
  if (images.length === 0) return { role: "user", content: text };
  const content = images.map((url) => ({ type: "image_url", image_url: { url } }));
  if (text !== "") content.push({ type: "text", text });
  return { role: "user", content };
}

function assistantMessages({ text, calls, results }) {
  // Calls without results are left out, and answers that were stopped before their first token.
  if (calls.length === 0 || results === null) return text === "" ? [] : [{ role: "assistant", content: text }];
  const messages = [{ role: "assistant", content: text || null, tool_calls: calls }];
  for (const [i, result] of results.entries()) {
    messages.push({ role: "tool", tool_call_id: calls[i].id, content: result });
  }
  return messages;
}

// Returns the messages of the turns. `system`: a system text; empty: none. Answers with an error and their
// questions are left out, and so are decisions.
export function messagesOf(turns, system) {
  const messages = system.trim() === "" ? [] : [{ role: "system", content: system }];
  for (const [i, turn] of turns.entries()) {
    const answer = turn.role === "user" ? turns[i + 1] : turn;
    if (answer?.error || answer?.decisions) continue;
    if (turn.role === "user") messages.push(userMessage(turn));
    else messages.push(...assistantMessages(turn));
  }
  return messages;
}

export function userTurn(text, images) {
  return { role: "user", text, images };
}

export function assistantTurn() {
  return { role: "assistant", text: "", thoughts: "", calls: [], results: null, error: "", note: "", warnings: [] };
}

function addCall(turn, delta) {
  turn.calls[delta.index] ??= { id: "", type: "function", function: { name: "", arguments: "" } };
  const call = turn.calls[delta.index];
  if (delta.id) call.id = delta.id;
  call.function.name += delta.function?.name ?? "";
  call.function.arguments += delta.function?.arguments ?? "";
}

// Adds an event of a stream to the turn. Returns true if it has a piece of the answer.
export function addEvent(turn, event) {
  const choice = event.choices?.[0];
  const { content, reasoning_content: thoughts, tool_calls: calls } = choice?.delta ?? {};
  turn.text += content ?? "";
  turn.thoughts += thoughts ?? "";
  for (const call of calls ?? []) addCall(turn, call);
  turn.finish = choice?.finish_reason ?? turn.finish;
  turn.usage = event.usage ?? turn.usage;
  turn.timings = event.timings ?? turn.timings;
  if (Array.isArray(event.warnings)) turn.warnings = event.warnings.map(textOf);
  return Boolean(content || thoughts || calls?.length);
}

function textOf(warning) {
  return typeof warning === "string" ? warning : (warning.message ?? JSON.stringify(warning));
}

// Returns the image that the boxes of a turn belong to: the last one before it. Undefined: none.
export function imageBefore(turns, turn) {
  const before = turns.slice(0, turns.indexOf(turn));
  return before.flatMap(({ images }) => images ?? []).at(-1);
}
