// The chat: connects the parts of the page, and sends the conversation.

import { call, curlOf, listModels, shortened } from "./api.js";
import { measureStream, setUpCharts } from "./charts.js";
import { addEvent, assistantTurn, imageBefore, messagesOf, userTurn } from "./conversation.js";
import { decisionBody, wantsDecisions } from "./decisions.js";
import { $, el } from "./dom.js";
import { hasImages, setUpImages, takeImages } from "./images.js";
import { FieldError, parameters, setUpSettings, showField } from "./settings.js";
import { readStream } from "./stream.js";
import { assistantElement, fillAssistant, userElement } from "./turns.js";

const PATH = "v1/chat/completions";
const DECISIONS = "v1/decisions";
const RETRY_MODELS_MS = 1500;

let turns = [];
let models = [];
let running = null; // the AbortController of the answer that is streamed
let command = ""; // the curl command of the last request

function say(text) {
  $("status").textContent = text;
}

// Puts the elements of all turns into the log, one for each.
function showAll() {
  $("empty").hidden = turns.length > 0;
  $("log").replaceChildren($("empty"), ...turns.map((turn) => {
    if (turn.role === "user") return userElement(turn, (text) => edit(turn, text));
    const article = assistantElement();
    fillAssistant(article, turn, optionsOf(turn, false));
    return article;
  }));
}

function optionsOf(turn, isRunning) {
  return {
    running: isRunning,
    image: imageBefore(turns, turn),
    retry: () => retry(turn),
    send: (results) => sendResults(turn, results),
  };
}

function isAtEnd() {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function scrollToEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

// Updates the element of a turn at most once for each frame.
function painter(article, turn) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => {
      waits = false;
      if (running === null) return;
      const follow = isAtEnd();
      fillAssistant(article, turn, optionsOf(turn, true));
      if (follow) scrollToEnd();
    });
  };
}

function setRunning(controller) {
  running = controller;
  $("stop").hidden = controller === null;
  $("send").hidden = controller !== null;
  for (const id of ["model", "new"]) $(id).disabled = controller !== null;
  document.body.classList.toggle("running", controller !== null);
}

function showCommand(path, body) {
  command = curlOf(path, body, $("key").value.trim() !== "");
  $("curl").textContent = shortened(command);
  $("copy").disabled = false;
}

function noteOf(turn) {
  const parts = [];
  if (turn.usage) parts.push(`${turn.usage.completion_tokens} tokens`);
  const speed = turn.timings?.decode_per_second;
  if (speed > 0) parts.push(`${speed.toFixed(speed < 10 ? 1 : 0)} tok/s`);
  if (turn.finish === "length") parts.push("cut at the maximum length");
  return parts.join(" · ");
}

async function stream(turn, body, paint) {
  const piece = measureStream();
  const response = await call(PATH, { body, signal: running.signal });
  for await (const event of readStream(response)) {
    if (addEvent(turn, event)) piece();
    paint();
  }
  turn.note = noteOf(turn);
}

async function decide(turn, body) {
  const response = await call(DECISIONS, { body, signal: running.signal });
  const { answers, usage, warnings } = await response.json();
  turn.decisions = { questions: body.questions, answers };
  turn.warnings = warnings ?? [];
  turn.note = `${usage.input_tokens} tokens`;
}

function fail(turn, error) {
  if (error.name === "AbortError") {
    turn.note = "stopped";
    turn.calls = []; // a call that is cut cannot be answered
    return;
  }
  turn.error = error instanceof TypeError ? "The server cannot be reached." : error.message;
  if (error.status === 401) showField($("key"), error.message);
}

// Returns what the status line says about an answer that has ended.
function endOf(turn) {
  if (turn.error) return "";
  if (turn.calls.length > 0) return "The model calls a tool. Type the result.";
  return turn.note === "stopped" ? "The answer is stopped." : "The answer is complete.";
}

function chatBody() {
  return { model: $("model").value, messages: messagesOf(turns, $("system").value), stream: true,
    stream_options: { include_usage: true }, ...parameters() };
}

// Sends the conversation and streams the answer into a new turn. Decisions are about the last message alone.
async function answer() {
  if (running) return;
  const asksDecisions = wantsDecisions() && turns.at(-1).role === "user";
  let body;
  try {
    body = asksDecisions ? decisionBody($("model").value, turns.at(-1)) : chatBody();
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    showAll();
    return showField(error.field, error.message);
  }
  const turn = assistantTurn();
  turns.push(turn);
  showAll();
  const article = $("log").lastElementChild;
  setRunning(new AbortController());
  fillAssistant(article, turn, optionsOf(turn, true));
  scrollToEnd();
  showCommand(asksDecisions ? DECISIONS : PATH, body);
  say("The model answers.");
  try {
    if (asksDecisions) await decide(turn, body);
    else await stream(turn, body, painter(article, turn));
  } catch (error) {
    fail(turn, error);
  }
  const focus = document.activeElement === $("stop");
  setRunning(null);
  fillAssistant(article, turn, optionsOf(turn, false));
  scrollToEnd();
  if (focus) $("prompt").focus();
  say(endOf(turn));
}

function send() {
  const text = $("prompt").value.trim();
  if (running || models.length === 0 || (text === "" && !hasImages())) return;
  turns.push(userTurn(text, takeImages()));
  $("prompt").value = "";
  answer();
}

// Drops the turns from `index` on, and answers again.
function answerFrom(index) {
  turns.length = index;
  answer();
  $("prompt").focus();
}

function retry(turn) {
  if (!running) answerFrom(turns.indexOf(turn));
}

function edit(turn, text) {
  if (running || (text === "" && turn.images.length === 0)) return;
  turn.text = text;
  answerFrom(turns.indexOf(turn) + 1);
}

function sendResults(turn, results) {
  if (running) return;
  turn.results = results;
  answerFrom(turns.indexOf(turn) + 1);
}

async function loadModels() {
  const select = $("model");
  try {
    models = await listModels();
    select.replaceChildren(...models.map(({ id }) => el("option", { value: id, textContent: id })));
    select.disabled = false;
    say(models.length === 0 ? "The server has no model that writes text." : "");
    showVision();
  } catch (error) {
    models = [];
    if (error.status === 401) {
      say("This server needs an API key.");
      return showField($("key"), error.message);
    }
    say(error.status === 503 ? "The models are loading…" : `The models cannot be listed: ${error.message}`);
    setTimeout(loadModels, RETRY_MODELS_MS);
  }
}

// Disables the buttons for images if the model takes text only.
function showVision() {
  const model = models.find(({ id }) => id === $("model").value);
  for (const id of ["attach", "camera"]) {
    $(id).disabled = !model?.vision;
    $(id).title = model?.vision ? "" : "This model takes text only.";
  }
}

async function copyCommand() {
  try {
    await navigator.clipboard.writeText(command);
  } catch {
    // Pages that are not secure have no clipboard: a copy event has one.
    const copy = (event) => {
      event.clipboardData.setData("text/plain", command);
      event.preventDefault();
    };
    document.addEventListener("copy", copy, { once: true });
    document.execCommand("copy");
  }
  say("The command is copied.");
}

function onKey(event) {
  if (event.key === "Escape" && running) running.abort();
  if (event.target !== $("prompt") || event.key !== "Enter") return;
  if (event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
}

function setUp() {
  setUpSettings(loadModels);
  setUpImages(say);
  setUpCharts();
  document.addEventListener("keydown", onKey);
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  $("stop").addEventListener("click", () => running?.abort());
  $("copy").addEventListener("click", copyCommand);
  $("model").addEventListener("change", showVision);
  $("new").addEventListener("click", () => {
    turns = [];
    showAll();
    $("prompt").focus();
  });
  loadModels();
  $("prompt").focus();
}

setUp();
