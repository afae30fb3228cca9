// Simple Markdown as nodes: code blocks, inline code, bold, italic, headings and lists. Everything
// else is plain text. No part of the text becomes HTML or a link.

import { el } from "./dom.js";

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*/g;
const HEADING = /^#{1,6}\s+(.*)$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,4})[.)])\s+(.*)$/;

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, match.index));
    const [whole, code, bold, italic] = match;
    if (code) nodes.push(el("code", { textContent: code }));
    else if (bold) nodes.push(el("strong", { textContent: bold }));
    else nodes.push(el("em", { textContent: italic }));
    end = match.index + whole.length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

function codeBlock(text) {
  return el("pre", { tabIndex: 0 }, el("code", { textContent: text }));
}

// Adds an item to the list that `nodes` ends with, or to a new one.
function addItem(nodes, number, text, joins) {
  const tag = number ? "OL" : "UL";
  let list = nodes.at(-1);
  if (!joins || list?.tagName !== tag) {
    list = el(tag);
    if (number) list.start = Number(number);
    nodes.push(list);
  }
  list.append(el("li", {}, ...inline(text)));
}

function addLine(nodes, line, joins) {
  const heading = HEADING.exec(line);
  const item = ITEM.exec(line);
  if (heading) nodes.push(el("p", {}, el("strong", { textContent: heading[1] })));
  else if (item) addItem(nodes, item[1], item[2], joins);
  else if (joins && nodes.at(-1)?.tagName === "P") nodes.at(-1).append(el("br"), ...inline(line));
  else nodes.push(el("p", {}, ...inline(line)));
}

// Returns the nodes of a text. An open code block ends with the text, so that a text may grow.
export function markdown(text) {
  const nodes = [];
  let code = null;
  let joins = false; // the line may continue the paragraph or list before it
  for (const line of text.split("\n")) {
    if (/^\s*```/.test(line)) {
      if (code) nodes.push(codeBlock(code.join("\n")));
      code = code ? null : [];
      joins = false;
    } else if (code) {
      code.push(line);
    } else if (line.trim() === "") {
      joins = false;
    } else {
      addLine(nodes, line, joins);
      joins = !HEADING.test(line);
    }
  }
  if (code) nodes.push(codeBlock(code.join("\n")));
  return nodes;
}
