// What a person would see to be wrong on the page as it stands now, a line each. It is evaluated in the page.
(options) => {
  const { smallest = 12, skip = "", ends = "" } = options;
  const faults = new Set();
  const name = (one) => {
    const own = one.id || one.getAttribute("data-testid") || (typeof one.className === "string" ? one.className : "");
    const words = (one.innerText || one.getAttribute("aria-label") || one.alt || one.value || "").trim().replace(/\s+/g, " ");
    return `${one.tagName.toLowerCase()} ${own.replace(/svelte-\S+/g, "").trim().slice(0, 40)} "${words.slice(0, 40)}"`;
  };
  const style = new Map();
  const styled = (one) => {
    if (!style.has(one)) style.set(one, getComputedStyle(one));
    return style.get(one);
  };
  const ancestors = function* (one) {
    for (let at = one.parentElement; at; at = at.parentElement) yield at;
  };
  // for readers of screens alone, or away on purpose
  const unseen = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const { clip, clipPath, opacity } = styled(at);
      if (clip !== "auto") return true;
      if (clipPath !== "none" && clipPath.startsWith("inset")) return true;
      if (opacity === "0" || at.matches("option, script, style, noscript, title, .hide, #plotly-notifier, .modebar-container")) return true;
      if (skip && at.matches(skip)) return true;
    }
    return !one.checkVisibility({ visibilityProperty: true });
  };
  const scrolls = (one) => /auto|scroll/.test(styled(one).overflowX + styled(one).overflowY);
  const sticky = (one) => {
    for (let at = one; at; at = at.parentElement) if (/sticky|fixed/.test(styled(at).position)) return at;
    return null;
  };

  // texts: the lines of each text node, with the element that draws it
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || unseen(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = [...range.getClientRects()].filter((line) => line.width > 1 && line.height > 1);
    if (lines.length) texts.push({ node, parent, lines, words: node.data.trim().slice(0, 40) });
  }
  const controls = [...document.querySelectorAll("button, a[href], input, select, textarea, img, canvas, [role=progressbar], iframe")]
    .filter((one) => !unseen(one) && one.getBoundingClientRect().width > 1);

  for (const { parent, words } of texts) {
    const size = Number.parseFloat(styled(parent).fontSize);
    if (size < smallest - 0.01) faults.add(`text of ${size} px: ${name(parent)} "${words}"`);
  }
  for (const one of controls) {
    if (one.matches("img") && !(one.complete && one.naturalWidth)) faults.add(`broken picture: ${name(one)} ${one.src.slice(0, 80)}`);
  }

  // nothing hangs out of a box, sideways
  if (document.documentElement.scrollWidth > innerWidth) {
    faults.add(`the page is ${document.documentElement.scrollWidth} px wide in a window of ${innerWidth}`);
  }
  for (const one of document.querySelectorAll("body *")) {
    if (one.scrollWidth <= one.clientWidth + 1 || !one.clientWidth || !/auto|scroll/.test(styled(one).overflowX) || unseen(one)) continue;
    // a wide table scrolls in its box
    if (!one.querySelector("table, pre")) faults.add(`scrolls sideways: ${one.scrollWidth} px in ${one.clientWidth}: ${name(one)}`);
  }
  for (const one of document.querySelectorAll("select")) {
    if (styled(one).appearance === "none" && styled(one).backgroundImage === "none") faults.add(`looks like no list: ${name(one)}`);
  }
  const boxed = (one) => {
    const { borderTopWidth, borderTopStyle, backgroundColor, backgroundImage } = styled(one);
    return backgroundImage !== "none" || (borderTopWidth !== "0px" && borderTopStyle !== "none") || !/transparent|, 0\)/.test(backgroundColor);
  };
  const inside = (one, box, what) => {
    for (const at of ancestors(one)) {
      if (scrolls(at)) return;
      if (!boxed(at) || at === document.body || styled(at).display === "contents" || styled(at).display === "inline") continue;
      const outer = at.getBoundingClientRect();
      if (!outer.width) continue;
      if (box.left < outer.left - 1.5 || box.right > outer.right + 1.5 || box.top < outer.top - 1.5 || box.bottom > outer.bottom + 1.5) {
        faults.add(`outside of its box: ${what} in ${name(at)}`);
      }
      return;
    }
  };
  for (const { parent, lines, words } of texts) for (const line of lines) inside(parent, line, `"${words}" ${name(parent)}`);
  for (const one of controls) inside(one, one.getBoundingClientRect(), name(one));

  // nothing is cut off: what hides its overflow holds all of its text
  for (const { parent, words } of texts) {
    for (let at = parent; at && at !== document.body; at = at.parentElement) {
      const { overflowX, overflowY } = styled(at);
      if (scrolls(at)) break;
      if (/hidden|clip/.test(overflowX) && at.scrollWidth > at.clientWidth + 1 && at.clientWidth) faults.add(`cut off sideways: "${words}" in ${name(at)}`);
      if (/hidden|clip/.test(overflowY) && at.scrollHeight > at.clientHeight + 2 && at.clientHeight) faults.add(`cut off below: "${words}" in ${name(at)}`);
    }
  }

  // texts do not lie on each other; what sticks passes over the rest on purpose
  const clipped = (one, line) => {
    let { left, right, top, bottom } = line;
    for (const at of ancestors(one)) {
      if (styled(at).overflowX === "visible" && styled(at).overflowY === "visible") continue;
      const box = at.getBoundingClientRect();
      [left, right, top, bottom] = [Math.max(left, box.left), Math.min(right, box.right), Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    return right - left > 2 && bottom - top > 2 ? { left, right, top, bottom } : null;
  };
  const drawn = texts.flatMap(({ parent, lines, words }) =>
    lines.map((line) => ({ parent, words, over: sticky(parent), at: clipped(parent, line) })).filter((one) => one.at));
  drawn.sort((a, b) => a.at.top - b.at.top);
  for (let i = 0; i < drawn.length; i += 1) {
    for (let j = i + 1; j < drawn.length && drawn[j].at.top < drawn[i].at.bottom; j += 1) {
      const [a, b] = [drawn[i], drawn[j]];
      if (a.parent === b.parent || a.over !== b.over || a.parent.contains(b.parent) || b.parent.contains(a.parent)) continue;
      const wide = Math.min(a.at.right, b.at.right) - Math.max(a.at.left, b.at.left);
      const high = Math.min(a.at.bottom, b.at.bottom) - Math.max(a.at.top, b.at.top);
      if (wide > 2 && high > 4) faults.add(`texts on each other: "${a.words}" and "${b.words}"`);
    }
  }

  // no empty region over a third of the window as it opens
  scrollTo(0, 0);
  const CELLS = 30;
  const full = Array.from({ length: CELLS }, () => new Array(CELLS).fill(0));
  const mark = ({ left, right, top, bottom }) => {
    for (let row = Math.max(0, Math.floor((top / innerHeight) * CELLS)); row < Math.min(CELLS, (bottom / innerHeight) * CELLS); row += 1)
      for (let column = Math.max(0, Math.floor((left / innerWidth) * CELLS)); column < Math.min(CELLS, (right / innerWidth) * CELLS); column += 1)
        full[row][column] = 1;
  };
  for (const one of texts) {
    const range = document.createRange();
    range.selectNodeContents(one.node);
    for (const line of range.getClientRects()) mark(line);
  }
  for (const one of [...controls, ...document.querySelectorAll(".js-plotly-plot, .cs-stage")]) if (one.checkVisibility()) mark(one.getBoundingClientRect());
  // a list may end above the window's end
  const last = ends && document.querySelector(ends);
  if (last) mark({ left: 0, right: innerWidth, top: last.getBoundingClientRect().bottom, bottom: innerHeight });
  let largest = 0;
  const heights = new Array(CELLS).fill(0);
  for (const row of full) {
    for (let column = 0; column < CELLS; column += 1) heights[column] = row[column] ? 0 : heights[column] + 1;
    for (let left = 0; left < CELLS; left += 1)
      for (let right = left, low = heights[left]; right < CELLS && low; right += 1) {
        low = Math.min(low, heights[right]);
        largest = Math.max(largest, low * (right - left + 1));
      }
  }
  if (largest > CELLS ** 2 / 3) faults.add(`${Math.round((100 * largest) / CELLS ** 2)} % of the window is one empty region`);

  const places = [...document.querySelectorAll("*")].filter((one) => one.scrollTop || one.scrollLeft || scrolls(one)).map((one) => [one, one.scrollTop, one.scrollLeft]);
  // nothing lies over a control, a text or a picture when it is scrolled into sight
  const seen = (one, middle, what) => {
    const passive = styled(one).pointerEvents === "none";
    // figures take the pointer over all of their texts
    if (one.closest("svg")) return;
    if (passive) one.style.setProperty("pointer-events", "auto", "important");
    one.scrollIntoView({ block: "center", inline: "nearest", behavior: "instant" });
    const [x, y] = middle();
    const top = document.elementFromPoint(x, y);
    if (passive) one.style.removeProperty("pointer-events");
    const label = one.closest("label");
    const own = top && (one.contains(top) || (label && top.matches("input") && label.contains(top)));
    if (!own) faults.add(`covered: ${what} by ${top ? name(top) : "nothing that is drawn"}`);
  };
  for (const { node, parent, words } of texts) {
    const range = document.createRange();
    range.selectNodeContents(node);
    seen(parent, () => {
      const line = [...range.getClientRects()].find((one) => one.width > 1) ?? parent.getBoundingClientRect();
      return [line.left + line.width / 2, line.top + line.height / 2];
    }, `"${words}" ${name(parent)}`);
  }
  for (const one of controls) {
    // a field that is drawn by its label
    if (one.matches("input[type=file], input[type=radio], input[type=checkbox]")) continue;
    seen(one, () => {
      const box = one.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2];
    }, name(one));
  }
  for (const [one, top, left] of places) one.scrollTo({ top, left, behavior: "instant" });
  scrollTo(0, 0);
  return [...faults];
}
