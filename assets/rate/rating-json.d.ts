// What the server and the page of a rater send each other (JSON); the page is at /rate/KEY.

/** Voxels in the order of the file, as runs: [start, length, ...], sorted, not touching. */
export interface Mark {
  shape: number[];
  runs: number[];
}

/** An answer: the value of an option, a level, a text, a mark; null where nothing was marked. */
export type Answer = string | number | Mark | null;

/** Question name -> answer. */
export type Answers = Record<string, Answer>;

export interface Question {
  name: string;
  kind: "choice" | "scale" | "text" | "mark";
  title: string;
  help: string;
  /** of a choice: value and title */
  options: [value: string, title: string][];
  /** of a scale: 1 to this, and the names of its ends */
  levels: number;
  low: string;
  high: string;
  optional: boolean;
}

export interface Showing {
  id: string;
  /** from 1 */
  position: number;
  /** whether feedback follows */
  training: boolean;
  /** addresses of one or two images */
  images: string[];
  /** the voxel to look at first; null for the middle */
  at: [number, number, number] | null;
  questions: Question[];
  /** null before the first answer */
  answers: Answers | null;
}

export interface Progress {
  done: number;
  total: number;
}

export interface State {
  title: string;
  instructions: string;
  consent: string;
  end: string;
  /** whether an answer may be changed later */
  changes: boolean;
  /** whether two images take turns in one place */
  toggle: boolean;
  started: boolean;
  expertise: string[];
  progress: Progress;
  next: Showing | null;
}

export interface Consent {
  consent: true;
  expertise?: string;
  years?: number;
}

/** An answer as it is sent; the same `client_id` again changes nothing. */
export interface Payload {
  client_id: string;
  showing: string;
  answers: Answers;
  seconds: number;
  changes: number;
  /** axis -> how many slices were seen */
  slices: Record<string, number>;
  shown_at: string;
  client: { width: number; height: number; touch: boolean };
}

export interface Feedback {
  correct: boolean | null;
  text: string;
}

export interface Saved {
  saved: number;
  feedback: Feedback | null;
  progress: Progress;
  next: Showing | null;
}

/** Why the server refuses something. */
export interface Refusal {
  code?: string;
  message?: string;
  hint?: string;
}
