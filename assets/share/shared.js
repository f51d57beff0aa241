// The page of a link to one run: the viewer on the scene that stands in it.

import { mount } from "../viewer/viewer.js";

const place = document.getElementById("view");
const scene = document.getElementById("scene");
if (place && scene) {
  const viewer = await mount(place, {
    library: new URL("../niivue.js", import.meta.url).href,
    // nothing is drawn here
    emit: () => {},
  });
  await viewer.apply(JSON.parse(scene.textContent ?? ""));
}
