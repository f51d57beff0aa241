// Written by `make schemas` from webapp/pages/kit/viewer_scene.py; change that.

/** A volume; images of equal `units` share one intensity window, those without that of the scan. */
export interface SceneImage {
  id: string;
  url: string;
  title?: string;
  synthetic?: boolean;
  units?: string;
  /** the heading under which lists offer it */
  group?: string;
  /** address of the standard deviation of a twin */
  uncertainty?: string | null;
}

/** A signed volume, positive where the result is brighter. */
export interface SceneMap {
  url: string;
  title?: string;
  /** what its numbers are, in few words */
  what?: string;
}

/** A scene as the server sends it; what is left out is filled in by scene.js. */
export interface Scene {
  task?: string;
  /** scans of the task; the mask belongs to the first */
  inputs?: SceneImage[];
  /** the only input, where `inputs` is left out */
  scan?: SceneImage | null;
  mask?: SceneImage | null;
  /** whether a mask may be drawn on the first input */
  drawable?: boolean;
  /** whether results have the scan's grid, so that their maps are drawn over the scan */
  in_place?: boolean;
  /** the true target */
  reference?: SceneImage | null;
  /** the chosen method's first; `difference`, `error` and `uncertainty` belong to it */
  results?: SceneImage[];
  /** results of runs on the same inputs that the first result can be exchanged for */
  twins?: SceneImage[];
  difference?: SceneMap | null;
  error?: SceneMap | null;
  /** address of the standard deviation of the first result */
  uncertainty?: string | null;
  /** title of the method that gave the uncertainty */
  uncertain?: string;
  /** results of other runs, to compare */
  others?: SceneImage[];
  /** images to open side by side, four at most */
  compare?: SceneImage[] | null;
  busy?: boolean;
  job?: string;
  /** query of the page's address that opens this work again */
  address?: string;
  /** text of the empty viewer */
  invite?: string;
}
