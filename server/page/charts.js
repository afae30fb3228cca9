// Live charts: the load of the daemon from /health, and the latencies of the page's own streams.

import { $, el } from "./dom.js";

const POINTS = 60;
const PERIOD_MS = 1000;

// A line of the last values, drawn on a canvas.
class Chart {
  #values = [];
  #canvas = el("canvas", { role: "img" });
  #figure = el("strong", { textContent: "–" });
  #unit;
  #name;

  constructor(name, unit) {
    this.#name = name;
    this.#unit = unit;
    this.element = el("figure", { className: "chart" },
      el("figcaption", {}, el("span", { textContent: name }), this.#figure), this.#canvas);
    this.draw();
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > POINTS) this.#values.shift();
    const digits = Number.isInteger(value) || value >= 10 ? 0 : 1;
    this.#figure.textContent = `${value.toFixed(digits)}${this.#unit}`;
    this.draw();
  }

  draw() {
    const label = `${this.#name}: ${this.#figure.textContent}`;
    this.#canvas.setAttribute("aria-label", label);
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = window.devicePixelRatio;
    this.#canvas.width = clientWidth * scale;
    this.#canvas.height = clientHeight * scale;
    const context = this.#canvas.getContext("2d");
    context.scale(scale, scale);
    this.#line(context, clientWidth, clientHeight);
  }

  #line(context, width, height) {
    const most = Math.max(...this.#values, Number.MIN_VALUE);
    const points = this.#values.map((value, i) => [
      (width * (i + POINTS - this.#values.length)) / (POINTS - 1),
      height - 1.5 - (value / most) * (height - 4),
    ]);
    if (points.length === 0) return;
    const color = getComputedStyle(document.body).getPropertyValue("--accent");
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
    context.fillRect(points.at(-1)[0] - 3, points.at(-1)[1] - 1.5, 3, 3);
    context.globalAlpha = 0.15;
    context.lineTo(width, height);
    context.lineTo(points[0][0], height);
    context.fill();
  }
}

const charts = {
  speed: new Chart("Generated", " tok/s"),
  running: new Chart("Running", ""),
  queue: new Chart("Waiting", ""),
  cache: new Chart("KV cache", " %"),
  first: new Chart("First token", " ms"),
  between: new Chart("Inter-token", " ms"),
};

let before = null; // the sums of the last /health and their time

function sum(models, member) {
  return models.reduce((total, model) => total + (model[member] ?? 0), 0);
}

function addHealth(health) {
  const { models } = health;
  const now = { time: performance.now(), tokens: sum(models, "generated_tokens") };
  if (before) {
    const speed = ((now.tokens - before.tokens) * 1000) / (now.time - before.time);
    charts.speed.add(Math.max(0, speed));
  }
  before = now;
  charts.running.add(sum(models, "running"));
  charts.queue.add(sum(models, "waiting"));
  const blocks = sum(models, "kv_blocks_total");
  charts.cache.add(blocks === 0 ? 0 : 100 * (1 - sum(models, "kv_blocks_free") / blocks));
}

function visible() {
  return !document.hidden && $("charts").checkVisibility();
}

async function poll() {
  if (visible()) {
    try {
      addHealth(await (await fetch("health")).json());
    } catch {
      before = null; // the daemon cannot be reached
    }
  } else {
    before = null;
  }
  setTimeout(poll, PERIOD_MS);
}

// Measures a stream that begins now. Call the result for each piece of the answer.
export function measureStream() {
  let last = performance.now();
  let chart = charts.first;
  return () => {
    const now = performance.now();
    chart.add(now - last);
    chart = charts.between;
    last = now;
  };
}

export function setUpCharts() {
  $("charts").append(...Object.values(charts).map((chart) => chart.element));
  const redraw = () => Object.values(charts).forEach((chart) => chart.draw());
  new ResizeObserver(redraw).observe($("charts"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  poll();
}
