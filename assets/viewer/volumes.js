// Decoded volumes, shared between panels, and what depends on the graphics driver.

const MASK_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 255] };
export const DRAW_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 1], labels: ["outside", "mask"] };

// dark where little changed, so that noise does not shout; no colour at all where nothing did
const SIGNED_MAPS = {
  "cs-more": {
    R: [0, 200, 255, 255],
    G: [0, 40, 140, 245],
    B: [0, 10, 20, 170],
    A: [0, 255, 255, 255],
    I: [0, 90, 180, 255],
  },
  "cs-less": {
    R: [0, 10, 50, 190],
    G: [0, 80, 170, 250],
    B: [0, 200, 250, 255],
    A: [0, 255, 255, 255],
    I: [0, 90, 180, 255],
  },
};
export const SIGNED = ["cs-less", "cs-more"];

export const MAPS = [
  ["gray", "Gray"],
  ["viridis", "Viridis"],
  ["inferno", "Inferno"],
  ["cividis", "Cividis"],
  ["bone", "Bone"],
];

const SAME_MM = 1e-3;
const CACHE_BYTES = 768 << 20;
const BINS = 4096;
const UNCHANGED = 0.005;
const REFUSED = {
  403: "It belongs to another visit.",
  404: "It is no longer on the server. Load the scan or run the job again.",
  410: "It is no longer on the server. Load the scan or run the job again.",
};

export async function loadLibrary(url) {
  if (!globalThis.niivue) await import(url);
  return globalThis.niivue;
}

export function hasWebGL2() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return true;
}

export function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|software/i.test(String(name));
}

// NiiVue recomputes a 3D gradient at every refresh, which 2D views never read: seconds per volume without a graphics card.
export function skipGradients(nv) {
  try {
    const gl = nv.gl;
    const program = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, "#version 300 es\nvoid main(){gl_Position=vec4(2.0,2.0,2.0,1.0);}"],
      [gl.FRAGMENT_SHADER, "#version 300 es\nprecision lowp float;out vec4 c;void main(){c=vec4(0.0);}"],
    ]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    const idle = { program, uniforms: {}, use: () => gl.useProgram(program) };
    const kept = [nv.blurShader, nv.sobelFirstOrderShader];
    if (!kept[0]?.use || !kept[1]?.use) return () => {};
    nv.blurShader = idle;
    nv.sobelFirstOrderShader = idle;
    return () => ([nv.blurShader, nv.sobelFirstOrderShader] = kept);
  } catch (error) {
    console.warn("gradient shortcut unavailable", error);
    return () => {};
  }
}

// whether two volumes have the same voxels in the same places, in the same order
export function sameGrid(one, other) {
  if (one === other) return true;
  const [a, b] = [one.hdr, other.hdr];
  return (
    [1, 2, 3].every((i) => a.dims[i] === b.dims[i]) &&
    a.affine.every((row, i) => row.every((value, j) => Math.abs(value - b.affine[i][j]) < SAME_MM))
  );
}

export class Volumes {
  constructor(library) {
    this.library = library;
    this.cache = new Map();
  }

  // forget what is not in the scene and, above what is affordable, what was not looked at for longest
  async keep(urls, shown) {
    for (const key of this.cache.keys())
      if (
        !key
          .split(" ")
          .slice(1)
          .every((url) => urls.has(url))
      )
        this.cache.delete(key);
    let bytes = 0;
    for (const [key, pending] of [...this.cache].reverse()) {
      const image = await pending.catch(() => null);
      bytes += image?.img.byteLength ?? 0;
      if (bytes > CACHE_BYTES && !shown.has(image)) this.cache.delete(key);
    }
  }

  // `role` separates copies that need their own colours from the shared anatomy
  load(url, role, style = {}) {
    return this.remember(`${role} ${url}`, () => this.fetch(url, role, style));
  }

  remember(key, make) {
    const pending = this.cache.get(key) ?? make();
    this.cache.delete(key);
    this.cache.set(key, pending);
    pending.catch(() => this.cache.delete(key));
    return pending;
  }

  async fetch(url, role, style) {
    const answer = await fetch(url).catch(() => {
      throw new Error("The server did not answer. Check the connection and reload the page.");
    });
    if (!answer.ok) throw new Error(REFUSED[answer.status] ?? `The server refused it (${answer.status}).`);
    const data = await answer.arrayBuffer();
    const zipped = new Uint8Array(data, 0, Math.min(2, data.byteLength))[0] === 0x1f;
    const name = `${role}.nii${zipped ? ".gz" : ""}`;
    const image = await this.library.NVImage.loadFromUrl({ url: data, name, ...style }).catch((error) => {
      console.warn(error);
    });
    if (!image?.img?.length) throw new Error("The file could not be read as a volume.");
    return image;
  }

  anatomy(url) {
    return this.load(url, "anatomy", { colormap: "gray" });
  }

  mask(url, opacity) {
    return this.load(url, "mask", { colormap: "cs-mask", opacity, cal_min: 0, cal_max: 1 });
  }

  // fraction of the grid (RAS) at the middle of what a mask marks
  centre(image, nv) {
    const [, nx, ny] = image.hdr.dims;
    const sum = [0, 0, 0];
    let count = 0;
    for (let i = 0; i < image.img.length; i++) {
      if (!image.img[i]) continue;
      sum[0] += i % nx;
      sum[1] += Math.floor(i / nx) % ny;
      sum[2] += Math.floor(i / (nx * ny));
      count++;
    }
    if (!count) return nv.scene.crosshairPos;
    const [x, y, z] = sum.map((total) => total / count);
    const mm = image.hdr.affine.slice(0, 3).map((row) => row[0] * x + row[1] * y + row[2] * z + row[3]);
    return nv.mm2frac([...mm, 1], 0, true);
  }

  uncertainty(url) {
    return this.remember(`uncertainty ${url}`, async () => {
      const image = await this.fetch(url, "uncertainty", { colormap: "inferno" });
      return Object.assign(image, { cal_min: 0, cal_max: reachOf(scaled(image)), colormapType: 2 });
    });
  }

  // a map that the server has made
  signed(url) {
    return this.remember(`signed ${url}`, async () => {
      const image = await this.fetch(url, "signed", {});
      return colourSigned(image, scaled(image));
    });
  }

  // one image minus another on the same grid, in their common units; null where the grids differ
  async difference(url, from) {
    const [first, second] = await Promise.all([this.anatomy(url), this.anatomy(from)]);
    if (!sameGrid(first, second)) return null;
    return this.remember(`difference ${url} ${from}`, async () => subtract(first, second));
  }
}

const scaling = ({ hdr }) => [hdr.scl_slope || 1, hdr.scl_inter || 0];

// the values of an image in its own units
function scaled(image) {
  const [slope, shift] = scaling(image);
  return slope === 1 && shift === 0 ? image.img : Float32Array.from(image.img, (value) => value * slope + shift);
}

function subtract(first, second) {
  const image = first.clone();
  image.name = "difference.nii";
  const [[slope, shift], [otherSlope, otherShift]] = [first, second].map(scaling);
  const values = new Float32Array(first.img.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = first.img[i] * slope + shift - (second.img[i] * otherSlope + otherShift);
  }
  image.img = values;
  Object.assign(image.hdr, { datatypeCode: 16, numBitsPerVoxel: 32, scl_slope: 1, scl_inter: 0 });
  return colourSigned(image, values);
}

// red is brighter, blue is darker
function colourSigned(image, values) {
  const reach = reachOf(values);
  return Object.assign(image, {
    colormap: "cs-more",
    colormapNegative: "cs-less",
    colormapType: 2,
    opacity: 0.9,
    cal_min: reach * UNCHANGED,
    cal_max: reach,
    cal_minNeg: -reach,
    cal_maxNeg: -reach * UNCHANGED,
    global_min: -reach,
    global_max: reach,
    robust_min: -reach,
    robust_max: reach,
  });
}

// what all but a thousandth of the changed voxels stay under: one bright vessel would hide the rest
function reachOf(values) {
  let top = 0;
  for (const value of values) top = Math.max(top, Math.abs(value) || 0);
  if (!top) return 1;
  const counts = new Uint32Array(BINS + 1);
  let changed = 0;
  for (const value of values) {
    if (!value) continue;
    counts[Math.round((BINS * Math.abs(value)) / top)]++;
    changed++;
  }
  let over = changed / 1000;
  let bin = BINS;
  while ((over -= counts[bin]) >= 0) bin--;
  return (top * bin) / BINS;
}

export function addMaps(nv) {
  for (const [name, map] of Object.entries({ "cs-mask": MASK_MAP, ...SIGNED_MAPS })) nv.addColormap(name, map);
}
