// NiiVue's library, and what depends on the graphics driver.

/** @import { Niivue } from "@niivue/niivue" */
/** @import { Library } from "./niivue.d.ts" */

const VERTEX = "#version 300 es\nvoid main(){gl_Position=vec4(2.0,2.0,2.0,1.0);}";
const FRAGMENT = "#version 300 es\nprecision lowp float;out vec4 c;void main(){c=vec4(0.0);}";

/**
 * Returns NiiVue, loaded once.
 * @param {string} url of the bundle, which defines a global name
 * @returns {Promise<Library>}
 */
export async function loadLibrary(url) {
  if (!globalThis.niivue) await import(url);
  if (!globalThis.niivue) throw new Error("The viewer's library is not what it should be.");
  return globalThis.niivue;
}

/** Returns whether the browser can draw volumes. */
export function hasWebGL2() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return false;
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return true;
}

/**
 * Returns whether WebGL runs on the processor.
 * @param {Pick<WebGL2RenderingContext, "getExtension" | "getParameter" | "RENDERER">} gl
 */
export function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return /swiftshader|llvmpipe|software/i.test(String(name));
}

/**
 * Keeps NiiVue from computing a 3D gradient at every refresh, which 2D views never read: seconds per volume without a
 * graphics card.
 * @param {Niivue} nv
 * @returns {() => void} what brings the gradients back
 */
export function skipGradients(nv) {
  const { blurShader, sobelFirstOrderShader } = nv;
  const program = blurShader && sobelFirstOrderShader ? idleProgram(nv.gl) : null;
  if (!program) return () => {};
  const idle = { program, uniforms: {}, use: () => nv.gl.useProgram(program) };
  nv.blurShader = idle;
  nv.sobelFirstOrderShader = idle;
  return () => Object.assign(nv, { blurShader, sobelFirstOrderShader });
}

/**
 * Returns a program that draws nothing; null where the driver has none.
 * @param {WebGL2RenderingContext} gl
 */
function idleProgram(gl) {
  const program = gl.createProgram();
  /** @type {[kind: number, source: string][]} */
  const sources = [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ];
  for (const [kind, source] of sources) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
