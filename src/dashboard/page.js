// The dashboard: asks for what has changed, and shows it. Whatever comes from a run's folder is put
// in as text, never as markup.
"use strict";

const POLL = 2000, SLOWEST_POLL = 30000, AT_ONCE = 4, SILENT = 600, FIRST_CHOICE = 4, REDRAW = 700;
const COLOURS = ["#2f7ed8", "#e8701a", "#2ca25f", "#c4426b", "#8b62c9", "#b59b00", "#1aa6b7", "#9c6b4e", "#7a8b99",
  "#d34fc0"];
const token = new URLSearchParams(location.search).get("token");
const $ = (id) => document.getElementById(id);

const runs = new Map(); // name -> as /api/runs has it
const rows = new Map(); // name -> {li, ...}
const curves = new Map(); // name -> as /api/run has it, with its key
const chosen = new Map(); // name -> colour number
const chart = new Chart($("chart"), $("reading"));
let focus = null, listVersion = null, clockAhead = 0, samplesKey = null, delay = POLL, timer = null, asking = false;

function element(kind, text, name) {
  const e = document.createElement(kind);
  if (text !== undefined) e.textContent = text;
  if (name) e.className = name;
  return e;
}

// Only what differs: the page stays quiet for those who hear it, and selections last.
function setText(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

async function ask(path, parameters) {
  const query = new URLSearchParams(parameters);
  const response = await fetch(path + "?" + query, token ? {headers: {Authorization: "Bearer " + token}} : {});
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error || response.statusText), {status: response.status});
  return answer;
}

// What a run is called and how it stands

function stateOf(run) {
  const age = Date.now() / 1000 + clockAhead - run.modified;
  return run.state === "running" && age > SILENT ? "silent" : run.state;
}

function colourOf(name) {
  const n = chosen.get(name);
  if (n === undefined) return "transparent";
  return n < COLOURS.length ? COLOURS[n] : "hsl(" + (n * 137.5) % 360 + " 60% 55%)";
}

function percent(value) {
  return value === undefined ? "-" : value.toFixed(value < 10 ? 2 : 1) + " %";
}

function facts(run) {
  const parts = [];
  if (run.test_error !== undefined) parts.push((run.set || "test") + " " + percent(run.test_error));
  if (run.epoch !== undefined) parts.push("epoch " + formatNumber(run.epoch));
  if (run.model) parts.push(run.model);
  return parts.join(" · ");
}

// The list

function makeRow(name) {
  const row = {li: element("li"), box: element("input"), swatch: element("span", "", "swatch"),
    button: element("button", name), state: element("span", "", "state"), facts: element("span", "", "facts")};
  row.box.type = "checkbox";
  row.box.setAttribute("aria-label", "compare " + name);
  row.box.addEventListener("change", () => { choose(name, row.box.checked); changed(); });
  row.button.type = "button";
  row.button.title = name;
  row.button.addEventListener("click", () => { setFocus(name); changed(); });
  row.li.append(row.box, row.swatch, row.button, row.state, row.facts);
  rows.set(name, row);
  return row;
}

function updateRow(name) {
  const row = rows.get(name) || makeRow(name), run = runs.get(name), state = stateOf(run);
  setText(row.state, state);
  row.state.className = "state " + state;
  setText(row.facts, facts(run));
  row.box.checked = chosen.has(name);
  row.swatch.style.background = colourOf(name);
  row.li.className = name === focus ? "focus" : "";
  row.button.setAttribute("aria-current", name === focus);
}

const orders = {
  modified: (a, b) => b.modified - a.modified,
  name: (a, b) => a.name.localeCompare(b.name, undefined, {numeric: true}),
  error: (a, b) => (a.test_error ?? Infinity) - (b.test_error ?? Infinity),
};

function shown() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  return [...runs.values()].filter((run) => {
    const text = (run.name + " " + run.model + " " + stateOf(run)).toLowerCase();
    return words.every((w) => text.includes(w));
  }).sort((a, b) => orders[$("order").value](a, b) || orders.name(a, b));
}

function showList() {
  const list = $("runs"), wanted = shown();
  for (const run of wanted) updateRow(run.name);
  const nodes = wanted.map((run) => rows.get(run.name).li);
  if (nodes.length !== list.children.length || nodes.some((n, i) => list.children[i] !== n)) {
    const active = document.activeElement;
    list.replaceChildren(...nodes);
    if (list.contains(active)) active.focus();
  }
  setText($("counted"), nodes.length === runs.size ? runs.size + (runs.size === 1 ? " run" : " runs")
    : nodes.length + " of " + runs.size + " runs");
}

function choose(name, on) {
  if (!on) { chosen.delete(name); return; }
  if (chosen.has(name)) return;
  const taken = new Set(chosen.values());
  let n = 0;
  while (taken.has(n)) n++;
  chosen.set(name, n);
}

function setFocus(name) {
  focus = name;
  choose(name, true);
  samplesKey = null;
}

// The run that is looked at

function tiles(run) {
  const state = stateOf(run), steps = run.iterations ? formatNumber(100 * run.iteration / run.iterations) + " %" : "";
  const epochs = run.iterations && run.iteration && run.epoch ? run.epoch / run.iteration * run.iterations : undefined;
  return [
    ["state", state, ""],
    ["epoch", formatNumber(run.epoch ?? 0), epochs ? "of " + formatNumber(epochs) : ""],
    ["step", (run.iteration || 0).toLocaleString("en"), steps],
    ["train error", percent(run.error), run.loss === undefined ? "" : "loss " + formatNumber(run.loss)],
    [(run.set || "test") + " error", percent(run.test_error),
      run.test_loss === undefined ? "" : "loss " + formatNumber(run.test_loss)],
    ["images/s", run.images_per_second === undefined ? "-" : formatNumber(Math.round(run.images_per_second)), ""],
    ["data wait", run.data_wait === undefined ? "-" : percent(100 * run.data_wait), ""],
    ["memory", run.memory ? formatBytes(run.memory) : "-", run.memory_peak ? "peak " + formatBytes(run.memory_peak) : ""],
    ["learning rate", run.lr === undefined ? "-" : formatNumber(run.lr), ""],
    ["ETA", state === "running" && run.eta !== undefined ? formatTime(run.eta) : "-", ""],
  ];
}

function showTiles() {
  const run = runs.get(focus), list = $("tiles");
  setText($("focus"), focus === null ? "no run yet" : focus + (run && run.model ? " (" + run.model + ")" : ""));
  $("message").hidden = !(run && run.message);
  setText($("message"), run && run.message || "");
  document.title = run ? stateOf(run) + " " + focus : "resnet";
  if (!run) { list.replaceChildren(); return; }
  tiles(run).forEach(([title, value, more], i) => {
    if (!list.children[i]) {
      const div = element("div");
      div.append(element("dt"), element("dd"));
      div.lastChild.append(element("span"), " ", element("small"));
      list.append(div);
    }
    setText(list.children[i].firstChild, title);
    setText(list.children[i].lastChild.firstChild, value);
    setText(list.children[i].lastChild.lastChild, more);
  });
}

function showCurves() {
  const axis = $("axis").value, quantity = $("quantity").value, weight = Number($("smoothing").value);
  const formats = {memory: formatBytes, error: (v) => formatNumber(v) + " %", data_wait: (v) => formatNumber(v) + " %"};
  const drawn = [];
  for (const name of chosen.keys()) {
    const data = curves.get(name);
    if (!data || data.quantity !== quantity) continue;
    for (const s of data.series) {
      const y = s.evaluated ? s.mean : smooth(s.mean, weight);
      drawn.push({x: s[axis], y, low: weight > 0 && !s.evaluated ? undefined : s.low, high: s.high,
        colour: colourOf(name), bold: s.evaluated, title: (chosen.size > 1 ? name + " " : "") + s.set});
    }
  }
  const text = (id) => $(id).selectedOptions[0].textContent;
  chart.set(drawn, {log: $("log").checked, time: axis === "seconds", format: formats[quantity] || formatNumber,
    xTitle: text("axis"), yTitle: text("quantity")});
  $("chart").setAttribute("aria-label", text("quantity") + " over " + text("axis") + " of " + chosen.size + " runs");
  $("legend").replaceChildren(...(chosen.size > 1 ? [...chosen.keys()].slice(0, 60) : []).map((name) => {
    const li = element("li"), line = element("span");
    line.style.background = colourOf(name);
    li.append(line, element("span", name));
    return li;
  }));
}

function showNotes() {
  const data = curves.get(focus), notes = data ? data.notes : [];
  $("notes-section").hidden = notes.length === 0;
  $("notes").replaceChildren(...notes.map((n) => element("li", "step " + n.iteration + ": " + n.text)).reverse());
}

// Pictures

function picture(sample) {
  const figure = element("figure", undefined, sample.right ? "right" : ""), image = element("img");
  const list = element("ol"), exact = sample.type === "png";
  if (/^[A-Za-z0-9+/]+=*$/.test(sample.data)) image.src = "data:image/" + (exact ? "png" : "jpeg") + ";base64," + sample.data;
  if (exact) image.className = "exact";
  image.alt = "test picture " + (sample.name || sample.index);
  image.title = image.alt;
  for (const guess of sample.guesses) {
    const li = element("li");
    li.append(element("span", guess.class), element("span", percent(100 * (guess.probability ?? NaN))));
    list.append(li);
  }
  figure.append(image, element("figcaption", (sample.right ? "\u2713 " : "\u2717 ") + sample.label), list);
  return figure;
}

async function loadSamples() {
  const run = runs.get(focus), key = run && focus + " " + run.test_error + " " + run.test_loss;
  if (!run || key === samplesKey) return;
  samplesKey = key;
  const name = focus, samples = (await ask("api/samples", {name})).samples;
  if (name !== focus || !Array.isArray(samples)) return;
  const mistakes = samples.filter((s) => s.mistake);
  $("samples").hidden = samples.length === 0;
  $("spread").replaceChildren(...samples.filter((s) => !s.mistake).map(picture));
  $("mistakes-title").hidden = mistakes.length === 0;
  $("mistakes").replaceChildren(...mistakes.map(picture));
}

// Asking

async function loadList() {
  let answer = await ask("api/runs", listVersion ? {since: listVersion} : {});
  clockAhead = answer.now - Date.now() / 1000;
  if (answer.unchanged) return;
  const found = answer.runs, version = answer.version;
  while (found.length < answer.total && answer.runs.length > 0) {
    answer = await ask("api/runs", {first: found.length});
    found.push(...answer.runs);
  }
  listVersion = answer.version === version ? version : null; // it changed between two pages
  const names = new Set(found.map((run) => run.name));
  for (const name of [...runs.keys()]) if (!names.has(name)) forget(name);
  for (const run of found) runs.set(run.name, run);
  setText($("folder"), answer.folder.split("/").pop() + (answer.truncated ? " (not all of its runs)" : ""));
  $("folder").title = answer.folder;
  if (focus === null || !runs.has(focus)) chooseFirst(answer.focus);
}

function forget(name) {
  for (const map of [runs, rows, curves, chosen]) map.delete(name);
}

function chooseFirst(wanted) {
  const latest = [...runs.values()].sort(orders.modified).slice(0, FIRST_CHOICE);
  if (wanted !== undefined && runs.has(wanted)) setFocus(wanted);
  else if (latest.length > 0) { setFocus(latest[0].name); for (const run of latest) choose(run.name, true); }
  else focus = null;
}

async function loadCurve(name, quantity) {
  const run = runs.get(name), have = curves.get(name);
  if (!run || (have && have.quantity === quantity && have.version === run.version)) return false;
  try {
    curves.set(name, await ask("api/run", {name, quantity}));
  } catch (error) {
    if (error.status === undefined) throw error;
    curves.set(name, {version: run.version, quantity, series: [], notes: []}); // not asked for again until it changes
  }
  return true;
}

async function loadCurves() {
  const quantity = $("quantity").value, queue = [focus, ...chosen.keys()].filter((n) => n !== null);
  let loaded = 0, next = 0; // the first at once
  const work = async () => {
    for (let name; (name = queue.shift()) !== undefined;) {
      if (!await loadCurve(name, quantity)) continue;
      loaded++;
      if (performance.now() < next) continue;
      const start = performance.now();
      showCurves();
      next = performance.now() + Math.max(REDRAW, 5 * (performance.now() - start));
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, work));
  showCurves();
  if (loaded > 0) { showNotes(); performance.mark("curves"); }
}

async function poll() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  try {
    await loadList();
    showList();
    showTiles();
    performance.mark("list");
    await loadCurves();
    await loadSamples();
    delay = POLL;
    setText($("link"), document.hidden ? "paused" : "live");
    $("link").className = "";
  } catch (error) {
    delay = Math.min(2 * delay, SLOWEST_POLL);
    setText($("link"), error.status === undefined ? "no connection" : error.message);
    $("link").className = "lost";
  }
  asking = false;
  if (!document.hidden) timer = setTimeout(poll, delay);
}

// A change by the user: shown at once, and asked for if need be.
function changed() {
  showList();
  showTiles();
  showCurves();
  showNotes();
  poll();
}

for (const id of ["filter", "order"]) $(id).addEventListener("input", showList);
for (const id of ["axis", "log", "smoothing"]) $(id).addEventListener("input", () => {
  if (id === "axis") chart.zoomTo(null);
  showCurves();
});
$("quantity").addEventListener("input", changed);
$("check-shown").addEventListener("click", () => { for (const run of shown()) choose(run.name, true); changed(); });
$("check-none").addEventListener("click", () => { chosen.clear(); if (focus !== null) choose(focus, true); changed(); });
$("whole").addEventListener("click", () => chart.zoomTo(null));
chart.onzoom = (on) => { $("whole").hidden = !on; };
document.addEventListener("visibilitychange", () => { if (!document.hidden) { delay = POLL; poll(); } });
poll();
