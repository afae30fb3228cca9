// The elements of the conversation's turns.

import { boxedImage, findBoxes } from "./boxes.js";
import { decisionBars } from "./decisions.js";
import { button, el } from "./dom.js";
import { markdown } from "./markdown.js";

function images(urls) {
  if (urls.length === 0) return null;
  return el("div", { className: "images" },
    ...urls.map((url, i) => el("img", { src: url, alt: `Image ${i + 1} of your message` })));
}

// Returns the element of a user's turn. `edit` is called with the new text.
export function userElement(turn, edit) {
  const text = el("div", { className: "text", textContent: turn.text });
  const change = button("Edit", () => {
    article.replaceChildren(images(turn.images) ?? "", editor(turn.text, edit, () => {
      article.replaceWith(userElement(turn, edit));
    }));
    article.querySelector("textarea").focus();
  });
  const article = el("article", { className: "user", "aria-label": "You" },
    images(turn.images), text, el("div", { className: "actions" }, change));
  return article;
}

function editor(text, save, cancel) {
  const field = el("textarea", { value: text, rows: 3, "aria-label": "Edit your message" });
  const form = el("form", {
    submit: (event) => {
      event.preventDefault();
      save(field.value.trim());
    },
  }, field, el("div", { className: "row" }, button("Cancel", cancel), el("span", { className: "space" }),
    el("button", { type: "submit", className: "primary", textContent: "Send" })));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") cancel();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  return form;
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // not complete yet
  }
}

// Returns a card of a call. `result`: the node of its result; null: none.
function callCard(call, result) {
  const { name, arguments: given } = call.function;
  return el("section", { className: "call", "aria-label": `Call of ${name}` },
    el("h3", {}, "Call of ", el("code", { textContent: name })),
    el("pre", { tabIndex: 0, textContent: pretty(given) }),
    ...(result ? [el("h3", { textContent: "Result" }), result] : []));
}

// Returns a form in which the user types a result for each call.
function resultForm(turn, send) {
  const fields = turn.calls.map((call) => el("textarea", {
    rows: 2, className: "code", "aria-label": `Result of ${call.function.name}`,
  }));
  return el("form", {
    className: "results",
    submit: (event) => {
      event.preventDefault();
      send(fields.map((field) => field.value));
    },
  }, ...turn.calls.map((call, i) => callCard(call, fields[i])),
  el("button", { type: "submit", className: "primary", textContent: "Send results" }));
}

function calls(turn, running, send) {
  if (turn.calls.length === 0) return null;
  if (!running && !turn.error && turn.results === null) return resultForm(turn, send);
  const results = turn.results?.map((text) => el("pre", { tabIndex: 0, textContent: text }));
  return el("div", {}, ...turn.calls.map((call, i) => callCard(call, results?.[i])));
}

function thoughts(turn) {
  if (turn.thoughts === "") return null;
  return el("details", { open: turn.text === "" && turn.calls.length === 0, className: "thoughts" },
    el("summary", { textContent: "Thoughts" }), ...markdown(turn.thoughts));
}

// Fills the element of an assistant's turn. `options`: {running: the answer is not complete, image: the image
// before it, retry: called to ask again, send: called with the results of calls}.
export function fillAssistant(article, turn, { running, image, retry, send }) {
  const boxes = image && !running ? findBoxes(turn.text) : [];
  article.setAttribute("aria-busy", String(running));
  article.replaceChildren(...[
    thoughts(turn),
    el("div", { className: "text" }, ...markdown(turn.text)),
    turn.decisions ? decisionBars(turn.decisions.questions, turn.decisions.answers) : null,
    running && turn.text === "" ? el("p", { className: "wait", textContent: "…" }) : null,
    calls(turn, running, send),
    boxes.length > 0 ? boxedImage(image, boxes) : null,
    turn.error ? el("p", { className: "error", role: "alert", textContent: turn.error }) : null,
    ...turn.warnings.map((text) => el("p", { className: "warning", textContent: text })),
    running ? null : el("div", { className: "actions" }, button("Retry", retry),
      el("span", { className: "note", textContent: turn.note })),
  ].filter((part) => part !== null));
}

export function assistantElement() {
  return el("article", { className: "assistant", "aria-label": "Model" });
}
