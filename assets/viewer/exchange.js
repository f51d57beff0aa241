// What a drawing exchanges with the server and the disk: a proposal comes, the mask goes.

/** @import { Drawing } from "./drawing.js" */

import { saveBlob } from "./dom.js";
import { packed, proposed, send } from "./maskfile.js";

const CORRECT = "Take it as a suggestion: correct it with the tools, or undo it.";
/** @type {Record<string, string>} by what a proposal was made from */
const PROPOSED = {
  flair: `Proposed from the FLAIR: what is brighter than the brain around and than the other side. ${CORRECT}`,
  "flair-small": `Proposed from the FLAIR: small bright places below the cortex. ${CORRECT}`,
  t1: `Proposed from the T1 alone, which is often wrong: what is darker than the other side. For a better one load a FLAIR on the same grid on the Translate tab, then come back and propose again. ${CORRECT}`,
};

export class Exchange {
  /** @param {Drawing} drawing */
  constructor(drawing) {
    this.drawing = drawing;
  }

  /** Marks what the server takes for the lesion, as one step. */
  async propose() {
    const { drawing } = this;
    const { bar, scanId, handlers } = drawing;
    drawing.release();
    bar.proposal.disabled = true;
    bar.notify("Comparing the scan with what is usual; this takes some seconds \u2026");
    try {
      const found = await proposed(scanId);
      if (!drawing.active || drawing.scanId !== scanId) return;
      if ("refusal" in found) {
        bar.notify(found.refusal, true);
        return;
      }
      const image = await handlers.decode(found.data);
      if (!image) throw new Error("The proposal could not be read.");
      drawing.nv.loadDrawing(image);
      const { bitmap, history } = drawing;
      for (let i = 0; i < bitmap.length; i++) bitmap[i] = bitmap[i] || history.base[i] ? 1 : 0;
      handlers.aim(image);
      drawing.commit();
      bar.notify(PROPOSED[found.basis] ?? PROPOSED.t1);
    } catch (error) {
      console.warn(error);
      bar.notify("The proposal could not be had. Check the connection and press Propose again. [offline]", true);
    } finally {
      bar.proposal.disabled = false;
    }
  }

  /** Returns the mask as a gzipped NIfTI file. */
  file() {
    this.drawing.release();
    return packed(this.drawing.nv);
  }

  async download() {
    try {
      saveBlob(await this.file(), "mask.nii.gz");
    } catch (error) {
      console.warn(error);
      this.drawing.bar.notify("The mask could not be made into a file. Press Download again.", true);
    }
  }

  async save() {
    this.drawing.bar.use.disabled = true;
    this.drawing.bar.notify("Checking the mask \u2026");
    try {
      const sent = await send(this.drawing.scanId, await this.file());
      if ("refusal" in sent) {
        this.drawing.bar.notify(sent.refusal, true);
        return;
      }
      this.drawing.handOver(sent.reply);
    } catch (error) {
      console.warn(error);
      this.drawing.bar.notify(
        "The mask could not be sent. Check the connection and press Use this mask again. [offline]",
        true,
      );
    } finally {
      this.drawing.bar.use.disabled = this.drawing.handed;
    }
  }
}
