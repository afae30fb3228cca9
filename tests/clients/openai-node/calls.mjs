// The openai package for Node: chat, parse, stream, tools, responses, embeddings, decisions.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { BASE, CHAT, CITY, EMBED, SIGN, VISION, assert, cosine, dataUrl, run, short } from "../harness.mjs";

const client = new OpenAI({ baseURL: BASE, apiKey: "none", maxRetries: 0 });
const ask = [{ role: "user", content: "What is the weather in Paris?" }];
const weather = { name: "get_weather", description: "The weather in a city.", parameters: CITY };
const tools = [{ type: "function", function: weather }];
const Reading = z.object({ sense: z.enum(["sight", "hearing"]), confident: z.boolean() });
const create = (more) =>
  client.chat.completions.create({ model: CHAT, messages: ask, temperature: 0, max_tokens: 40, ...more });
const respond = (more) => client.responses.create({ model: CHAT, temperature: 0, max_output_tokens: 40, ...more });

await run("openai", "openai (Node)", {
  async models() {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    assert([CHAT, VISION, EMBED].every((name) => names.includes(name)), names);
    return `${names.length} models`;
  },
  async chat() {
    const answer = await create({});
    assert(answer.choices[0].message.content && answer.usage.completion_tokens > 0, answer);
    return short(answer.choices[0].message.content);
  },
  async "chat stream"() {
    const whole = (await create({})).choices[0].message.content;
    let text = "", usage, count = 0;
    for await (const chunk of await create({ stream: true, stream_options: { include_usage: true } })) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
      count += 1;
    }
    assert(text === whole && usage.completion_tokens > 0, text);
    return `${count} chunks join to the whole answer`;
  },
  async "chat image"() {
    const content = [{ type: "text", text: SIGN[0] }, { type: "image_url", image_url: { url: dataUrl() } }];
    const answer = (await create({ model: VISION, messages: [{ role: "user", content }] })).choices[0].message.content;
    assert(answer.includes(SIGN[1]), answer);
    return short(answer);
  },
  async "chat parse"() {
    const answer = await client.chat.completions.parse({
      model: CHAT, messages: ask, max_tokens: 60, response_format: zodResponseFormat(Reading, "reading"),
    });
    Reading.parse(answer.choices[0].message.parsed);
    return JSON.stringify(answer.choices[0].message.parsed);
  },
  async "chat tools, two turns"() {
    const message = (await create({ tools, tool_choice: "required" })).choices[0].message;
    const call = message.tool_calls[0];
    const city = JSON.parse(call.function.arguments).city;
    assert(call.function.name === "get_weather" && city, call);
    const result = { role: "tool", tool_call_id: call.id, content: `${city}: sunny` };
    const second = (await create({ messages: [...ask, message, result], tools })).choices[0].message;
    assert(second.content || second.tool_calls, second);
    return `get_weather(${city}), then ${short(second.content)}`;
  },
  async "chat tools, streamed with runTools"() {
    const seen = [];
    const runner = client.chat.completions.runTools({
      model: CHAT, messages: ask, temperature: 0, max_tokens: 60, stream: true,
      tool_choice: { type: "function", function: { name: "get_weather" } },
      tools: [{
        type: "function",
        function: { ...weather, parse: JSON.parse, function: ({ city }) => { seen.push(city); return "sunny"; } },
      }],
    });
    await runner.done();
    assert(seen.length === 1 && seen[0], seen);
    return `get_weather(${seen[0]})`;
  },
  async responses() {
    const answer = await respond({ input: "Name a colour.", instructions: "Be brief." });
    assert(answer.output_text && answer.usage.output_tokens > 0, answer);
    return short(answer.output_text);
  },
  async "responses stream"() {
    const stream = client.responses.stream({ model: CHAT, input: "Name a colour.", max_output_tokens: 60, temperature: 0 });
    let text = "";
    for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
    const final = await stream.finalResponse();
    assert(text === final.output_text, text);
    return short(text);
  },
  async "responses parse"() {
    const answer = await client.responses.parse({
      model: CHAT, input: "What do eyes do?", text: { format: zodTextFormat(Reading, "reading") },
    });
    Reading.parse(answer.output_parsed);
    return JSON.stringify(answer.output_parsed);
  },
  async "responses tools"() {
    const flat = [{ type: "function", strict: true, ...weather }];
    const first = await respond({ input: ask[0].content, tools: flat, tool_choice: "required" });
    const call = first.output.find((item) => item.type === "function_call");
    assert(JSON.parse(call.arguments).city, call);
    const output = { type: "function_call_output", call_id: call.call_id, output: "sunny" };
    const second = await respond({ input: [output], previous_response_id: first.id, tools: flat });
    assert(second.output.length > 0, second);
    return `${call.arguments}, then ${short(second.output_text)}`;
  },
  async embeddings() {
    const input = ["a cat on a sofa", "a kitten on a couch", "the price of oil"];
    const [one, two, three] = (await client.embeddings.create({ model: EMBED, input })).data.map((e) => e.embedding);
    assert(one.length === 384 && cosine(one, two) > cosine(one, three) + 0.2, one.length);
    return `cosine ${cosine(one, two).toFixed(2)} and ${cosine(one, three).toFixed(2)}`;
  },
  async decisions() {
    const questions = [
      { type: "predicate", name: "gauge", instructions: "The image shows a gauge." },
      { type: "choice", name: "unit", instructions: "The unit.", choices: [{ value: "bar" }, { value: "°C" }] },
    ];
    const content = [{ type: "input_image", image_url: dataUrl("gauge.jpg") }];
    const answer = await client.decisions.create({ model: VISION, input: [{ role: "user", content }], questions });
    const [predicate, choice] = answer.answers;
    assert(predicate.probability >= 0 && predicate.probability <= 1 && ["bar", "°C"].includes(choice.choice), answer);
    return `gauge ${predicate.probability.toFixed(2)}, unit ${choice.choice}`;
  },
  async errors() {
    const error = await create({ model: "no-such-model" }).then(() => null, (e) => e);
    assert(error instanceof OpenAI.NotFoundError && error.message.includes("no-such-model"), String(error));
    return "404 names the model";
  },
});
