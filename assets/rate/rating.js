// The page that a rater of a study sees: one item after the other, each answer kept here until the server has it.

/** @import { Places } from "./frame.js" */
/** @import { Consent, Payload, Progress, Saved, Showing, State } from "./rating-json.d.ts" */

import { el } from "../viewer/dom.js";
import { hasWebGL2 } from "../viewer/graphics.js";
import { Api, Refused } from "./api.js";
import { Clock } from "./clock.js";
import { Display } from "./display.js";
import { Drafts } from "./drafts.js";
import { Frame } from "./frame.js";
import { Images } from "./images.js";
import { Keys } from "./keys.js";
import { asMark } from "./marks.js";
import { Outbox } from "./outbox.js";
import * as pages from "./pages.js";
import { alike, Form } from "./questions.js";
import { Store } from "./store.js";

const KEEP_EVERY_MS = 5000;

export class Rating {
  /** @param {Places} places */
  constructor(places) {
    const base = location.pathname.replace(/\/+$/, "");
    const store = new Store(base.slice(base.lastIndexOf("/") + 1));
    this.drafts = new Drafts(store);
    this.api = new Api(base, (waiting) => this.frame.showWaiting(waiting));
    this.outbox = new Outbox(store, this.api);
    this.clock = new Clock();
    this.display = new Display({ onmark: (mark) => this.form.drawn(mark), onlost: () => this.lose() });
    this.form = new Form({ onchange: () => this.keep(), onsubmit: () => this.save(), pen: this.display.pen });
    this.keys = new Keys({
      help: () => this.help(),
      save: () => this.proceed() || this.save(),
      back: () => this.back(),
      step: (by) => this.step(by),
      flip: () => this.flip(),
      choose: (key) => this.open && this.form.press(key),
    });
    const parts = { display: this.display.root, form: this.form.root };
    this.frame = new Frame(places, parts, {
      help: () => this.help(),
      pause: () => this.pause(),
      back: () => this.back(),
      save: () => this.save(),
      proceed: () => this.proceed(),
    });
    /** @type {Images | null} */
    this.images = null;
    /** @type {State | null} */
    this.state = null;
    /** @type {Progress} */
    this.progress = { done: 0, total: 0 };
    /** @type {Showing | null} */
    this.showing = null;
    this.shownAt = "";
    /** @type {Saved | null} what comes after the feedback that is shown */
    this.following = null;
    /** @type {Refused | null} shown with the next item */
    this.refused = null;
    // whether an item is on the page, and whether something is on its way
    this.open = false;
    this.busy = true;
    this.starting = false;
    this.showText(el("p", { class: "rate-wait", role: "status", text: "Loading \u2026" }));
    setInterval(() => this.keep(), KEEP_EVERY_MS);
    addEventListener("pagehide", () => this.keep());
    document.addEventListener("visibilitychange", () => this.keep());
  }

  /** The item at hand; there is one wherever the page is open. */
  get item() {
    if (!this.showing) throw new Error("No item is on the page.");
    return this.showing;
  }

  /** Whether an answer may be changed later. */
  get changes() {
    return this.state?.changes ?? false;
  }

  begin() {
    if (!hasWebGL2()) {
      this.showText(pages.blind());
      return;
    }
    this.attempt(async () => {
      await this.flush();
      /** @type {[State, void]} */
      const [state] = await Promise.all([this.api.get("state"), this.display.start()]);
      this.images = new Images(this.display.library, this.api);
      await this.enter(state);
    });
  }

  /** Sends what an earlier visit could not send. */
  async flush() {
    for (const payload of this.outbox.waiting) {
      try {
        await this.outbox.send(payload);
        this.drafts.drop(payload.showing);
      } catch (error) {
        if (!(error instanceof Refused) || error.final) throw error;
        this.refused = error;
      }
    }
  }

  /**
   * Does something that may end in a text about what went wrong.
   * @param {() => Promise<void>} work
   */
  attempt(work) {
    work().catch((error) => this.fail(error));
  }

  /** @param {unknown} error */
  fail(error) {
    const refused = error instanceof Refused ? error : null;
    if (!refused) console.warn(error);
    this.stop();
    const text = error instanceof Error ? error.message : String(error);
    this.showText(refused?.final ? pages.gone(refused) : pages.broken(text, refused?.hint ?? ""));
  }

  lose() {
    this.keep();
    this.stop();
    this.showText(pages.lost());
  }

  /** @param {HTMLElement} node what stands in the page instead of an item */
  showText(node) {
    this.open = false;
    this.frame.showText(node);
  }

  stop() {
    this.busy = true;
    this.clock.stop();
    this.frame.pause.hidden = true;
  }

  /** @param {State} state */
  async enter(state) {
    this.state = state;
    this.progress = state.progress;
    this.frame.help.hidden = false;
    if (state.started) await this.goTo(state.next);
    else this.showText(pages.start(state, this.keys.list(), (given, trouble) => this.consent(given, trouble)));
  }

  /**
   * @param {Consent} given
   * @param {HTMLElement} trouble
   */
  consent(given, trouble) {
    if (this.starting) return;
    this.starting = true;
    this.attempt(async () => {
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

  /** @param {Showing | null} showing */
  async goTo(showing) {
    if (showing) await this.show(showing);
    else this.end();
  }

  end() {
    this.stop();
    this.showing = null;
    const { state, progress } = this;
    if (!state) return;
    this.frame.showProgress(progress.total, progress);
    this.drafts.clear();
    const again = () => this.attempt(() => this.visit(progress.total));
    this.showText(pages.ended(state, progress, state.changes && progress.total > 0 ? again : null));
  }

  /** @param {number} position */
  async visit(position) {
    await this.goTo(await this.api.get(`showing/${position}`));
  }

  /** @param {Showing} showing */
  async show(showing) {
    const { images, state } = this;
    if (!images || !state) return;
    this.busy = true;
    const loaded = await Promise.all(showing.images.map((url) => images.load(url)));
    const kept = this.drafts.of(showing.id);
    const answers = kept.answers ?? showing.answers ?? {};
    const marking = showing.questions.find((one) => one.kind === "mark");
    this.frame.showItem();
    await this.display.show(loaded, {
      toggle: state.toggle,
      seen: kept.slices,
      marking: Boolean(marking),
      mark: marking ? asMark(answers[marking.name]) : null,
      at: showing.at,
    });
    this.showing = showing;
    this.form.render(showing.questions, answers, kept.changes ?? 0);
    this.frame.ready(showing, this.changes);
    this.frame.showProgress(showing.position, this.progress);
    this.frame.showTrouble(this.refused);
    this.refused = null;
    this.shownAt = kept.shown_at ?? new Date().toISOString();
    this.clock.reset(kept.seconds ?? 0);
    this.clock.start();
    this.following = null;
    this.open = true;
    this.busy = false;
    this.lookAhead(showing, images).catch(() => {
      // it is fetched again when it is its turn
    });
  }

  /**
   * Fetches the next item before its turn.
   * @param {Showing} showing
   * @param {Images} images
   */
  async lookAhead({ images: urls, position }, images) {
    images.keep(urls);
    if (position >= this.progress.total) return;
    /** @type {Showing} */
    const next = await this.api.once(`showing/${position + 1}`);
    images.keep([...urls, ...next.images]);
    await Promise.all(next.images.map((url) => images.load(url)));
  }

  keep() {
    if (!this.open || this.busy) return;
    this.drafts.keep(this.item.id, {
      answers: this.form.answers,
      changes: this.form.changes,
      seconds: this.clock.seconds,
      slices: this.display.visited,
      shown_at: this.shownAt,
    });
  }

  /** Whether nothing is to be sent: the item was answered before and nothing was changed. */
  get unchanged() {
    const { answers, training } = this.item;
    return answers !== null && (training || alike(this.form.values, answers));
  }

  save() {
    if (this.busy || !this.open) return false;
    this.frame.showStatus("");
    const [missing] = this.form.missing;
    if (missing) {
      this.frame.showTrouble({ message: `Still to answer: ${missing.title}` });
      this.form.goTo(missing);
      return true;
    }
    this.frame.showTrouble(null);
    this.attempt(() => (this.unchanged ? this.moveOn(null) : this.send()));
    return true;
  }

  /** @returns {Omit<Payload, "client_id">} */
  get answer() {
    return {
      showing: this.item.id,
      answers: this.form.values,
      seconds: this.clock.seconds,
      changes: this.form.changes,
      slices: this.display.counted,
      shown_at: this.shownAt,
      client: { width: innerWidth, height: innerHeight, touch: matchMedia("(pointer: coarse)").matches },
    };
  }

  async send() {
    this.keep();
    this.busy = true;
    this.clock.stop();
    this.form.lock(true);
    this.form.restPen();
    this.frame.showStatus("Saving \u2026");
    const payload = this.outbox.put(this.answer);
    try {
      const saved = await this.outbox.send(payload);
      this.drafts.drop(payload.showing);
      this.progress = saved.progress;
      this.frame.showStatus(`Saved: item ${this.item.position}`);
      if (!saved.feedback) return await this.moveOn(saved);
      this.open = false;
      this.following = saved;
      this.frame.showProgress(this.item.position, this.progress);
      this.frame.showFeedback(saved.feedback);
    } catch (error) {
      if (!(error instanceof Refused) || error.final) throw error;
      await this.recover(error);
    }
  }

  /**
   * Goes on after a refusal: the rater corrects the answer, or the page goes to where another window has left off.
   * @param {Refused} error
   */
  async recover(error) {
    this.frame.showStatus("");
    /** @type {State} */
    const state = await this.api.get("state");
    if (this.item.answers === null && state.progress.done >= this.item.position) {
      this.refused = error;
      this.drafts.drop(this.item.id);
      await this.enter(state);
      return;
    }
    this.form.lock(false);
    this.clock.start();
    this.busy = false;
    this.frame.showTrouble(error);
  }

  /** @param {Pick<Saved, "next"> | null} saved */
  async moveOn(saved) {
    const { position, answers } = this.item;
    const { done, total } = this.progress;
    this.busy = true;
    this.open = false;
    if (answers !== null && position < done) await this.visit(position + 1);
    else if (saved) await this.goTo(saved.next);
    else if (done < total) await this.visit(done + 1);
    else this.end();
  }

  /** Goes on after feedback. */
  proceed() {
    const { following } = this;
    if (!following) return false;
    this.following = null;
    this.frame.hideFeedback();
    this.attempt(() => this.moveOn(following));
    return true;
  }

  back() {
    if (this.busy || !this.open || !this.changes || this.item.position < 2) return false;
    this.keep();
    this.stop();
    this.form.lock(true);
    this.frame.showStatus("");
    this.attempt(() => this.visit(this.item.position - 1));
    return true;
  }

  /** @param {number} by */
  step(by) {
    if (!this.frame.shown) return false;
    this.display.step(by);
    return true;
  }

  flip() {
    if (!this.frame.shown || !this.display.toggles) return false;
    this.display.flip();
    return true;
  }

  pause() {
    if (this.busy || !this.open) return;
    this.keep();
    this.stop();
    this.form.restPen();
    this.showText(pages.paused(this.progress, () => this.resume()));
  }

  resume() {
    this.frame.showItem();
    this.frame.pause.hidden = false;
    this.open = true;
    this.busy = false;
    this.clock.start();
  }

  help() {
    return this.state ? this.frame.showHelp(this.state, this.keys.list()) : false;
  }
}
