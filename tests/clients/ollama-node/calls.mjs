// The ollama package for Node: models, chat, stream, image, format, tools, generate, embed.
import { Ollama } from "ollama";
import { CHAT, CITY, EMBED, SIGN, URL_, VISION, assert, bytes, cosine, run, short } from "../harness.mjs";

const client = new Ollama({ host: URL_ });
const messages = [{ role: "user", content: "What is the weather in Paris?" }];
const options = { temperature: 0, num_predict: 30 };
const tools = [{ type: "function", function: { name: "get_weather", description: "The weather.", parameters: CITY } }];
const chat = (more) => client.chat({ model: CHAT, messages, options, ...more });

await run("ollama", "ollama (Node)", {
  async models() {
    const names = (await client.list()).models.map((model) => model.name.replace(":latest", ""));
    assert([CHAT, VISION].every((name) => names.includes(name)), names);
    assert((await client.show({ model: VISION })).capabilities.includes("vision"), "vision");
    await client.version();
    return `${names.length} models`;
  },
  async chat() {
    const answer = await chat({});
    assert(answer.message.content && answer.done && answer.eval_count > 0, answer);
    return short(answer.message.content);
  },
  async "chat stream"() {
    const whole = (await chat({})).message.content;
    let text = "", last;
    for await (const part of await chat({ stream: true })) {
      text += part.message.content;
      last = part;
    }
    assert(text === whole && last.done, text);
    return "lines join to the whole answer";
  },
  async "chat image"() {
    const asked = [{ role: "user", content: SIGN[0], images: [bytes()] }];
    const answer = (await chat({ model: VISION, messages: asked })).message.content;
    assert(answer.includes(SIGN[1]), answer);
    return short(answer);
  },
  async "chat format"() {
    const found = JSON.parse((await chat({ format: CITY })).message.content);
    assert(typeof found.city === "string" && found.city, found);
    return JSON.stringify(found);
  },
  async "chat tools"() {
    const calls = (await chat({ tools })).message.tool_calls ?? [];
    assert(calls.every((call) => call.function.arguments.city), calls);
    return `${calls.length} calls`;
  },
  async generate() {
    const answer = await client.generate({ model: CHAT, prompt: "One, two,", options });
    assert(answer.response && answer.done, answer);
    return short(answer.response);
  },
  async embed() {
    const input = ["a cat on a sofa", "a kitten on a couch", "the price of oil"];
    const [one, two, three] = (await client.embed({ model: EMBED, input })).embeddings;
    assert(one.length === 384 && cosine(one, two) > cosine(one, three) + 0.2, one.length);
    return `cosine ${cosine(one, two).toFixed(2)} and ${cosine(one, three).toFixed(2)}`;
  },
  async errors() {
    const error = await chat({ model: "no-such-model" }).then(() => null, (e) => e);
    assert(error?.status_code === 404 && error.message.includes("no-such-model"), String(error));
    return "404 names the model";
  },
});
