// The images of the showings at hand, decoded once, all in the same window.

/** @import { Image, Library } from "../viewer/niivue.d.ts" */
/** @import { Api } from "./api.js" */

import { decoded } from "../viewer/volumes.js";

/** @type {[low: number, high: number]} */
const WINDOW = [0, 255];
const UNREADABLE = "An image could not be read. Reload the page; if that does not help, tell whoever invited you.";

export class Images {
  /**
   * @param {Pick<Library, "NVImage">} library
   * @param {Pick<Api, "file">} api
   */
  constructor(library, api) {
    this.library = library;
    this.api = api;
    /** @type {Map<string, Promise<Image>>} */
    this.cache = new Map();
  }

  /** @param {string} url */
  load(url) {
    const pending = this.cache.get(url) ?? this.read(url);
    pending.catch(() => this.cache.delete(url));
    this.cache.set(url, pending);
    return pending;
  }

  /** @param {string} url */
  async read(url) {
    const data = await this.api.file(url);
    const image = await decoded(this.library, data, { name: "image.nii", colormap: "gray" });
    if (!image) throw new Error(UNREADABLE);
    // NiiVue goes back to the robust range by itself; that of one image must not differ from that of another
    [image.robust_min, image.robust_max] = WINDOW;
    [image.global_min, image.global_max] = WINDOW;
    resetWindow(image);
    return image;
  }

  /**
   * Forgets the voxels of what is neither shown nor next.
   * @param {string[]} urls
   */
  keep(urls) {
    for (const url of this.cache.keys()) if (!urls.includes(url)) this.cache.delete(url);
  }
}

/**
 * Gives an image the window that every image is first seen with.
 * @param {Pick<Image, "cal_min" | "cal_max">} image
 */
export function resetWindow(image) {
  [image.cal_min, image.cal_max] = WINDOW;
}
