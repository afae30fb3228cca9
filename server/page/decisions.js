// Decisions: questions with probabilities as answers, drawn as bars.

import { $, el } from "./dom.js";
import { FieldError } from "./settings.js";

// An option is "value" or "value = description". edge-demo-v answers by the description.
function option(text, key) {
  const [value, ...description] = text.split("=").map((part) => part.trim());
  return description.length === 0 ? { [key]: value } : { [key]: value, description: description.join(" = ") };
}

function question(line) {
  const ordered = line.includes("<");
  const [instructions, ...options] = line.split(ordered ? "<" : "|").map((part) => part.trim());
  if (options.length === 0) return { type: "predicate", instructions };
  if (ordered) return { type: "score", instructions, levels: options.map((text) => option(text, "label")) };
  return { type: "choice", instructions, choices: options.map((text) => option(text, "value")) };
}

// Returns the questions of the panel. Throws FieldError.
function questions() {
  const lines = $("questions").value.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length === 0) throw new FieldError("questions", "Questions: type one a line.");
  return lines.map(question);
}

export function wantsDecisions() {
  return $("use-decisions").checked;
}

// Returns the request that asks the questions of the panel about a turn of the user. Throws FieldError.
export function decisionBody(model, { text, images }) {
  const content = images.map((url) => ({ type: "input_image", image_url: url }));
  if (text !== "") content.push({ type: "input_text", text });
  return { model, input: [{ role: "user", content }], questions: questions() };
}

// Returns rows of {name, probability, chosen} of an answer.
function rowsOf(answer) {
  if (answer.type === "predicate") return [{ name: "yes", probability: answer.probability, chosen: false }];
  const rows = answer.probabilities.map(({ label, value, probability }) => (
    { name: label ?? String(value), probability, chosen: probability === answer.confidence }));
  return rows;
}

function bar({ name, probability, chosen }) {
  const percent = `${(100 * probability).toFixed(1)} %`;
  return el("tr", { className: chosen ? "chosen" : "" },
    el("th", { scope: "row", textContent: name }),
    el("td", {}, el("meter", { min: 0, max: 1, value: probability, "aria-label": `${name}: ${percent}` })),
    el("td", { textContent: percent }));
}

// Returns the element of all answers: a table of bars for each question. `asked`: the request's questions.
export function decisionBars(asked, answers) {
  return el("div", { className: "decisions" }, ...answers.map((answer, i) => el("table", {},
    el("caption", {
      textContent: asked[i].instructions + (answer.type === "score" ? ` (${answer.score.toFixed(2)})` : ""),
    }), el("tbody", {}, ...rowsOf(answer).map(bar)))));
}
