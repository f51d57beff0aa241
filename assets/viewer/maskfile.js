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
  const reply = await answer.json();
  if (answer.ok) return { reply };
  return {
    refusal: `${reply.message ?? "The mask was refused."} ${reply.hint ?? ""} [${reply.code ?? answer.status}]`,
  };
}
