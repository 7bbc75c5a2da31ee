// What is wrong with a page, for someone who sees little, uses no mouse, or holds a phone. Returns a list of sentences.
(phone) => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && element.getClientRects().length > 0;
  const named = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 140);
  const text = (element) => (element.getAttribute("aria-label") || element.textContent || "").trim();

  if (!document.documentElement.lang) faults.push("the page has no language");
  if (!document.title.trim()) faults.push("the page has no title");
  if (all("main").length !== 1) faults.push("there is not exactly one main");

  const room = document.documentElement;
  if (room.scrollWidth > room.clientWidth) {
    const wide = all("body *").filter((e) => shown(e) && e.getBoundingClientRect().right > room.clientWidth + 1 && !e.closest(".scroll, .tabs"));
    faults.push(`the page scrolls sideways (${room.scrollWidth} of ${room.clientWidth}): ${wide.slice(0, 2).map(named).join(" | ")}`);
  }

  const headings = all("h1, h2, h3, h4, h5, h6").filter(shown);
  if (headings.filter((h) => h.tagName === "H1").length !== 1) faults.push("there is not exactly one h1");
  let level = 0;
  for (const heading of headings) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) faults.push(`a heading of level ${own} follows level ${level}: ${text(heading)}`);
    level = own;
  }

  const ids = all("[id]").map((e) => e.id);
  const twice = ids.filter((id, place) => ids.indexOf(id) !== place);
  if (twice.length) faults.push(`ids are there twice: ${twice.join(", ")}`);
  for (const attribute of ["aria-describedby", "aria-labelledby", "aria-controls", "for", "popovertarget", "data-copy"]) {
    for (const element of all(`[${attribute}]`)) {
      for (const id of element.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) faults.push(`${attribute} names no element: ${named(element)}`);
      }
    }
  }

  for (const control of all("input:not([type=hidden], [hidden]), select, textarea")) {
    const label = [...(control.labels || [])].map(text).join("") || control.getAttribute("aria-label") || control.getAttribute("aria-labelledby");
    if (!label) faults.push(`a control has no label: ${named(control)}`);
  }
  for (const element of all("a[href], button, summary").filter(shown)) {
    const name = element.getAttribute("aria-label") || element.innerText.trim();
    if (!name && !element.querySelector("img[alt]:not([alt=''])") && !element.title) faults.push(`nothing names: ${named(element)}`);
  }
  for (const image of all("img:not([alt]), svg:not([aria-hidden]):not([role=img])").filter((e) => !e.parentElement.closest("svg"))) {
    faults.push(`a picture has no text: ${named(image)}`);
  }
  for (const picture of all("svg[role=img]")) {
    if (!picture.getAttribute("aria-label") && !picture.getAttribute("aria-labelledby") && !picture.querySelector("title")) faults.push(`a picture has no text: ${named(picture)}`);
  }
  for (const table of all("table")) {
    if (!table.querySelector("th[scope=col]")) faults.push(`a table has no column headers: ${named(table)}`);
  }
  for (const cell of all("table.stack td:not([data-label], .check, .actions, [colspan])").filter((e) => e.textContent.trim())) {
    faults.push(`a cell has no label on a phone: ${named(cell)}`);
  }
  for (const form of all("form[method=post]")) {
    if (!form.querySelector("input[name=csrf]")) faults.push(`a form has no csrf field: ${named(form)}`);
  }
  if (phone) {
    for (const control of all("button:not([data-copy]), select, textarea, input:not([type=hidden], [type=checkbox], [type=radio]), .side a, a.button").filter(shown)) {
      const box = control.getBoundingClientRect();
      if (box.height < 43.5) faults.push(`too small to touch (${box.height.toFixed(0)} px): ${named(control)}`);
    }
  }

  const parse = (colour) => {
    const numbers = (colour.match(/[\d.]+(?:e-?\d+)?/g) || []).map(Number);
    const scale = colour.startsWith("color(") ? 255 : 1;
    return [numbers[0] * scale, numbers[1] * scale, numbers[2] * scale, numbers[3] ?? 1];
  };
  const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const poor = new Set();
  for (const element of all("body *").filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && shown(e) && !e.closest(":disabled, .unseen, .skip"))) {
    const style = getComputedStyle(element);
    const under = ground(element);
    const inSvg = element.closest("svg");
    const ink = over(parse(inSvg ? style.fill : style.color), under);
    const [a, b] = [light(ink), light(under)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (!inSvg && ratio < (large ? 3 : 4.5)) poor.add(`contrast ${ratio.toFixed(2)}: ${named(element)}`);
  }
  return [...faults, ...poor];
}
