// Decoded volumes, shared between panels.

/** @import { Image, Library } from "./niivue.d.ts" */

import { sameGrid } from "./grids.js";
import { colourSigned, reachOf, scaled, subtract } from "./signed.js";

/** @typedef {Partial<Pick<Image, "colormap" | "opacity" | "cal_min" | "cal_max">>} Style */

const CACHE_BYTES = 768 << 20;
const GZIP = 0x1f;
const GONE = "It is no longer on the server. Load the scan or run the job again.";
/** @type {Record<number, string>} */
const REFUSED = { 403: "It belongs to another visit.", 404: GONE, 410: GONE };

export class Volumes {
  /** @param {Pick<Library, "NVImage">} library */
  constructor(library) {
    this.library = library;
    /** @type {Map<string, Promise<Image>>} what for and where from, the latest used last */
    this.cache = new Map();
  }

  /**
   * Forgets what is not in the scene and, above what is affordable, what was not looked at for longest.
   * @param {Set<string>} urls
   * @param {Set<Image | null>} shown
   */
  async keep(urls, shown) {
    for (const key of this.cache.keys()) {
      const [, ...sources] = key.split(" ");
      if (!sources.every((url) => urls.has(url))) this.cache.delete(key);
    }
    let bytes = 0;
    for (const [key, pending] of [...this.cache].reverse()) {
      const image = await pending.catch(() => null);
      bytes += image?.img.byteLength ?? 0;
      if (bytes > CACHE_BYTES && !shown.has(image)) this.cache.delete(key);
    }
  }

  /**
   * Returns a volume; `role` separates copies that need their own colours from the shared anatomy.
   * @param {string} url
   * @param {string} role
   * @param {Style} style
   */
  load(url, role, style) {
    return this.remember(`${role} ${url}`, () => this.fetch(url, role, style));
  }

  /**
   * @param {string} key
   * @param {() => Promise<Image>} make
   */
  remember(key, make) {
    const pending = this.cache.get(key) ?? make();
    this.cache.delete(key);
    this.cache.set(key, pending);
    pending.catch(() => this.cache.delete(key));
    return pending;
  }

  /**
   * @param {string} url
   * @param {string} role
   * @param {Style} [style]
   */
  async fetch(url, role, style = {}) {
    const answer = await fetch(url).catch((cause) => {
      throw new Error("The server did not answer. Check the connection and reload the page.", { cause });
    });
    if (!answer.ok) throw new Error(REFUSED[answer.status] ?? `The server refused it (${answer.status}).`);
    const data = await answer.arrayBuffer();
    const zipped = new Uint8Array(data.slice(0, 1))[0] === GZIP;
    const image = await decoded(this.library, data, { name: `${role}.nii${zipped ? ".gz" : ""}`, ...style });
    if (!image) throw new Error("The file could not be read as a volume.");
    return image;
  }

  /** @param {string} url */
  anatomy(url) {
    return this.load(url, "anatomy", { colormap: "gray" });
  }

  /**
   * @param {string} url
   * @param {number} opacity
   */
  mask(url, opacity) {
    return this.load(url, "mask", { colormap: "cs-mask", opacity, cal_min: 0, cal_max: 1 });
  }

  /** @param {string} url */
  uncertainty(url) {
    return this.remember(`uncertainty ${url}`, async () => {
      const image = await this.fetch(url, "uncertainty", { colormap: "inferno" });
      return Object.assign(image, { cal_min: 0, cal_max: reachOf(scaled(image)), colormapType: 2 });
    });
  }

  /**
   * Returns a signed map that the server made.
   * @param {string} url
   */
  signed(url) {
    return this.remember(`signed ${url}`, async () => {
      const image = await this.fetch(url, "signed");
      return colourSigned(image, scaled(image));
    });
  }

  /**
   * Returns one image minus another on the same grid; null where the grids differ.
   * @param {string} url
   * @param {string} from
   */
  async difference(url, from) {
    const [first, second] = await Promise.all([this.anatomy(url), this.anatomy(from)]);
    if (!sameGrid(first, second)) return null;
    return this.remember(`difference ${url} ${from}`, () => Promise.resolve(subtract(first, second)));
  }
}

/**
 * Returns the volume in the bytes of a NIfTI file; null where there is none.
 * @param {Pick<Library, "NVImage">} library
 * @param {ArrayBuffer} data
 * @param {Style & { name: string }} how
 * @returns {Promise<Image | null>}
 */
export async function decoded(library, data, how) {
  try {
    const image = await library.NVImage.loadFromUrl({ url: data, ...how });
    return image.hdr && image.img?.length ? /** @type {Image} */ (image) : null;
  } catch (error) {
    console.warn(error);
    return null;
  }
}
