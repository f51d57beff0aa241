// NiiVue's types, as far as the viewer narrows them, and what it puts on the page.

import type { Niivue, NVImage } from "@niivue/niivue";

export type Library = typeof import("@niivue/niivue");

type Known =
  | "img"
  | "dimsRAS"
  | "pixDimsRAS"
  | "img2RASstart"
  | "img2RASstep"
  | "cal_min"
  | "cal_max"
  | "robust_min"
  | "robust_max"
  | "global_min"
  | "global_max";

/** An image that was read: all that NiiVue leaves open until then is there. */
export type Image = NVImage & Required<Pick<NVImage, Known>> & { hdr: NonNullable<NVImage["hdr"]> };

/** The voxels of a drawing, in the order of the RAS grid. */
export type Bitmap = NonNullable<Niivue["drawBitmap"]>;

declare global {
  /** the library, once its script has run */
  var niivue: Library | undefined;

  interface HTMLElement {
    /** the viewer that an element shows, for who looks at the page from outside */
    counterscan?: object;
  }
}
