// A scene as the server sends it (JSON); what is left out is filled in by scene.js.

export type SceneTask = "inpaint" | "superres" | "translate";

/** A volume; images of equal `units` share one intensity window. */
export interface SceneImage {
  id: string;
  url: string;
  title?: string;
  synthetic?: boolean;
  units?: string;
  group?: string;
}

/** A signed volume, positive where the result is brighter. */
export interface SceneMap {
  url: string;
  title?: string;
  legend?: string;
}

export interface Scene {
  task?: SceneTask;
  /** the scans of the task; the mask belongs to the first */
  inputs?: SceneImage[];
  /** the only input, where `inputs` is left out */
  scan?: SceneImage | null;
  mask?: SceneImage | null;
  /** whether a mask may be drawn on the first input */
  drawable?: boolean;
  /** the true target */
  reference?: SceneImage | null;
  /** the result that was asked for first; `difference`, `error` and `uncertainty` belong to it */
  results?: SceneImage[];
  difference?: SceneMap | null;
  error?: SceneMap | null;
  /** where the standard deviation of the first result is, and the title of the method that gave it */
  uncertainty?: string | null;
  uncertain?: string;
  /** results of other runs, to compare */
  others?: SceneImage[];
  /** four images at most, to open side by side */
  compare?: SceneImage[] | null;
  busy?: boolean;
  job?: string;
  /** the text of the empty viewer */
  invite?: string;
}
