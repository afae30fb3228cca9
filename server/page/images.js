// Images of the message that is written: from files, paste, drag and drop, and the camera.

import { $, button, el } from "./dom.js";

const KEPT_TYPES = ["image/jpeg", "image/png", "image/webp"]; // the daemon decodes these
const KEPT_BYTES = 3 << 20;
const MAX_SIDE = 2048; // of images that are encoded anew, pixels

let attached = []; // data URLs
let tell = () => {};

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

// Draws a video's frame or an image on a canvas and returns it as a JPEG.
function encode(source, width, height) {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const canvas = el("canvas", {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  });
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.92);
}

async function read(file) {
  if (KEPT_TYPES.includes(file.type) && file.size <= KEPT_BYTES) return dataUrl(file);
  const bitmap = await createImageBitmap(file);
  return encode(bitmap, bitmap.width, bitmap.height);
}

function show() {
  $("attached").replaceChildren(...attached.map((url, i) => el("li", {},
    el("img", { src: url, alt: `Image ${i + 1}` }),
    button("×", () => remove(i), { "aria-label": `Remove image ${i + 1}` }))));
}

function remove(index) {
  attached.splice(index, 1);
  show();
  $("prompt").focus();
}

async function add(files) {
  if ($("attach").disabled) return tell("This model takes text only.");
  for (const file of files) {
    try {
      attached.push(await read(file));
    } catch {
      tell(`${file.name || "The file"} is not an image that this browser can read.`);
    }
  }
  show();
}

// Returns the images of the message and forgets them.
export function takeImages() {
  const images = attached;
  attached = [];
  show();
  return images;
}

export function hasImages() {
  return attached.length > 0;
}

function stopCamera() {
  for (const track of $("video").srcObject?.getTracks() ?? []) track.stop();
  $("video").srcObject = null;
}

async function openCamera() {
  const text = $("camera-text");
  const usable = window.isSecureContext && navigator.mediaDevices !== undefined;
  text.textContent = usable ? "" : "Browsers give the camera to secure pages only. Open this page by https or " +
    "at localhost. On a phone, the camera app takes a photo instead.";
  for (const id of ["video", "shoot"]) $(id).hidden = !usable;
  $("camera-app").hidden = usable;
  $("camera-dialog").showModal();
  if (!usable) return;
  $("shoot").disabled = true;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    $("video").srcObject = stream;
    if (!$("camera-dialog").open) return stopCamera();
    $("shoot").disabled = false;
  } catch (error) {
    text.textContent = `The camera is not available: ${error.message}`;
  }
}

function takePhoto() {
  const video = $("video");
  if (video.videoWidth === 0) return; // no frame yet
  attached.push(encode(video, video.videoWidth, video.videoHeight));
  show();
  $("camera-dialog").close();
}

function imagesOf(transfer) {
  return [...(transfer?.files ?? [])].filter((file) => file.type.startsWith("image/"));
}

function setUpDrop() {
  document.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("drop");
  });
  for (const name of ["dragleave", "drop"]) {
    document.addEventListener(name, () => document.body.classList.remove("drop"));
  }
  document.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
}

// Connects the buttons. `report` shows a text to the user.
export function setUpImages(report) {
  tell = report;
  for (const id of ["file", "capture"]) {
    $(id).addEventListener("change", async () => {
      await add($(id).files);
      $(id).value = "";
    });
  }
  $("attach").addEventListener("click", () => $("file").click());
  $("camera").addEventListener("click", openCamera);
  $("camera-dialog").addEventListener("close", stopCamera);
  $("camera-close").addEventListener("click", () => $("camera-dialog").close());
  $("camera-app").addEventListener("click", () => {
    $("camera-dialog").close();
    $("capture").click();
  });
  $("shoot").addEventListener("click", takePhoto);
  document.addEventListener("paste", (event) => {
    const files = imagesOf(event.clipboardData);
    if (files.length === 0) return;
    event.preventDefault();
    add(files);
  });
  setUpDrop();
}
