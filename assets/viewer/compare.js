// Up to four images of one scan side by side, each with its own pick list.

import { AT_ONCE, choices, find, images, worthComparing } from "./scene.js";

export class Compare {
  constructor(viewer) {
    this.viewer = viewer;
    this.active = false;
    this.picked = [];
    this.asked = "";
  }

  // a scene may ask for a comparison; it is entered once, so that a person can leave it
  follow(scene) {
    const wanted = (scene.compare ?? []).slice(0, AT_ONCE).map((one) => one.id);
    const asked = wanted.join(" ");
    if (asked !== this.asked) {
      if (asked) this.picked = wanted;
      this.active = asked !== "";
    }
    this.asked = asked;
    if (images(scene).length < 2) this.active = false;
  }

  // the ids in the panels: what was picked, as far as it is still there, then what is worth seeing beside it
  shown(scene) {
    const all = images(scene);
    const known = this.picked.filter((id) => all.some((one) => one.id === id));
    const more = [...worthComparing(scene), ...all.map((one) => one.id)].filter((id) => !known.includes(id));
    const count = this.asked && known.length > 1 ? known.length : Math.min(AT_ONCE, all.length);
    return [...known, ...new Set(more)].slice(0, count);
  }

  async draw(panels) {
    const { scene } = this.viewer;
    const all = images(scene);
    this.picked = this.shown(scene);
    for (const [i, id] of this.picked.entries()) {
      const image = find(all, id);
      panels[i].name(image.title);
      panels[i].choose(`Image in panel ${i + 1}`, choices(all), id, (chosen) => {
        this.picked[i] = chosen;
        this.viewer.refresh();
      });
      await this.viewer.drawImage(panels[i], image);
    }
  }
}
