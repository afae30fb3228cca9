// Small functions to find and to build elements. Texts become text nodes, never HTML.

export const $ = (id) => document.getElementById(id);

// Builds an element. `properties` are properties of the element, attributes if their name has a
// dash or is "role", and listeners if they are functions. Children: nodes, texts, or null for none.
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

export function button(text, click, properties = {}) {
  return el("button", { type: "button", textContent: text, click, ...properties });
}
