// Seconds during which the images could be seen.

export class Clock {
  constructor() {
    this.before = 0;
    /** @type {number | null} when the running stretch began, in milliseconds */
    this.since = null;
    this.on = false;
    document.addEventListener("visibilitychange", () => this.turn());
  }

  /** @param {number} [seconds] */
  reset(seconds = 0) {
    this.before = seconds;
    this.since = null;
    this.on = false;
  }

  start() {
    this.on = true;
    this.turn();
  }

  stop() {
    this.on = false;
    this.turn();
  }

  turn() {
    const runs = this.on && !document.hidden;
    if (runs && this.since === null) this.since = performance.now();
    if (!runs && this.since !== null) {
      this.before += (performance.now() - this.since) / 1000;
      this.since = null;
    }
  }

  get seconds() {
    const now = this.since === null ? 0 : (performance.now() - this.since) / 1000;
    return Math.round((this.before + now) * 100) / 100;
  }
}
