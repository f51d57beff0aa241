// The images of the showings at hand, decoded once, all in the same window.

const WINDOW = [0, 255];

export class Images {
  constructor(library, api) {
    this.library = library;
    this.api = api;
    this.cache = new Map();
  }

  load(url) {
    if (!this.cache.has(url)) {
      const pending = this.read(url);
      pending.catch(() => this.cache.delete(url));
      this.cache.set(url, pending);
    }
    return this.cache.get(url);
  }

  async read(url) {
    const data = await this.api.file(url);
    const image = await this.library.NVImage.loadFromUrl({ url: data, name: "image.nii", colormap: "gray" }).catch(
      (error) => {
        console.warn(error);
      },
    );
    if (!image?.img?.length)
      throw new Error("An image could not be read. Reload the page; if that does not help, tell whoever invited you.");
    // NiiVue goes back to the robust range by itself; that of one image must not differ from that of another
    [image.robust_min, image.robust_max] = WINDOW;
    [image.global_min, image.global_max] = WINDOW;
    unchanged(image);
    return image;
  }

  // forget the voxels of what is neither shown nor next
  keep(urls) {
    for (const url of this.cache.keys()) if (!urls.includes(url)) this.cache.delete(url);
  }
}

// the window that every image is first seen with
export function unchanged(image) {
  [image.cal_min, image.cal_max] = WINDOW;
}
