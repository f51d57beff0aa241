// The pointer on a panel: mouse, pencil and fingers. A tool gets what is its own; two fingers zoom and pan; the rest is
// NiiVue's.

/** @import { Niivue } from "@niivue/niivue" */
/** @import { Panel } from "./panel.js" */
/** @import { Spot } from "./place.js" */
/** @import { Hit } from "./tools.js" */

import { triple } from "./link.js";
import { pinched, pixelOf, shiftOf, spotAt } from "./place.js";

/**
 * @typedef {object} Handler what takes the pointer
 * @property {boolean} atOnce whether each press is all of it: a corner, a region
 * @property {(hit: Hit) => void} begin
 * @property {(hit: Hit) => void} move
 * @property {() => void} end
 * @property {(hit: Hit) => void} hover
 * @property {() => void} leave
 * @property {() => void} close
 * @property {() => void} cancel
 * @property {(by: number) => boolean} wheel
 */

const MAIN_BUTTON = 0;
const POINTER = ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave"];
const NIIVUES = ["mousedown", "mousemove", "mouseup", "mouseleave", "touchstart", "touchmove", "touchend", "dblclick"];
const WHEEL_STEP = 0.01;

export class Gestures {
  /**
   * @param {Pick<Panel, "stage" | "viewer" | "filled">} panel
   * @param {() => void} onzoom the view was zoomed or moved
   */
  constructor(panel, onzoom = () => {}) {
    this.panel = panel;
    this.onzoom = onzoom;
    /** @type {Handler | null} */
    this.handler = null;
    /** @type {{ id: number, spot: Spot } | null} the pointer that the tool follows */
    this.held = null;
    /** @type {Map<number, PointerEvent>} */
    this.fingers = new Map();
    // a hand lies on the screen while a pencil draws
    this.pencil = false;
    // two fingers were down: what is left of them draws nothing
    this.pinching = false;
    const { stage } = panel;
    for (const kind of POINTER) stage.addEventListener(kind, (event) => this.follow(event), true);
    for (const kind of NIIVUES) stage.addEventListener(kind, (event) => this.shield(event), true);
    stage.addEventListener("wheel", (event) => this.turn(event), { capture: true, passive: false });
  }

  /** NiiVue, where the panel shows slices. */
  get nv() {
    const { viewer, filled } = this.panel;
    return filled ? viewer : null;
  }

  /**
   * Gives the pointer to a tool, or back to NiiVue.
   * @param {Handler | null} handler
   */
  hold(handler) {
    if (this.held) this.handler?.cancel();
    this.held = null;
    this.handler = handler;
    this.panel.stage.classList.toggle("cs-tooled", handler !== null);
  }

  /** @param {Event} event */
  follow(event) {
    const { nv } = this;
    if (!nv) return;
    const pointer = /** @type {PointerEvent} */ (event);
    if (pointer.pointerType === "pen") this.pencil = true;
    if (pointer.pointerType === "touch") this.finger(pointer);
    if (this.pinching || (pointer.pointerType === "touch" && this.pencil)) return;
    if (pointer.type === "pointerdown") this.down(pointer);
    else if (pointer.type === "pointermove") this.moved(pointer);
    else this.up(pointer);
  }

  /**
   * @param {PointerEvent} event
   * @param {number} [tile] the slice to stay on
   */
  spot(event, tile) {
    const { nv } = this;
    return nv && spotAt(nv, pixelOf(nv, event), tile);
  }

  /** @param {PointerEvent} event */
  down(event) {
    if (!this.handler || event.button !== MAIN_BUTTON || this.held) return;
    const spot = this.spot(event);
    if (!spot) return;
    this.held = { id: event.pointerId, spot };
    const { target } = event;
    if (target instanceof HTMLElement) {
      target.focus({ preventScroll: true });
      target.setPointerCapture?.(event.pointerId);
    }
    this.handler.begin({ ...spot, take: event.altKey });
    event.preventDefault();
  }

  /** @param {PointerEvent} event */
  moved(event) {
    const { handler, held } = this;
    if (!handler) return;
    if (held && held.id !== event.pointerId) return;
    if (!held && event.buttons) return;
    // a quick hand is followed between two frames too
    const all = held ? (event.getCoalescedEvents?.() ?? []) : [];
    for (const one of all.length ? all : [event]) {
      const spot = this.spot(one, held?.spot.tile);
      if (!spot) continue;
      const hit = { ...spot, take: event.altKey };
      if (held) handler.move(hit);
      else handler.hover(hit);
    }
  }

  /** @param {PointerEvent} event */
  up(event) {
    const { handler, held } = this;
    if (!handler) return;
    if (!held) {
      if (event.type === "pointerleave" && event.pointerType === "mouse") handler.leave();
      return;
    }
    if (held.id !== event.pointerId || event.type === "pointerleave") return;
    this.held = null;
    if (event.type === "pointercancel") handler.cancel();
    else handler.end();
  }

  /** @param {PointerEvent} event */
  finger(event) {
    const { fingers } = this;
    if (event.type === "pointerdown") {
      fingers.set(event.pointerId, event);
      if (fingers.size < 2) return;
      if (this.held) this.handler?.cancel();
      this.held = null;
      this.pinching = true;
    } else if (event.type === "pointermove") {
      this.slide(event);
    } else if (event.type !== "pointerleave") {
      fingers.delete(event.pointerId);
      this.pinching = this.pinching && fingers.size > 0;
    }
  }

  /** @param {PointerEvent} event of a finger that moves */
  slide(event) {
    const { fingers } = this;
    if (!fingers.has(event.pointerId)) return;
    const before = [...fingers.values()];
    fingers.set(event.pointerId, event);
    const after = [...fingers.values()];
    if (before.length > 1) this.pinch(before, after);
    else if (this.pencil && this.handler) this.pinch([...before, ...before], [...after, ...after]);
  }

  /**
   * @param {PointerEvent[]} before two fingers
   * @param {PointerEvent[]} after the same
   */
  pinch(before, after) {
    const { nv } = this;
    if (!nv) return;
    const [from, to] = [before, after].map((fingers) => {
      const [[ax, ay], [bx, by]] = fingers.slice(0, 2).map((one) => pixelOf(nv, one));
      return { middle: [(ax + bx) / 2, (ay + by) / 2], apart: Math.hypot(ax - bx, ay - by) };
    });
    const spot = spotAt(nv, from.middle) ?? spotAt(nv, from.middle, 0);
    if (!spot) return;
    const by = [to.middle[0] - from.middle[0], to.middle[1] - from.middle[1]];
    const ratio = from.apart && to.apart ? to.apart / from.apart : 1;
    this.zoom(nv, spot, ratio, shiftOf(nv, spot, by));
  }

  /**
   * Zooms about a place of a slice, and moves the view.
   * @param {Niivue} nv
   * @param {Spot} spot
   * @param {number} ratio
   * @param {number[]} shift in mm of the view without zoom
   */
  zoom(nv, spot, ratio, shift) {
    const mm = triple(nv.frac2mm(triple(spot.frac), 0, true));
    nv.setPan2Dxyzmm(pinched(nv.scene.pan2Dxyzmm, mm, ratio, shift));
    this.onzoom();
  }

  /**
   * Keeps from NiiVue what the tool takes, and two fingers, which would scroll slices.
   * @param {Event} event
   */
  shield(event) {
    const tooled = this.handler !== null;
    const touch = event.type.startsWith("touch");
    if (event.type === "dblclick" && tooled) this.handler?.close();
    const button = event instanceof MouseEvent ? event.button : MAIN_BUTTON;
    const ours = touch ? tooled || this.fingers.size > 1 || this.pinching : tooled && button === MAIN_BUTTON;
    // a press of another button is NiiVue's until it is let go
    const others = event instanceof MouseEvent && (event.buttons & ~1) !== 0;
    if (!ours || others) return;
    event.stopPropagation();
    if (touch) event.preventDefault();
  }

  /** @param {WheelEvent} event */
  turn(event) {
    const { nv, handler } = this;
    if (!nv) return;
    if (event.ctrlKey) {
      const spot = spotAt(nv, pixelOf(nv, event));
      if (spot) this.zoom(nv, spot, Math.exp(-event.deltaY * WHEEL_STEP), [0, 0, 0]);
    } else if (!handler?.wheel(event.deltaY < 0 ? 1 : -1)) return;
    event.preventDefault();
    event.stopPropagation();
  }
}
