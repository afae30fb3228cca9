// The Codex CLI: `codex exec` with the Responses API. It sends its long instructions and all of its tools.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BASE, assert, run, short } from "../harness.mjs";

const program = join(dirname(createRequire(import.meta.url).resolve("@openai/codex/package.json")), "bin/codex.js");
const provider = `{name="edgegate",base_url="${BASE}",wire_api="responses",request_max_retries=0,stream_max_retries=0}`;

// Returns the text of the last message. A refused request or a broken stream ends with an error.
function exec(model, prompt, more = []) {
  const home = mkdtempSync(join(process.cwd(), "codex-home-"));
  const last = join(home, "last");
  const done = spawnSync(process.execPath, [
    program, "exec", "--skip-git-repo-check", "--json", "-C", home, "-m", model, "-o", last,
    "-c", "model_provider=edgegate", "-c", `model_providers.edgegate=${provider}`, ...more, "-",
  ], { env: { ...process.env, CODEX_HOME: home }, encoding: "utf8", timeout: 300000, input: prompt });
  try {
    const events = done.stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    const failed = events.find((event) => event.type === "turn.failed" || event.type === "error");
    assert(!failed && done.status === 0, failed ?? done.stderr.slice(-300));
    const completed = events.find((event) => event.type === "turn.completed");
    assert(completed?.usage.output_tokens > 0, events.map((event) => event.type));
    return `${completed.usage.input_tokens} tokens of input, answer: ${short(readFileSync(last, "utf8"))}`;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

await run("@openai/codex", "Codex CLI", {
  exec: () => exec("edge-demo-v-brief", "Say hello."),
  "exec with an image": () => exec("edge-demo-v-brief", "Say hello.", ["-i", join(process.env.EDGEGATE_IMAGES, "sign.jpg")]),
});
