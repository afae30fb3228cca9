// Requests to the daemon, and the curl line of a request.

import { $ } from "./dom.js";

// An answer with an error status.
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function headers(key) {
  const fields = { "Content-Type": "application/json" };
  if (key) fields.Authorization = "Bearer " + key;
  return fields;
}

// Sends a request with the key of the page. Throws ApiError with the server's text.
export async function call(path, { body, signal } = {}) {
  const key = $("key").value.trim();
  const options = { headers: headers(key), signal, referrerPolicy: "no-referrer" };
  if (body !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(body) });
  const response = await fetch(path, options);
  if (response.ok) return response;
  const text = await response.text();
  let message = text;
  try {
    const { error } = JSON.parse(text);
    message = error.message ?? error;
  } catch {
    // Not JSON: a proxy wrote the answer.
  }
  throw new ApiError(response.status, `${response.status}: ${message || response.statusText}`);
}

// Returns the models that generate text, as {id, vision}. Ollama's /api/show tells what a model can do.
export async function listModels() {
  const { data } = await (await call("v1/models")).json();
  const models = await Promise.all(data.map(async ({ id }) => {
    const { capabilities } = await (await call("api/show", { body: { model: id } })).json();
    return { id, vision: capabilities.includes("vision"), chat: capabilities.includes("completion") };
  }));
  return models.filter((model) => model.chat);
}

// Returns the command that repeats a request. The key is the shell's variable KEY. A here-document
// holds the body, because a command line is too short for images.
export function curlOf(path, body, withKey) {
  const url = new URL(path, document.baseURI).href;
  const key = withKey ? ` \\\n  -H "Authorization: Bearer $KEY"` : "";
  return `curl -sN '${url}' -H 'Content-Type: application/json'${key} -d @- <<'EOF'\n` +
    `${JSON.stringify(body)}\nEOF`;
}

// Returns the command with the data of its images shortened, for the screen.
export function shortened(command) {
  return command.replace(/(data:image\/\w+;base64,[^"]{16})[^"]{64,}/g, "$1…");
}
