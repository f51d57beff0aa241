// The page that a rater of a study sees: one item after the other, each answer kept here until the server has it.

import { button, el } from "../viewer/dom.js";
import { Api, Refused } from "./api.js";
import { Clock } from "./clock.js";
import { Images } from "./images.js";
import { Keys } from "./keys.js";
import { Outbox } from "./outbox.js";
import * as pages from "./pages.js";
import { Form } from "./questions.js";
import { Store } from "./store.js";
import { View } from "./display.js";
import { hasWebGL2 } from "../viewer/volumes.js";

const KEEP_EVERY_MS = 5000;
const WAITING = {
  sending: "You are offline; your answer is kept here and will be sent.",
  busySending: "The server is busy; your answer is kept here and will be sent.",
  asking: "The server does not answer. Trying again \u2026",
};
const VERDICTS = new Map([
  [true, { class: "rate-right", text: "\u2713 Right" }],
  [false, { class: "rate-wrong", text: "\u2717 Not right" }],
  [null, { text: "Practice" }],
]);
const draftOf = (showing) => `draft:${showing}`;
const alike = (one, other) => {
  const text = (values) =>
    JSON.stringify(
      Object.entries(values)
        .filter(([, value]) => value !== null && value !== "")
        .sort(),
    );
  return text(one) === text(other);
};

class Rating {
  constructor(main, tools, banner) {
    this.main = main;
    this.banner = banner;
    const base = location.pathname.replace(/\/+$/, "");
    this.store = new Store(base.split("/").pop());
    this.api = new Api(base, (waiting) => this.tellWaiting(waiting));
    this.outbox = new Outbox(this.store, this.api);
    this.clock = new Clock();
    this.view = new View({ onmark: (mark) => this.form.drawn(mark), onlost: () => this.lost() });
    this.form = new Form({ onchange: () => this.keep(), onsubmit: () => this.save(), pen: this.view });
    this.keys = new Keys({
      help: () => this.help(),
      save: () => this.enterKey(),
      back: () => this.back(),
      step: (by) => this.step(by),
      flip: () => this.flip(),
      choose: (key) => this.asking && this.form.press(key),
    });
    this.showing = null;
    this.busy = true;
    this.build(tools);
    setInterval(() => this.keep(), KEEP_EVERY_MS);
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => this.keep());
  }

  build(tools) {
    this.count = el("span", { class: "rate-count" });
    this.bar = el("i", {});
    this.meter = el(
      "div",
      { class: "cs-bar", role: "progressbar", "aria-label": "Items done", "aria-valuemin": "0" },
      this.bar,
    );
    this.helper = button("Help: instructions and keys", { shown: "Help", onclick: () => this.help() });
    this.pauser = button("Pause: go on later, on this machine or another", {
      shown: "Pause",
      onclick: () => this.pause(),
    });
    this.progressed = el("div", { class: "rate-progress", hidden: true }, this.count, this.meter);
    tools.replaceChildren(this.progressed, this.helper, this.pauser);
    this.training = el("p", {
      class: "rate-training",
      text: "Training item: after saving you are told the answer.",
      hidden: true,
    });
    this.trouble = el("div", { class: "rate-trouble", role: "alert" });
    this.told = el("section", { class: "rate-feedback", "aria-live": "polite", hidden: true });
    this.status = el("p", { class: "rate-status", role: "status" });
    this.previous = pages.plain("Previous", () => this.back());
    this.saver = pages.plain("Save and next", () => this.save(), "rate-primary");
    this.actions = el("div", { class: "rate-actions rate-foot" }, this.status, this.previous, this.saver);
    this.side = el(
      "section",
      { class: "rate-side", "aria-label": "Questions" },
      this.training,
      this.form.root,
      this.told,
      this.trouble,
      this.actions,
    );
    this.work = el("div", { class: "rate-work", hidden: true }, this.view.root, this.side);
    this.place = el("div", {});
    this.main.replaceChildren(this.place, this.work);
    this.dialog = el("dialog", { class: "rate-dialog", "aria-label": "Instructions and keys" });
    document.body.append(this.dialog);
    this.pauser.hidden = this.helper.hidden = true;
    this.page(el("p", { class: "rate-wait", role: "status", text: "Loading \u2026" }));
  }

  async begin() {
    if (!hasWebGL2()) {
      this.page(pages.blind());
      return;
    }
    await this.attempt(async () => {
      await this.flush();
      const [state] = await Promise.all([this.api.get("state"), this.view.start()]);
      this.images = new Images(this.view.library, this.api);
      await this.enter(state);
    });
  }

  // what an earlier visit could not send
  async flush() {
    for (const payload of this.outbox.waiting) {
      try {
        await this.outbox.send(payload);
        this.store.drop(draftOf(payload.showing));
      } catch (error) {
        if (!(error instanceof Refused) || error.final) throw error;
        this.refused = error;
      }
    }
  }

  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Refused)) console.warn(error);
      this.stop();
      this.page(
        error.final
          ? pages.gone(error)
          : pages.message(
              "Something went wrong",
              [error.message, error.hint, "What was answered is kept."],
              this.reloader(),
            ),
      );
    }
  }

  reloader() {
    return pages.plain("Reload the page", () => location.reload(), "rate-primary");
  }

  lost() {
    this.keep();
    this.stop();
    this.page(
      pages.message(
        "The images were lost",
        ["The browser took back the memory of the images. What was answered is kept."],
        this.reloader(),
      ),
    );
  }

  // one thing at a time stands in the page: a text, or the item
  page(node) {
    this.asking = false;
    this.work.hidden = true;
    this.place.replaceChildren(node);
    node.querySelector("h2")?.focus();
  }

  stop() {
    this.busy = true;
    this.clock.stop();
    this.pauser.hidden = true;
  }

  tellWaiting(waiting) {
    let text = "";
    if (waiting) text = WAITING[waiting.sending ? (waiting.busy ? "busySending" : "sending") : "asking"];
    this.banner.textContent = text;
  }

  async enter(state) {
    this.state = state;
    this.progress = state.progress;
    this.helper.hidden = false;
    if (state.started) {
      await this.goTo(state.next);
      return;
    }
    this.page(
      pages.start(state, { list: this.keys.list(), onstart: (given, trouble) => this.consent(given, trouble) }),
    );
  }

  consent(given, trouble) {
    if (this.starting) return undefined;
    this.starting = true;
    return this.attempt(async () => {
      try {
        await this.enter(await this.api.post("start", given));
      } catch (error) {
        if (!(error instanceof Refused) || error.final) throw error;
        trouble.textContent = `${error.message} ${error.hint}`.trim();
      } finally {
        this.starting = false;
      }
    });
  }

  goTo(showing) {
    return showing ? this.show(showing) : this.end();
  }

  end() {
    this.stop();
    this.showing = null;
    this.tellProgress(this.progress.total);
    for (const name of this.store.names("draft:")) this.store.drop(name);
    const back = this.state.changes && this.progress.total > 0;
    this.page(pages.ended(this, back ? () => this.attempt(() => this.visit(this.progress.total)) : null));
  }

  async visit(position) {
    await this.goTo(await this.api.get(`showing/${position}`));
  }

  async show(showing) {
    this.busy = true;
    const images = await Promise.all(showing.images.map((url) => this.images.load(url)));
    const kept = this.store.get(draftOf(showing.id)) ?? {};
    const answers = kept.answers ?? showing.answers ?? {};
    const marking = showing.questions.find((one) => one.kind === "mark");
    this.place.replaceChildren();
    this.work.hidden = false;
    const mark = marking && answers[marking.name];
    const { toggle } = this.state;
    await this.view.show(images, { toggle, seen: kept.slices, mark, marking: Boolean(marking), at: showing.at });
    this.showing = showing;
    this.form.render(showing.questions, answers, kept.changes ?? 0);
    this.told.hidden = true;
    this.form.root.hidden = false;
    this.training.hidden = !showing.training;
    this.saver.textContent = "Save and next";
    this.previous.hidden = !this.state.changes;
    this.previous.disabled = showing.position < 2;
    this.pauser.hidden = false;
    this.tellProgress(showing.position);
    this.complain(this.refused);
    this.refused = null;
    this.shownAt = kept.shown_at ?? new Date().toISOString();
    this.clock.reset(kept.seconds ?? 0);
    this.clock.start();
    this.following = null;
    this.asking = true;
    this.busy = false;
    this.side.scrollTop = 0;
    this.main.dataset.showing = showing.id;
    this.lookAhead(showing);
  }

  // the next item is here before it is asked for
  async lookAhead({ images, position }) {
    this.images.keep(images);
    if (position >= this.progress.total) return;
    try {
      const next = await this.api.once(`showing/${position + 1}`);
      this.images.keep([...images, ...next.images]);
      await Promise.all(next.images.map((url) => this.images.load(url)));
    } catch {
      // it is asked for again when it is its turn
    }
  }

  tellProgress(position) {
    const { done, total } = this.progress;
    this.progressed.hidden = false;
    this.count.textContent = `${position} of ${total}`;
    this.bar.style.width = `${total ? (100 * done) / total : 0}%`;
    this.meter.setAttribute("aria-valuemax", String(total));
    this.meter.setAttribute("aria-valuenow", String(done));
  }

  get slices() {
    return Object.fromEntries(Object.entries(this.view.visited).map(([axis, all]) => [axis, all.length]));
  }

  keep() {
    if (!this.asking || this.busy) return;
    this.store.set(draftOf(this.showing.id), {
      answers: this.form.answers,
      changes: this.form.changes,
      seconds: this.clock.seconds,
      slices: this.view.visited,
      shown_at: this.shownAt,
    });
  }

  complain(error) {
    this.trouble.replaceChildren(
      ...(error ? [el("strong", { text: error.message }), el("span", { text: ` ${error.hint ?? ""}` })] : []),
    );
    if (error) this.trouble.scrollIntoView({ block: "nearest" });
  }

  // of an item that was answered before, nothing is sent when nothing was changed
  get settled() {
    const { answers, training } = this.showing;
    return answers !== null && (training || alike(this.form.values, answers));
  }

  save() {
    if (this.busy || !this.asking) return false;
    this.status.textContent = "";
    const [missing] = this.form.missing;
    if (missing) {
      this.complain({ message: `Still to answer: ${missing.title}` });
      this.form.goTo(missing);
      return true;
    }
    this.complain(null);
    this.attempt(() => (this.settled ? this.moveOn(null) : this.send()));
    return true;
  }

  async send() {
    this.keep();
    this.busy = true;
    this.clock.stop();
    this.form.lock(true);
    this.form.restPen();
    this.status.textContent = "Saving \u2026";
    const payload = this.outbox.put({
      showing: this.showing.id,
      answers: this.form.values,
      seconds: this.clock.seconds,
      changes: this.form.changes,
      slices: this.slices,
      shown_at: this.shownAt,
      client: { width: innerWidth, height: innerHeight, touch: matchMedia("(pointer: coarse)").matches },
    });
    try {
      const saved = await this.outbox.send(payload);
      this.store.drop(draftOf(payload.showing));
      this.progress = saved.progress;
      this.status.textContent = `Saved: item ${this.showing.position}`;
      await (saved.feedback ? this.tell(saved) : this.moveOn(saved));
    } catch (error) {
      if (!(error instanceof Refused) || error.final) throw error;
      await this.recover(error);
    }
  }

  // the server will not have it: the rater corrects it, or goes on where another window has left off
  async recover(error) {
    this.status.textContent = "";
    const state = await this.api.get("state");
    if (this.showing.answers === null && state.progress.done >= this.showing.position) {
      this.refused = error;
      this.store.drop(draftOf(this.showing.id));
      await this.enter(state);
      return;
    }
    this.form.lock(false);
    this.clock.start();
    this.busy = false;
    this.complain(error);
  }

  async moveOn(saved) {
    const { position, answers } = this.showing;
    const { done, total } = this.progress;
    this.busy = true;
    this.asking = false;
    if (answers !== null && position < done) await this.visit(position + 1);
    else if (saved) await this.goTo(saved.next);
    else await (done < total ? this.visit(done + 1) : this.end());
  }

  tell({ feedback, ...saved }) {
    const again = pages.plain("Continue", () => this.proceed(), "rate-primary");
    this.told.replaceChildren(
      el("h2", VERDICTS.get(feedback.correct)),
      el("p", { class: "rate-prose", text: feedback.text }),
      el("p", { class: "cs-hint", text: "Your answer is saved." }),
      again,
    );
    this.asking = false;
    this.following = saved;
    this.form.root.hidden = true;
    this.told.hidden = false;
    this.actions.hidden = true;
    this.tellProgress(this.showing.position);
    again.focus();
  }

  proceed() {
    const { following } = this;
    if (!following) return false;
    this.following = null;
    this.actions.hidden = false;
    this.attempt(() => this.moveOn(following));
    return true;
  }

  enterKey() {
    return this.following ? this.proceed() : this.save();
  }

  back() {
    if (this.busy || !this.asking || !this.state.changes || this.showing.position < 2) return false;
    this.keep();
    this.stop();
    this.form.lock(true);
    this.status.textContent = "";
    this.attempt(() => this.visit(this.showing.position - 1));
    return true;
  }

  step(by) {
    if (this.work.hidden) return false;
    this.view.step(by);
    return true;
  }

  flip() {
    if (this.work.hidden || !this.view.toggles) return false;
    this.view.flip();
    return true;
  }

  pause() {
    if (this.busy || !this.asking) return;
    this.keep();
    this.stop();
    this.form.restPen();
    this.page(
      pages.paused(this, () => {
        this.place.replaceChildren();
        this.work.hidden = false;
        this.pauser.hidden = false;
        this.asking = true;
        this.busy = false;
        this.clock.start();
      }),
    );
  }

  help() {
    if (!this.state || this.dialog.open) return false;
    const close = pages.plain("Close", () => this.dialog.close(), "rate-primary");
    close.autofocus = true;
    this.dialog.replaceChildren(
      el("h2", { text: this.state.title }),
      el("p", { class: "rate-prose", text: this.state.instructions }),
      el("p", {
        class: "cs-hint",
        text:
          "In the images: drag to move the crosshair, scroll or pinch to change the slice, drag with the right button to " +
          "change the window of all images.",
      }),
      this.keys.list(),
      close,
    );
    this.dialog.showModal();
    return true;
  }
}

const rating = new Rating(
  document.querySelector("#rate-main"),
  document.querySelector("#rate-tools"),
  document.querySelector("#rate-banner"),
);
rating.begin();
