// Vercel's AI SDK with its providers `openai` (Responses API by default) and `openai-compatible`.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, embedMany, generateText, isStepCount, streamText, tool } from "ai";
import { z } from "zod";
import { BASE, CHAT, EMBED, SIGN, VISION, assert, bytes, cosine, run, short } from "../harness.mjs";

const openai = createOpenAI({ baseURL: BASE, apiKey: "none" });
const compatible = createOpenAICompatible({
  name: "edgegate", baseURL: BASE, apiKey: "none", includeUsage: true, supportsStructuredOutputs: true,
});
const prompt = "What is the weather in Paris?";
const common = { temperature: 0, maxOutputTokens: 40, maxRetries: 0 };
const schema = z.object({ sense: z.enum(["sight", "hearing"]), confident: z.boolean() });

async function text(model) {
  const answer = await generateText({ model, prompt, ...common });
  assert(answer.text && answer.usage.outputTokens > 0, answer.usage);
  return short(answer.text);
}

async function stream(model) {
  const whole = (await generateText({ model, prompt, ...common })).text;
  const answer = streamText({ model, prompt, ...common, onError: ({ error }) => { throw error; } });
  let joined = "", count = 0;
  for await (const piece of answer.textStream) {
    joined += piece;
    count += 1;
  }
  assert(joined === whole, joined);
  assert((await answer.usage).outputTokens > 0, "usage");
  return `${count} pieces join to the whole answer`;
}

async function object(model) {
  const { output } = await generateText({ model, prompt, ...common, output: Output.object({ schema }) });
  schema.parse(output);
  return JSON.stringify(output);
}

// The first step must call the tool. Later steps answer in text.
async function tools(model) {
  const seen = [];
  const answer = await generateText({
    model, prompt, ...common, maxOutputTokens: 200, stopWhen: isStepCount(3),
    prepareStep: ({ stepNumber }) => ({ toolChoice: stepNumber === 0 ? "required" : "none" }),
    tools: {
      get_weather: tool({
        description: "The weather in a city.",
        inputSchema: z.object({ city: z.string().min(1).max(24) }),
        execute: async ({ city }) => { seen.push(city); return `${city}: sunny`; },
      }),
    },
  });
  assert(seen[0] && answer.text, answer.steps.map((step) => step.finishReason));
  return `get_weather(${seen[0]}), then ${short(answer.text)}`;
}

async function image(model) {
  const content = [{ type: "text", text: SIGN[0] }, { type: "file", mediaType: "image/jpeg", data: bytes() }];
  const answer = await generateText({ model, messages: [{ role: "user", content }], ...common });
  assert(answer.text.includes(SIGN[1]), answer.text);
  return short(answer.text);
}

async function embeddings(model) {
  const values = ["a cat on a sofa", "a kitten on a couch", "the price of oil"];
  const [one, two, three] = (await embedMany({ model, values, maxRetries: 0 })).embeddings;
  assert(one.length === 384 && cosine(one, two) > cosine(one, three) + 0.2, one.length);
  return `cosine ${cosine(one, two).toFixed(2)} and ${cosine(one, three).toFixed(2)}`;
}

await run("ai", "ai (Vercel)", {
  "openai text": () => text(openai(CHAT)),
  "openai stream": () => stream(openai(CHAT)),
  "openai object": () => object(openai(CHAT)),
  "openai tools": () => tools(openai(CHAT)),
  "openai image": () => image(openai(VISION)),
  "openai.chat text": () => text(openai.chat(CHAT)),
  "openai.chat tools": () => tools(openai.chat(CHAT)),
  "openai embeddings": () => embeddings(openai.embedding(EMBED)),
  "openai-compatible text": () => text(compatible(CHAT)),
  "openai-compatible stream": () => stream(compatible(CHAT)),
  "openai-compatible object": () => object(compatible(CHAT)),
  "openai-compatible tools": () => tools(compatible(CHAT)),
  "openai-compatible image": () => image(compatible(VISION)),
  "openai-compatible embeddings": () => embeddings(compatible.embeddingModel(EMBED)),
});
