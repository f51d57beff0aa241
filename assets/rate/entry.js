// What rate.html loads.

import { Rating } from "./rating.js";

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function place(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`The page has no place for ${id}.`);
  return node;
}

new Rating({ main: place("rate-main"), tools: place("rate-tools"), banner: place("rate-banner") }).begin();
