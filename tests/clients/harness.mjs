// Runs the calls of a Node client. Each call prints one JSON line: {client, version, call, ok, detail}.
// A call checks what it gets and returns a short text about it. An exception is a failure.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const URL_ = process.env.EDGEGATE_URL;
export const BASE = URL_ + "/v1";
export const CHAT = "smollm2";
export const VISION = "edge-demo-v";
export const SIGN = ["What does the sign say?", "DANGER"]; // about sign.jpg, and a word of the answer
export const EMBED = "all-MiniLM-L6-v2";
const IMAGES = process.env.EDGEGATE_IMAGES;

export const CITY = {
  type: "object",
  properties: { city: { type: "string", minLength: 1, maxLength: 24 } },
  required: ["city"],
  additionalProperties: false,
};

export const bytes = (name = "sign.jpg") => readFileSync(join(IMAGES, name));
export const image = (name) => bytes(name).toString("base64");
export const dataUrl = (name) => "data:image/jpeg;base64," + image(name);
export const short = (text, size = 60) => String(text).replace(/\s+/g, " ").trim().slice(0, size);

export function assert(condition, message) {
  if (!condition) throw new Error("check failed: " + (typeof message === "string" ? message : JSON.stringify(message)));
}

export function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

// `calls`: an object of names and functions. `name`: the package, which package.json beside calls.mjs pins.
// `client`: its name in the table.
export async function run(name, client, calls) {
  const pinned = JSON.parse(readFileSync(join(dirname(process.argv[1]), "package.json")));
  const version = pinned.dependencies[name];
  for (const [title, call] of Object.entries(calls)) {
    const line = { client, version, call: title, ok: true, detail: "" };
    try {
      line.detail = (await call()) ?? "";
    } catch (error) {
      line.ok = false;
      line.detail = short(`${error.name}: ${error.message} ${error.responseBody ?? ""}`, 400);
    }
    console.log(JSON.stringify(line));
  }
}
