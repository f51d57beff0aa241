// What the page asks the server by itself: how far a run is, and how long the queue.

import { ask, isOver } from "./visit.js";

/**
 * What the server answers of a run. again: seconds until the page looks again.
 * @typedef {{ shown: boolean, job: string, percent: number, text: string, picture: string, again: number }} Bar
 */

// a page that nobody sees looks as seldom, s
const UNSEEN = 10;
// until the next try of what failed, and until the end of a run is reported anew to a server that did not take it, s
export const ANEW = 5;

/**
 * Does `look` now and again, after as many seconds as it returns; a page that nobody sees looks seldom, and at once
 * when it is seen again. Returns what ends it.
 * @param {() => Promise<number>} look
 * @param {number} [unseen] seconds between two looks of a page that nobody sees
 */
export function repeat(look, unseen = UNSEEN) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let ended = false;
  const plan = (/** @type {number} */ seconds) => {
    if (!ended) timer = setTimeout(next, 1000 * (document.hidden ? Math.max(seconds, unseen) : seconds));
  };
  const next = () => {
    timer = undefined;
    look().then(plan, () => plan(unseen));
  };
  const seen = () => {
    if (document.hidden || timer === undefined) return;
    clearTimeout(timer);
    next();
  };
  document.addEventListener("visibilitychange", seen);
  next();
  return () => {
    ended = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  };
}

/**
 * Follows a run: `draw` gets each answer, `over` is called when it has ended or is no longer there, again and again
 * until the page stops to follow. While the visit is over neither is called. Returns what stops it.
 * @param {string} job
 * @param {(bar: Bar) => void} draw
 * @param {() => void} over
 */
export function followRun(job, draw, over) {
  let stopped = false;
  const end = repeat(async () => {
    const { status, body } = await ask(`/progress/${encodeURIComponent(job)}`);
    // a run that is not there may be that of another visitor, whose cookie this browser had before
    if (status === 404) await ask("/queue");
    if (stopped || isOver() || (status !== 200 && status < 400) || status >= 500) return ANEW;
    if (status === 200 && body?.shown) {
      draw(body);
      return body.again;
    }
    over();
    return ANEW;
  });
  return () => {
    stopped = true;
    end();
  };
}

/**
 * Draws how long the queue is, every few seconds for as long as the page is open and seen; so the page learns too when
 * its visit has ended.
 * @param {(text: string) => void} draw
 * @param {number} seconds
 */
export function followQueue(draw, seconds) {
  return repeat(async () => {
    if (document.hidden) return seconds;
    const { status, body } = await ask("/queue");
    if (status === 200 && body) draw(body.text);
    return seconds;
  });
}
