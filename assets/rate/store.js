// What this browser keeps for one link; where it keeps nothing (full, or forbidden), the page does while it is open.

export class Store {
  /** @param {string} key of the link */
  constructor(key) {
    this.prefix = `counterscan-rate:${key}:`;
    /** @type {Map<string, unknown>} */
    this.memory = new Map();
  }

  /**
   * Returns what was kept under a name; null where that is nothing.
   * @param {string} name
   * @returns {unknown}
   */
  get(name) {
    if (this.memory.has(name)) return this.memory.get(name);
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name) ?? "null");
    } catch {
      return null;
    }
  }

  /**
   * @param {string} name
   * @param {object} value
   */
  set(name, value) {
    try {
      localStorage.setItem(this.prefix + name, JSON.stringify(value));
      this.memory.delete(name);
    } catch {
      this.memory.set(name, value);
    }
  }

  /** @param {string} name */
  drop(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // what could not be kept need not be removed
    }
  }

  /**
   * Returns the names that begin with `start`.
   * @param {string} start
   */
  names(start) {
    const kept = new Set(this.memory.keys());
    try {
      for (const key of Object.keys(localStorage)) {
        if (key.startsWith(this.prefix)) kept.add(key.slice(this.prefix.length));
      }
    } catch {
      // see get
    }
    return [...kept].filter((name) => name.startsWith(start));
  }
}
