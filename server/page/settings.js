// The fields of the panel: parameters of requests, the API key, JSON schema and tools.

import { $, el } from "./dom.js";

const KEPT = ["system", "temperature", "top_p", "max_tokens", "seed", "schema", "tools", "tool_choice", "questions"];
const KEPT_CHECKS = ["use-schema", "use-tools", "use-decisions"];

const SCHEMA = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false,
};
const TOOLS = [{
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}];

const QUESTIONS = `Is the red light on?
How many lights are on? < 0 < 1 < 2 < 3 < 4
What colour is the circle? | red = The circle is red. | green = The circle is green. | blue = The circle is blue.`;

// A field that cannot be sent. The message names it.
export class FieldError extends Error {
  constructor(id, message) {
    super(message);
    this.field = $(id);
  }
}

// Opens the part of the panel that holds the field, marks the field as wrong, says why, and focuses it.
export function showField(field, message) {
  clearMarks();
  openPanel(true);
  field.closest("details").open = true;
  field.setAttribute("aria-invalid", "true");
  field.closest("details").append(el("p", { className: "error", role: "alert", textContent: message }));
  field.focus();
}

function clearMarks() {
  for (const field of $("panel").querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const text of $("panel").querySelectorAll(".error")) text.remove();
}

export function openPanel(open) {
  document.body.classList.toggle("panel-open", open);
  $("toggle-panel").setAttribute("aria-expanded", String(open));
}

function number(id) {
  const field = $(id);
  if (field.validity.badInput || !field.validity.valid) {
    throw new FieldError(id, `${id}: ${field.validationMessage}`);
  }
  return field.value === "" ? undefined : Number(field.value);
}

function json(id, name) {
  try {
    return JSON.parse($(id).value);
  } catch (error) {
    throw new FieldError(id, `${name}: ${error.message}`);
  }
}

function responseFormat() {
  if ($("schema").value.trim() === "") return { type: "json_object" };
  const schema = json("schema", "JSON schema");
  return { type: "json_schema", json_schema: { name: "answer", strict: true, schema } };
}

function toolFields() {
  const tools = json("tools", "Tools");
  if (!Array.isArray(tools)) throw new FieldError("tools", "Tools: expected a JSON array.");
  return { tools, tool_choice: $("tool_choice").value };
}

// Returns the fields of a request that the panel sets. Throws FieldError.
export function parameters() {
  clearMarks();
  const fields = {};
  for (const id of ["temperature", "top_p", "max_tokens", "seed"]) {
    const value = number(id);
    if (value !== undefined) fields[id] = value;
  }
  if ($("use-schema").checked) fields.response_format = responseFormat();
  if ($("use-tools").checked) Object.assign(fields, toolFields());
  return fields;
}

function keep() {
  const values = Object.fromEntries(KEPT.map((id) => [id, $(id).value]));
  for (const id of KEPT_CHECKS) values[id] = $(id).checked;
  sessionStorage.setItem("settings", JSON.stringify(values));
}

function keepKey() {
  if ($("keep-key").checked) sessionStorage.setItem("key", $("key").value);
  else sessionStorage.removeItem("key");
}

function restore() {
  const values = JSON.parse(sessionStorage.getItem("settings") ?? "{}");
  for (const id of KEPT) if (values[id] !== undefined) $(id).value = values[id];
  for (const id of KEPT_CHECKS) $(id).checked = values[id] ?? false;
  $("key").value = sessionStorage.getItem("key") ?? "";
  $("keep-key").checked = $("key").value !== "";
}

// Connects the panel. `keyChanged` is called when the user has entered a key.
export function setUpSettings(keyChanged) {
  $("schema").value = JSON.stringify(SCHEMA, null, 2);
  $("tools").value = JSON.stringify(TOOLS, null, 2);
  $("questions").value = QUESTIONS;
  restore();
  $("panel").addEventListener("change", keep);
  $("keep-key").addEventListener("change", keepKey);
  $("key").addEventListener("change", () => {
    clearMarks();
    keepKey();
    keyChanged();
  });
  $("toggle-panel").addEventListener("click", () => {
    openPanel(!document.body.classList.contains("panel-open"));
  });
}
