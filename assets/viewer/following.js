// What the page asks the server by itself: how far a run is, and how long the queue.

/**
 * What the server answers of a run. again: seconds until the page looks again.
 * @typedef {{ shown: boolean, job: string, percent: number, text: string, picture: string, again: number }} Bar
 */

// a page that nobody sees looks as seldom, s
const UNSEEN = 10;
// until the next try of what failed, and until the end of a run is reported anew to a server that did not take it, s
export const ANEW = 5;
// until an answer is given up: after a sleep or a change of network it may never come, s
export const PATIENCE = 20;

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
 * until the page stops to follow. Returns what stops it.
 * @param {string} job
 * @param {(bar: Bar) => void} draw
 * @param {() => void} over
 */
export function followRun(job, draw, over) {
  let stopped = false;
  const end = repeat(async () => {
    const { status, body } = await read(`/progress/${encodeURIComponent(job)}`);
    if (stopped || (status !== 200 && status < 400) || status >= 500) return ANEW;
    if (status === 200 && body.shown) {
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
 * Draws how long the queue is, every few seconds for as long as the page is open and seen.
 * @param {(text: string) => void} draw
 * @param {number} seconds
 */
export function followQueue(draw, seconds) {
  return repeat(async () => {
    if (document.hidden) return seconds;
    const { status, body } = await read("/queue");
    if (status === 200) draw(body.text);
    return seconds;
  });
}

/** Returns status and body of an answer; the status is 0 without one. @param {string} address */
async function read(address) {
  const given = new AbortController();
  const late = setTimeout(() => given.abort(), 1000 * PATIENCE);
  try {
    const answer = await fetch(address, { signal: given.signal });
    return { status: answer.status, body: answer.ok ? await answer.json() : null };
  } catch {
    return { status: 0, body: null };
  } finally {
    clearTimeout(late);
  }
}
