// Animated pictures in the GIF format (GIF89a specification, CompuServe 1990), with one palette for scans and their maps.

/** @typedef {{ width: number, height: number, data: Uint8ClampedArray }} Frame pixels as a canvas gives them */

const GREYS = 128;
const LEVELS = 5;
const BITS = 8;
const CLEAR = 1 << BITS;
const END = CLEAR + 1;
const MOST_CODES = 4096;
const BLOCK = 255;
// colours that differ by less than this from grey are grey
const NEARLY = 12;

/** Greys first, then a cube of colours; what is left is black. */
export function palette() {
  const colours = new Uint8Array(3 * CLEAR);
  for (let i = 0; i < GREYS; i++) colours.fill(Math.round((255 * i) / (GREYS - 1)), 3 * i, 3 * i + 3);
  for (let i = 0; i < LEVELS ** 3; i++) {
    const steps = [Math.floor(i / LEVELS ** 2), Math.floor(i / LEVELS) % LEVELS, i % LEVELS];
    colours.set(
      steps.map((step) => Math.round((255 * step) / (LEVELS - 1))),
      3 * (GREYS + i),
    );
  }
  return colours;
}

/**
 * Returns the place of each pixel's colour in the palette.
 * @param {Uint8ClampedArray} data
 */
export function indexed(data) {
  const pixels = new Uint8Array(data.length / 4);
  const level = (/** @type {number} */ value) => Math.round((value * (LEVELS - 1)) / 255);
  for (let i = 0; i < pixels.length; i++) {
    const [red, green, blue] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
    const grey = Math.max(red, green, blue) - Math.min(red, green, blue) < NEARLY;
    pixels[i] = grey
      ? Math.round(((red + green + blue) * (GREYS - 1)) / 765)
      : GREYS + (level(red) * LEVELS + level(green)) * LEVELS + level(blue);
  }
  return pixels;
}

/**
 * Returns pixels packed by the format's variant of LZW, in blocks.
 * @param {Uint8Array} pixels
 */
export function packed(pixels) {
  /** @type {number[]} */
  const bytes = [];
  let [held, count, width] = [0, 0, BITS + 1];
  const put = (/** @type {number} */ code) => {
    held |= code << count;
    for (count += width; count >= 8; count -= 8) {
      bytes.push(held & 255);
      held >>>= 8;
    }
  };
  /** @type {Map<number, number>} */
  let table = new Map();
  let next = END + 1;
  put(CLEAR);
  let [prefix] = pixels;
  for (let i = 1; i < pixels.length; i++) {
    const key = prefix * CLEAR + pixels[i];
    const known = table.get(key);
    if (known !== undefined) {
      prefix = known;
      continue;
    }
    put(prefix);
    prefix = pixels[i];
    if (next === MOST_CODES) {
      put(CLEAR);
      [table, next, width] = [new Map(), END + 1, BITS + 1];
      continue;
    }
    if (next === 1 << width) width++;
    table.set(key, next++);
  }
  put(prefix);
  put(END);
  if (count) bytes.push(held & 255);
  /** @type {number[]} */
  const blocks = [BITS];
  for (let i = 0; i < bytes.length; i += BLOCK) {
    const block = bytes.slice(i, i + BLOCK);
    blocks.push(block.length, ...block);
  }
  blocks.push(0);
  return Uint8Array.from(blocks);
}

/**
 * Returns frames of one size as a picture that moves without end.
 * @param {Frame[]} frames
 * @param {number} delay between two of them, in hundredths of a second
 */
export function gif(frames, delay) {
  const [{ width, height }] = frames;
  const word = (/** @type {number} */ value) => [value & 255, value >> 8];
  const letters = (/** @type {string} */ text) => [...text].map((letter) => letter.charCodeAt(0));
  const head = [...letters("GIF89a"), ...word(width), ...word(height), 0xf7, 0, 0, ...palette()];
  const loop = [0x21, 0xff, 11, ...letters("NETSCAPE2.0"), 3, 1, 0, 0, 0];
  /** @type {BlobPart[]} */
  const parts = [Uint8Array.from([...head, ...loop])];
  for (const { data } of frames) {
    const control = [0x21, 0xf9, 4, 4, ...word(delay), 0, 0];
    const place = [0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0];
    parts.push(Uint8Array.from([...control, ...place]), packed(indexed(data)));
  }
  parts.push(Uint8Array.from([0x3b]));
  return new Blob(parts, { type: "image/gif" });
}
