// The sign that tells the state of the connection, on its element and on <html>, where CSS makes all numbers follow.

import { clockTime } from "./words.mjs";

const WORDS = { live: "Live", "catching-up": "Catching up", stale: "Stale since", offline: "Offline since" };
const DATED = ["stale", "offline"];

/** What the sign says: {text, countdown}; times in the reader's zone. */
export function words({ state, since, retryAt }, now) {
  const text = DATED.includes(state) ? `${WORDS[state]} ${clockTime(since)}` : WORDS[state];
  if (state !== "offline" || retryAt === null) return { text, countdown: "" };
  return { text, countdown: `, trying again in ${Math.max(0, Math.ceil((retryAt - now) / 1000))} s` };
}

/** Show a state; the live region's text changes only with the state, the seconds stand in a part hidden from readers. */
export function show(id, shown, now) {
  const root = document.documentElement;
  if (root.dataset.connection !== shown.state) root.dataset.connection = shown.state;
  const element = document.getElementById(id);
  if (element === null) return;
  if (element.dataset.state !== shown.state) element.dataset.state = shown.state;
  const { text, countdown } = words(shown, now);
  put(element, "text", text);
  put(element, "countdown", countdown).ariaHidden = "true";
}

/** The page has nothing live: say nothing. */
export function clear(id) {
  delete document.documentElement.dataset.connection;
  const element = document.getElementById(id);
  if (element === null) return;
  element.dataset.state = "none";
  put(element, "text", "");
  put(element, "countdown", "");
}

function put(element, name, text) {
  let part = element.querySelector(`[data-part="${name}"]`);
  if (part === null) {
    part = document.createElement("span");
    part.dataset.part = name;
    element.append(part);
  }
  if (part.textContent !== text) part.textContent = text;
  return part;
}
