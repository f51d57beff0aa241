import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Rating } from "../../../assets/rate/rating.js";
import { Store } from "../../../assets/rate/store.js";
import { el } from "../../../assets/viewer/dom.js";
import { image, library } from "../niivue.js";
import { clear, enter, labelled, leave, only, press, settled, warnings } from "../page.js";

/** @import { Payload, Question, Showing } from "../../../assets/rate/rating-json.d.ts" */

const QUESTION = {
  name: "real",
  title: "Is it real?",
  help: "",
  kind: /** @type {const} */ ("choice"),
  options: /** @type {[string, string][]} */ ([
    ["real", "Real"],
    ["synthetic", "Synthetic"],
  ]),
  levels: 0,
  low: "",
  high: "",
  optional: false,
};

/** A study of three items on a server, as far as the page sees it. */
class Server {
  constructor() {
    this.started = true;
    this.changes = true;
    this.training = 0;
    /** @type {Question[]} */
    this.questions = [QUESTION];
    /** @type {Payload[]} */
    this.saved = [];
    /** @type {Map<number, Payload>} */
    this.answers = new Map();
    /** @type {((path: string) => Response | null)} */
    this.refuse = () => null;
    this.total = 3;
  }

  get progress() {
    return { done: this.answers.size, total: this.total };
  }

  /**
   * @param {number} position
   * @returns {Showing | null}
   */
  showing(position) {
    if (position > this.total) return null;
    const given = this.answers.get(position);
    return {
      id: `s${position}`,
      position,
      training: position <= this.training,
      images: [`/image/${position}`],
      at: null,
      questions: this.questions,
      answers: given ? given.answers : null,
    };
  }

  state() {
    const { started, changes, progress } = this;
    const next = started ? this.showing(progress.done + 1) : null;
    const texts = { title: "Study", instructions: "Look.", consent: "", end: "" };
    return { ...texts, changes, toggle: false, started, expertise: [], progress, next };
  }

  /** @param {Payload} payload */
  save(payload) {
    this.saved.push(payload);
    const position = Number(payload.showing.slice(1));
    this.answers.set(position, payload);
    const feedback = position <= this.training ? { correct: false, text: "It is real." } : null;
    return { saved: this.saved.length, feedback, progress: this.progress, next: this.showing(this.progress.done + 1) };
  }

  /**
   * @param {string} url
   * @param {RequestInit} [how]
   */
  answer(url, how) {
    const path = url.replace("/rate/KEY/", "");
    const refusal = this.refuse(path);
    if (refusal) return refusal;
    if (path.startsWith("/image/")) return new Response(Uint8Array.from([1]));
    if (path === "state") return Response.json(this.state());
    if (path.startsWith("showing/")) return Response.json(this.showing(Number(path.split("/")[1])));
    if (path === "start") this.started = true;
    return Response.json(path === "start" ? this.state() : this.save(JSON.parse(String(how?.body))));
  }
}

/** @type {Server} */
let server;
/** @type {Rating} */
let rating;
/** @type {HTMLElement} */
let page;

beforeEach(() => {
  server = new Server();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  mock.method(HTMLCanvasElement.prototype, "getContext", () => ({ getExtension: () => null }));
  mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ how) =>
    server.answer(url, how),
  );
  globalThis.niivue = library(() => image({ size: [6, 8, 10] })).known;
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  globalThis.niivue = undefined;
  clear();
});

async function open() {
  leave();
  const [main, tools, banner] = ["main", "div", "p"].map((tag) => el(/** @type {"div"} */ (tag)));
  page = el("div", {}, tools, banner, main);
  document.body.replaceChildren(page);
  rating = new Rating({ main, tools, banner });
  rating.begin();
  await settled();
}

/** @param {string} value */
function choose(value) {
  enter(/** @type {HTMLInputElement} */ (only(page, `input[value="${value}"]`)), true);
}

/** @param {string} label */
async function click(label) {
  labelled(page, label).click();
  await settled();
}

/** @param {string} value */
async function rate(value) {
  choose(value);
  await click("Save and next");
}

const heading = () => page.querySelector("h2")?.textContent;
const place = () => only(page, ".rate-count").textContent;
const drafts = () => new Store("KEY").names("draft:");

test("items come one after the other, and each answer is sent with its circumstances", async () => {
  await open();
  assert.equal(place(), "1 of 3");
  for (const value of ["real", "synthetic", "real"]) await rate(value);
  assert.deepEqual(
    server.saved.map((one) => [one.showing, one.answers.real]),
    [
      ["s1", "real"],
      ["s2", "synthetic"],
      ["s3", "real"],
    ],
  );
  assert.deepEqual(server.saved[0].slices, { axial: 1, coronal: 1, sagittal: 1 });
  assert.equal(heading(), "Thank you");
  assert.deepEqual(drafts(), []);
});

test("nothing is sent while an answer is missing", async () => {
  await open();
  await click("Save and next");
  assert.deepEqual(server.saved, []);
  assert.match(only(page, ".rate-side [role=alert]").textContent ?? "", /Still to answer: Is it real\?/);
});

test("a rater consents first", async () => {
  server.started = false;
  await open();
  assert.equal(heading(), "Study");
  /** @type {HTMLInputElement} */ (only(page, "#rate-consent")).checked = true;
  only(page, ".rate-page form").dispatchEvent(new Event("submit", { cancelable: true }));
  await settled();
  assert.equal(place(), "1 of 3");
});

test("a draft outlives the page: answers, changes, slices, and the clock", async () => {
  let now = 0;
  mock.method(performance, "now", () => now);
  await open();
  choose("real");
  choose("synthetic");
  rating.display.step(1);
  now += 4000;
  await open();
  assert.equal(/** @type {HTMLInputElement} */ (only(page, "input[value=synthetic]")).checked, true);
  await click("Save and next");
  const [{ seconds, changes, slices }] = server.saved;
  assert.deepEqual([seconds, changes, slices.axial], [4, 1, 2]);
});

test("an answer that could not be sent is sent at the next visit", async () => {
  await open();
  server.refuse = (path) => (path === "answers" ? new Response("", { status: 503 }) : null);
  await rate("real");
  assert.match(page.textContent ?? "", /The server is busy; your answer is kept here/);
  server.refuse = () => null;
  await open();
  assert.deepEqual(
    server.saved.map((one) => one.answers.real),
    ["real"],
  );
  assert.equal(place(), "2 of 3");
});

test("a refused answer is corrected on the spot", async () => {
  await open();
  server.refuse = (path) => (path === "answers" ? Response.json({ message: "Not so." }, { status: 422 }) : null);
  await rate("real");
  assert.match(only(page, ".rate-side [role=alert]").textContent ?? "", /Not so\./);
  assert.equal(rating.outbox.waiting.length, 0);
  server.refuse = () => null;
  await click("Save and next");
  assert.equal(server.saved.length, 1);
});

test("an item that another window has answered is passed by, with the reason", async () => {
  await open();
  server.refuse = (path) => {
    if (path !== "answers") return null;
    server.answers.set(1, { ...server.saved[0], answers: { real: "synthetic" } });
    return Response.json({ message: "Answered elsewhere." }, { status: 422 });
  };
  await rate("real");
  assert.equal(place(), "2 of 3");
  assert.match(only(page, ".rate-side [role=alert]").textContent ?? "", /Answered elsewhere\./);
});

test("a link that ends while rating shows that, and the answer is kept", async () => {
  await open();
  server.refuse = (path) => (path === "answers" ? Response.json({ message: "Revoked." }, { status: 410 }) : null);
  await rate("real");
  assert.equal(heading(), "This link does not work");
  assert.equal(rating.outbox.waiting.length, 1);
});

test("going back shows what was answered; unchanged it is not sent again", async () => {
  await open();
  await rate("real");
  await click("Previous");
  assert.equal(place(), "1 of 3");
  await click("Save and next");
  assert.equal(place(), "2 of 3");
  assert.equal(server.saved.length, 1);
  await click("Previous");
  await rate("synthetic");
  assert.deepEqual([server.saved.length, server.saved[1].changes], [2, 1]);
  assert.equal(place(), "2 of 3");
});

test("what was kept of items that were only looked at again is gone at the end", async () => {
  await open();
  await rate("real");
  await click("Previous");
  mock.timers.tick(5000);
  assert.deepEqual(drafts().sort(), ["draft:s1", "draft:s2"]);
  await click("Save and next");
  await rate("real");
  await rate("real");
  assert.equal(heading(), "Thank you");
  assert.deepEqual(drafts(), []);
});

test("where answers are final there is no way back", async () => {
  server.changes = false;
  await open();
  await rate("real");
  assert.equal(labelled(page, "Previous").hidden, true);
  assert.equal(press("Backspace"), false);
});

test("practice shows what was right before it goes on", async () => {
  server.training = 1;
  await open();
  assert.match(page.textContent ?? "", /Training item/);
  await rate("synthetic");
  assert.equal(heading(), "\u2717 Not right");
  assert.equal(press("Enter"), true);
  await settled();
  assert.equal(place(), "2 of 3");
});

test("a pause stops the clock, and goes on where it was", async () => {
  let now = 0;
  mock.method(performance, "now", () => now);
  await open();
  await click("Pause: go on later, on this machine or another");
  assert.equal(heading(), "Paused");
  now += 60000;
  await click("Go on");
  now += 1000;
  await rate("real");
  assert.equal(server.saved[0].seconds, 1);
});

test("a click on save while it saves sends nothing twice", async () => {
  await open();
  choose("real");
  labelled(page, "Save and next").click();
  labelled(page, "Save and next").click();
  await settled();
  assert.equal(server.saved.length, 1);
  assert.equal(place(), "2 of 3");
});

test("the next images are fetched ahead", async () => {
  await open();
  assert.deepEqual([...(rating.images?.cache.keys() ?? [])], ["/image/1", "/image/2"]);
  await rate("real");
  assert.deepEqual([...(rating.images?.cache.keys() ?? [])], ["/image/2", "/image/3"]);
});

test("an image that is missing leaves a text and what was answered", async () => {
  warnings();
  server.refuse = (path) => (path === "/image/1" ? new Response("", { status: 404 }) : null);
  await open();
  assert.equal(heading(), "Something went wrong");
  assert.match(page.textContent ?? "", /An image is missing \(404\)/);
});

test("lost graphics memory keeps the answers", async () => {
  await open();
  choose("real");
  rating.display.panels[0].canvas.dispatchEvent(new Event("webglcontextlost"));
  assert.equal(heading(), "The images were lost");
  assert.deepEqual(drafts(), ["draft:s1"]);
});

test("without WebGL the page says so", async () => {
  mock.method(HTMLCanvasElement.prototype, "getContext", () => null);
  await open();
  assert.equal(heading(), "This browser cannot show the images");
});

test("keys rate, help opens once, and the dialog takes them all", async () => {
  await open();
  assert.equal(press("s"), true);
  assert.equal(press("?"), true);
  assert.equal(press("Enter"), false, "the dialog is open");
  assert.equal(rating.help(), false);
  rating.frame.dialog.close();
  assert.equal(press("Enter"), true);
  await settled();
  assert.equal(server.saved[0].answers.real, "synthetic");
});
