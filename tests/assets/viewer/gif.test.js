import assert from "node:assert/strict";
import { test } from "node:test";
import { gif, indexed, packed, palette } from "../../../assets/viewer/gif.js";

/**
 * Returns the pixels of packed blocks, as a reader of the format finds them.
 * @param {Uint8Array} blocks
 */
function unpacked(blocks) {
  /** @type {number[]} */
  const bytes = [];
  for (let i = 1; blocks[i]; i += blocks[i] + 1) bytes.push(...blocks.slice(i + 1, i + 1 + blocks[i]));
  let [bit, width] = [0, 9];
  const read = () => {
    let code = 0;
    for (let i = 0; i < width; i++, bit++) code |= ((bytes[bit >> 3] >> (bit & 7)) & 1) << i;
    return code;
  };
  /** @type {number[][]} */
  let table = [];
  /** @type {number[]} */
  let last = [];
  /** @type {number[]} */
  const pixels = [];
  for (let code = read(); code !== 257; code = read()) {
    if (code === 256) {
      table = Array.from({ length: 258 }, (_, i) => [i]);
      [last, width] = [[], 9];
      continue;
    }
    const entry = table[code] ?? [...last, last[0]];
    pixels.push(...entry);
    if (last.length && table.length < 4096) table.push([...last, entry[0]]);
    last = entry;
    if (table.length === 1 << width && width < 12) width++;
  }
  return pixels;
}

test("what is packed is unpacked again, also when the table of codes is full", () => {
  for (const length of [1, 2, 300, 60_000]) {
    const pixels = Uint8Array.from({ length }, (_, i) => (i * i * 31 + (i >> 3)) % 251);
    assert.deepEqual(unpacked(packed(pixels)), [...pixels]);
  }
});

test("greys stay grey and colours keep their hue", () => {
  const colours = palette();
  const seen = (/** @type {number[]} */ ...rgb) => {
    const [place] = indexed(Uint8ClampedArray.from([...rgb, 255]));
    return [...colours.slice(3 * place, 3 * place + 3)];
  };
  for (const grey of [0, 100, 255]) {
    const found = seen(grey, grey, grey);
    assert.equal(new Set(found).size, 1);
    assert.ok(Math.abs(found[0] - grey) <= 2);
  }
  assert.deepEqual(seen(255, 0, 0), [255, 0, 0]);
  assert.deepEqual(seen(250, 190, 40), [255, 191, 64]);
});

test("a moving picture has its size, its loop and its frames", async () => {
  const frame = { width: 3, height: 2, data: new Uint8ClampedArray(24).fill(255) };
  const bytes = new Uint8Array(await gif([frame, frame], 8).arrayBuffer());
  const text = String.fromCharCode(...bytes);
  assert.equal(text.slice(0, 6), "GIF89a");
  assert.deepEqual([...bytes.slice(6, 10)], [3, 0, 2, 0]);
  assert.ok(text.includes("NETSCAPE2.0"));
  assert.equal(text.split(String.fromCharCode(0x21, 0xf9, 4)).length - 1, 2);
  assert.equal(bytes.at(-1), 0x3b);
});
