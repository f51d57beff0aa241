// What this browser keeps for one link; where it keeps nothing (full, or forbidden), the page does while it is open.

export class Store {
  constructor(key) {
    this.prefix = `counterscan-rate:${key}:`;
    this.memory = new Map();
  }

  get(name) {
    if (this.memory.has(name)) return this.memory.get(name);
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    try {
      localStorage.setItem(this.prefix + name, JSON.stringify(value));
      this.memory.delete(name);
    } catch {
      this.memory.set(name, value);
    }
  }

  drop(name) {
    this.memory.delete(name);
    try {
      localStorage.removeItem(this.prefix + name);
    } catch {
      // what could not be kept need not be removed
    }
  }

  // the names that begin with `start`
  names(start) {
    const kept = new Set(this.memory.keys());
    try {
      for (const key of Object.keys(localStorage))
        if (key.startsWith(this.prefix)) kept.add(key.slice(this.prefix.length));
    } catch {
      // see get
    }
    return [...kept].filter((name) => name.startsWith(start));
  }
}
