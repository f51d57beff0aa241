// A drawing as a file, and on its way to the server.

/** @import { Niivue } from "@niivue/niivue" */

/** @typedef {{ scan_id: string, token: string, voxels: number, volume_ml: number, warnings: string[] }} MaskReply */

/**
 * Returns the drawing as a gzipped NIfTI file on the grid of the scan.
 * @param {Pick<Niivue, "saveImage">} nv
 */
export async function packed(nv) {
  const bytes = await nv.saveImage({ filename: "", isSaveDrawing: true, volumeByIndex: 0 });
  if (!(bytes instanceof Uint8Array)) throw new Error("The drawing could not be written.");
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(stream).blob();
}

/**
 * Sends a mask; returns the server's reply, or why it was refused.
 * @param {string} scanId
 * @param {Blob} body
 * @returns {Promise<{ reply: MaskReply } | { refusal: string }>}
 */
export async function send(scanId, body) {
  const answer = await fetch(`/mask/${encodeURIComponent(scanId)}`, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/gzip" },
  });
  if (answer.ok) return { reply: await answer.json() };
  return { refusal: await refusalOf(answer, "The mask was refused.") };
}

/**
 * Asks the server for a proposed mask; returns its file and what it was made from, or why there is none.
 * @param {string} scanId
 * @returns {Promise<{ data: ArrayBuffer, basis: string } | { refusal: string }>}
 */
export async function proposed(scanId) {
  const answer = await fetch(`/proposal/${encodeURIComponent(scanId)}`, { method: "POST" });
  if (!answer.ok) return { refusal: await refusalOf(answer, "No mask could be proposed.") };
  return { data: await answer.arrayBuffer(), basis: answer.headers.get("x-counterscan-basis") ?? "" };
}

/**
 * @param {Response} answer
 * @param {string} usual
 */
async function refusalOf(answer, usual) {
  const reply = await answer.json();
  return `${reply.message ?? usual} ${reply.hint ?? ""} [${reply.code ?? answer.status}]`;
}
