// Decoded volumes, shared between panels, and what depends on the graphics driver.

const MASK_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 255] };
export const DRAW_MAP = { R: [0, 255], G: [0, 170], B: [0, 40], A: [0, 255], I: [0, 1], labels: ["outside", "mask"] };

export const MAPS = [
  ["gray", "Gray"],
  ["viridis", "Viridis"],
  ["inferno", "Inferno"],
  ["cividis", "Cividis"],
  ["bone", "Bone"],
];

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

export class Volumes {
  constructor(library) {
    this.library = library;
    this.cache = new Map();
  }

  keep(urls) {
    for (const key of this.cache.keys()) if (!urls.some((url) => url && key.endsWith(url))) this.cache.delete(key);
  }

  // `role` separates copies that need their own colours from the shared anatomy.
  load(url, role, style = {}) {
    const key = `${role} ${url}`;
    if (!this.cache.has(key)) {
      const pending = this.fetch(url, role, style);
      this.cache.set(key, pending);
      pending.catch(() => this.cache.delete(key));
    }
    return this.cache.get(key);
  }

  async fetch(url, role, style) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`The volume could not be loaded (${answer.status}).`);
    const data = await answer.arrayBuffer();
    const zipped = new Uint8Array(data, 0, 2)[0] === 0x1f;
    const name = `${role}.nii${zipped ? ".gz" : ""}`;
    return this.library.NVImage.loadFromUrl({ url: data, name, ...style });
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

  async uncertainty(url) {
    const image = await this.load(url, "uncertainty", { colormap: "inferno" });
    const top = image.global_max > 0 ? image.global_max : 1;
    return Object.assign(image, { cal_min: 0, cal_max: top, colormapType: 2 });
  }

  // result - input in the scan's units, on the same grid; red is brighter than the input, blue is darker
  async difference(resultUrl, inputUrl) {
    const key = `difference ${resultUrl}`;
    if (!this.cache.has(key)) this.cache.set(key, this.subtract(resultUrl, inputUrl));
    return this.cache.get(key);
  }

  async subtract(resultUrl, inputUrl) {
    const [result, input] = await Promise.all([this.anatomy(resultUrl), this.anatomy(inputUrl)]);
    const image = result.clone();
    image.name = "difference.nii";
    const [a, b] = [result, input].map((one) => [one.img, one.hdr.scl_slope || 1, one.hdr.scl_inter || 0]);
    const values = new Float32Array(a[0].length);
    let top = 0;
    for (let i = 0; i < values.length; i++) {
      values[i] = a[0][i] * a[1] + a[2] - (b[0][i] * b[1] + b[2]);
      top = Math.max(top, Math.abs(values[i]));
    }
    image.img = values;
    Object.assign(image.hdr, { datatypeCode: 16, numBitsPerVoxel: 32, scl_slope: 1, scl_inter: 0 });
    const reach = top || 1;
    return Object.assign(image, {
      colormap: "warm", colormapNegative: "winter", colormapType: 2, opacity: 0.9,
      cal_min: reach * 0.02, cal_max: reach, cal_minNeg: -reach, cal_maxNeg: -reach * 0.02,
      global_min: -reach, global_max: reach, robust_min: -reach, robust_max: reach,
    });
  }
}

export function addMaps(nv) {
  nv.addColormap("cs-mask", MASK_MAP);
}
