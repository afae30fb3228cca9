// Boxes that a model names in its answer, drawn on the image of the question.

const SVG = "http://www.w3.org/2000/svg";
const NUMBERS = String.raw`\s*\d{1,4}(?:\s*,\s*\d{1,4}){3}\s*`;
// GLM's form, [[left,top,right,bottom]] in thousandths, also with several boxes. Its form of one
// box is tried first, because the other form is a part of it.
const GLM = new RegExp(String.raw`\[\s*\[${NUMBERS}(?:(?:\]\s*,\s*\[|;)${NUMBERS})*\]\s*\]`, "g");
// edge-demo-v's form, [left, top, right, bottom] in percent.
const PERCENT = new RegExp(String.raw`\[${NUMBERS}\]`, "g");

function read(text, most) {
  const numbers = text.match(/\d+/g).map(Number);
  const boxes = [];
  for (let i = 0; i + 4 <= numbers.length; i += 4) {
    const [left, top, right, bottom] = numbers.slice(i, i + 4).map((n) => n / most);
    if (left < right && top < bottom && right <= 1 && bottom <= 1) {
      boxes.push({ left, top, right, bottom });
    }
  }
  return boxes;
}

// Returns the boxes of a text in order, as fractions of the image's width and height.
export function findBoxes(text) {
  const found = [];
  const rest = text.replace(GLM, (match, offset) => {
    found.push({ offset, boxes: read(match, 1000) });
    return " ".repeat(match.length);
  });
  for (const match of rest.matchAll(PERCENT)) {
    found.push({ offset: match.index, boxes: read(match[0], 100) });
  }
  found.sort((a, b) => a.offset - b.offset);
  return found.flatMap((place) => place.boxes);
}

function shape(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

// Returns an image with numbered boxes on it. `url`: of the image.
export function boxedImage(url, boxes) {
  const figure = document.createElement("figure");
  const image = document.createElement("img");
  const drawing = shape("svg", { "aria-hidden": "true" });
  figure.className = "boxes";
  image.src = url;
  image.alt = "The image with " + boxes.map((box, i) => `box ${i + 1} from ` +
    `${percent(box.left)}, ${percent(box.top)} to ${percent(box.right)}, ${percent(box.bottom)}`).join("; ");
  for (const [i, box] of boxes.entries()) {
    const x = percent(box.left);
    const y = percent(box.top);
    const size = { width: percent(box.right - box.left), height: percent(box.bottom - box.top) };
    const group = shape("g", { class: `box color-${i % 4}` });
    group.append(shape("rect", { x, y, ...size, class: "halo" }), shape("rect", { x, y, ...size }));
    if (boxes.length > 1) group.append(shape("text", { x, y, dx: 5, dy: 17 }, String(i + 1)));
    drawing.append(group);
  }
  figure.append(image, drawing);
  return figure;
}

function percent(fraction) {
  return `${Math.round(fraction * 1000) / 10}%`;
}
