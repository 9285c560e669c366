// The page "Maintenant", alive: each change asks the box for the same words and figures it wrote first, and swaps them in.
import { follow } from "./live.js";
import { morph } from "./morph.js";

const SHORTEST_MS = 1000; // between two askings
const LONGEST_MS = 10_000; // ages grow even when nothing new comes
const ANSWER_MS = 8000;
const ANNOUNCE_MS = 30_000;

const main = document.querySelector("main");
const fragment = main.dataset.fragment;
const lost = document.getElementById("lost");
const voice = document.getElementById("voice");
let asked = 0;
let timer = 0;
let asking = false;
let said = sentence();
let saidAt = Date.now();
let alarmed = document.querySelector(".say .alert") !== null;

function sentence() {
  return document.querySelector(".say").textContent.trim();
}

function plan(wait) {
  clearTimeout(timer);
  timer = setTimeout(ask, wait);
}

function soon() {
  if (!asking) plan(Math.max(0, asked + SHORTEST_MS - Date.now()));
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const living = document.querySelector(`[data-live="${part.dataset.live}"]`);
    if (living) morph(living, part);
  }
}

function announce() {
  const now = sentence();
  const alarm = document.querySelector(".say .alert") !== null;
  const begins = alarm && !alarmed; // a cut that is coming does not wait for its turn
  alarmed = alarm;
  if (now === said || (!begins && Date.now() - saidAt < ANNOUNCE_MS)) return;
  said = now;
  saidAt = Date.now();
  voice.textContent = now;
}

async function ask() {
  if (asking || document.hidden) return;
  asking = true;
  asked = Date.now();
  try {
    const answer = await fetch(fragment, { redirect: "manual", signal: AbortSignal.timeout?.(ANSWER_MS) });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      location.reload(); // signed out elsewhere: the server shows the door
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    swap(await answer.text());
    announce();
    lost.hidden = true;
    stream.reopen();
  } catch {
    lost.hidden = false;
  } finally {
    asking = false;
    plan(LONGEST_MS);
  }
}

const stream = follow(main.dataset.stream, { changed: soon, broken: () => plan(SHORTEST_MS) });
plan(LONGEST_MS);
