// The dashboard: asks for what has changed, and shows it. Whatever comes from a run's folder is put
// in as text, never as markup.
"use strict";

const POLL = 2000, SLOWEST_POLL = 30000, PATIENCE = 30000, AT_ONCE = 4, SILENT = 600, FIRST_CHOICE = 4, REDRAW = 700,
  MOST_LEGEND = 60, SAVE = 200;
const COLOURS = ["#2f7ed8", "#e8701a", "#2ca25f", "#c4426b", "#8b62c9", "#b59b00", "#1aa6b7", "#9c6b4e", "#7a8b99",
  "#d34fc0"];
const SETS = ["test", "validation", "test (ema)", "validation (ema)"];
const DASHES = [ // of a set, in the first, second and third round of the colours
  [[], [12, 4], [12, 3, 3, 3]],
  [[6, 3], [6, 3, 2, 3], [6, 3, 2, 3, 2, 3]],
  [[2, 3], [2, 6], [2, 3, 2, 8]],
  [[1, 2, 6, 2], [1, 2, 12, 2], [1, 2, 6, 6]],
];
const token = new URLSearchParams(location.search).get("token");
const $ = (id) => document.getElementById(id);

const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
const runs = new Map(); // id -> as /api/runs has it
const rows = new Map(); // id -> {li, ...}
const curves = new Map(); // id -> as /api/run has it
const chosen = new Map(); // id -> colour number
const taken = new Set(); // these numbers
const chart = new Chart($("chart"), $("reading"));
let focus = null, listVersion = null, clockAhead = 0, samplesKey = null, samplesOf = null, folder = "";
let lowestFree = 0, outdated = true; // the first number that may be free; what is drawn is not what is chosen
let delay = POLL, timer = null, asking = false, again = false; // again: the user has changed what is to be asked for
let seen = null, lost = false, ending = false; // when there was an answer last; no connection; the server is about to go

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

// Errors have `lost` set where there is no connection, or one that gives nothing.
async function ask(path, parameters, id) {
  const query = (id === undefined ? "" : "name=" + id + "&") + new URLSearchParams(parameters);
  const patience = new AbortController(), alarm = setTimeout(() => patience.abort(), PATIENCE);
  let response, text;
  try {
    response = await fetch(path + "?" + query,
      {signal: patience.signal, headers: token ? {Authorization: "Bearer " + token} : {}});
    text = await response.text();
  } catch {
    throw Object.assign(new Error("no connection"), {lost: true});
  } finally {
    clearTimeout(alarm);
  }
  const answer = JSON.parse(text);
  if (!response.ok) throw Object.assign(new Error(answer.error || response.statusText), {status: response.status});
  return answer;
}

// What a run is called and how it stands

// Seconds since the log was written to, as the list or a curve has it.
function ageOf(run) {
  return Date.now() / 1000 + clockAhead - run.modified;
}

function stateOf(run) {
  if (run.state !== "running") return run.state;
  if (lost) return "unknown";
  return ageOf(run) > Math.max(SILENT, 5 * (run.interval || 0)) ? "silent" : "running";
}

function nameOf(id) {
  return runs.has(id) ? runs.get(id).name : "";
}

function colourOf(id) {
  const n = chosen.get(id);
  return n === undefined ? "transparent" : COLOURS[n % COLOURS.length];
}

function dashOf(id, set) {
  const n = Math.floor((chosen.get(id) || 0) / COLOURS.length), k = SETS.indexOf(set);
  return DASHES[set === "train" ? 0 : k < 0 ? DASHES.length - 1 : k][n % DASHES[0].length];
}

// The lowest error of an evaluation, of the log as it is.
function bestOf(run) {
  const data = curves.get(run.id);
  return data && (chosen.has(run.id) || data.version === run.version) ? data.best : undefined;
}

function percent(value) {
  return Number.isFinite(value) ? value.toFixed(2) + " %" : "-";
}

function formatSpeed(value) {
  return value === undefined ? "-" : formatNumber(value < 100 ? Number(value.toPrecision(3)) : Math.round(value));
}

function facts(run) {
  const parts = [];
  if (run.test_error !== undefined) parts.push((run.set || "test") + " " + percent(run.test_error));
  if (bestOf(run) !== undefined) parts.push("best " + percent(bestOf(run)));
  if (run.epoch !== undefined) parts.push("epoch " + formatNumber(run.epoch));
  if (run.model) parts.push(run.model);
  return parts.join(" · ");
}

// The list

function makeRow(id) {
  const name = nameOf(id);
  const row = {li: element("li"), box: element("input"), swatch: element("span", "", "swatch"),
    button: element("button", name), state: element("span", "", "state"), facts: element("span", "", "facts")};
  row.box.type = "checkbox";
  row.box.setAttribute("aria-label", "compare " + name);
  row.box.addEventListener("change", () => { choose(id, row.box.checked); changed(); });
  row.button.type = "button";
  row.button.title = name;
  row.button.addEventListener("click", () => { setFocus(id); changed(); });
  row.li.append(row.box, row.swatch, row.button, row.state, row.facts);
  rows.set(id, row);
  return row;
}

function updateRow(id) {
  const row = rows.get(id) || makeRow(id), run = runs.get(id), state = stateOf(run), text = facts(run);
  const all = [state, chosen.get(id), id === focus, text].join(" ");
  if (row.all === all) return; // there may be thousands
  row.all = all;
  setText(row.state, state);
  row.state.className = "state " + state;
  setText(row.facts, text);
  row.box.checked = chosen.has(id);
  row.swatch.style.background = colourOf(id);
  row.li.className = id === focus ? "focus" : "";
  row.button.setAttribute("aria-current", id === focus);
}

const names = new Intl.Collator(undefined, {numeric: true});
const orders = {
  modified: (a, b) => b.modified - a.modified,
  name: (a, b) => names.compare(a.name, b.name),
  error: (a, b) => (a.test_error ?? Infinity) - (b.test_error ?? Infinity),
};

function shown() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean), order = orders[$("order").value];
  return [...runs.values()].filter((run) => {
    const text = (run.name + " " + run.model + " " + stateOf(run)).toLowerCase();
    return words.every((w) => text.includes(w));
  }).sort((a, b) => order(a, b) || orders.name(a, b));
}

function showList() {
  const list = $("runs"), wanted = shown();
  for (const run of wanted) updateRow(run.id);
  const nodes = wanted.map((run) => rows.get(run.id).li);
  if (nodes.length !== list.children.length || nodes.some((n, i) => list.children[i] !== n)) {
    const active = document.activeElement;
    list.replaceChildren(...nodes);
    if (list.contains(active)) active.focus({preventScroll: true});
  }
  setText($("counted"), nodes.length === runs.size ? runs.size + (runs.size === 1 ? " run" : " runs")
    : nodes.length + " of " + runs.size + " runs");
}

// Each gets the lowest number that is free.
function choose(id, on) {
  if (on === chosen.has(id)) return;
  outdated = true;
  if (on) {
    while (taken.has(lowestFree)) lowestFree++;
    taken.add(lowestFree);
    chosen.set(id, lowestFree);
  } else {
    lowestFree = Math.min(lowestFree, chosen.get(id));
    taken.delete(chosen.get(id));
    chosen.delete(id);
  }
}

function setFocus(id) {
  focus = id;
  choose(id, true);
}

// Curves

function drawnCurves() {
  const axis = $("axis").value, quantity = $("quantity").value, weight = Number($("smoothing").value), drawn = [];
  for (const id of chosen.keys()) {
    const data = curves.get(id);
    if (!data || data.quantity !== quantity) continue;
    for (const s of data.series) {
      const y = s.evaluated ? s.mean : smooth(s.mean, weight);
      drawn.push({x: s[axis], y, low: weight > 0 && !s.evaluated ? undefined : s.low, high: s.high, set: s.set,
        colour: colourOf(id), dash: dashOf(id, s.set), bold: s.evaluated,
        title: (chosen.size > 1 ? nameOf(id) + " " : "") + s.set});
    }
  }
  return drawn;
}

function showCurves() {
  const axis = $("axis").value, quantity = $("quantity").value, drawn = drawnCurves();
  const formats = {memory: formatBytes, error: percent, data_wait: percent, images_per_second: formatSpeed};
  const share = (v, step) => formatNumber(v, step) + " %";
  const ticks = {memory: formatBytes, error: share, data_wait: share};
  const text = (id) => $(id).selectedOptions[0].textContent;
  chart.set(drawn, {log: $("log").checked, time: axis === "seconds", bytes: quantity === "memory",
    format: formats[quantity] || formatNumber, tick: ticks[quantity] || formatNumber, xTitle: text("axis"),
    yTitle: text("quantity")});
  $("chart").setAttribute("aria-label", text("quantity") + " over " + text("axis") + " of " + chosen.size + " runs");
  showLegend(drawn);
  outdated = false;
}

// A piece of the line, and what it stands for.
function legendItem(text, colour, dash, bold) {
  const li = element("li"), piece = $("piece").content.cloneNode(true), line = piece.querySelector("line");
  line.setAttribute("stroke", colour);
  line.setAttribute("stroke-width", bold ? 2.5 : 1.2);
  line.setAttribute("stroke-dasharray", dash.join(" ") || "none");
  li.append(piece, element("span", text));
  return li;
}

// Runs by colour, and by dashes where these are used up; sets by dashes.
function showLegend(drawn) {
  const ids = [...chosen.keys()], sets = new Map(), several = ids.length > 1;
  for (const c of drawn) if (!sets.has(c.set)) sets.set(c.set, c);
  const items = several ? ids.slice(0, MOST_LEGEND).map((id) =>
    legendItem(nameOf(id), colourOf(id), dashOf(id, "test"), true)) : [];
  if (ids.length > MOST_LEGEND) items.push(element("li", "and " + (ids.length - MOST_LEGEND) + " more"));
  for (const [set, c] of sets)
    items.push(legendItem(set, several ? "currentColor" : c.colour, several ? dashOf(null, set) : c.dash, c.bold));
  $("legend").replaceChildren(...items);
}

// Asking

async function loadList() {
  let answer = await ask("api/runs", listVersion ? {page, since: listVersion} : {page});
  clockAhead = answer.now - Date.now() / 1000;
  ending = answer.ending;
  if (answer.unchanged) return;
  const found = answer.runs, version = answer.version;
  while (found.length < answer.total && answer.runs.length > 0) {
    answer = await ask("api/runs", {first: found.length});
    found.push(...answer.runs);
  }
  listVersion = answer.version === version ? version : null; // it changed between two pages
  const ids = new Set(found.map((run) => run.id));
  for (const id of [...runs.keys()]) if (!ids.has(id)) forget(id);
  for (const run of found) runs.set(run.id, run);
  folder = answer.folder;
  setText($("folder"), folder.split("/").pop() + (answer.truncated ? " (not all of its runs)" : ""));
  $("folder").title = folder;
  if (focus === null || !runs.has(focus)) chooseFirst(answer.focus);
}

function forget(id) {
  choose(id, false);
  for (const map of [runs, rows, curves]) map.delete(id);
}

function chooseFirst(wanted) {
  const latest = [...runs.values()].sort(orders.modified).slice(0, FIRST_CHOICE);
  focus = null;
  if (applyChoice()) return;
  if (wanted !== undefined && runs.has(wanted)) setFocus(wanted);
  else if (latest.length > 0) { setFocus(latest[0].id); for (const run of latest) choose(run.id, true); }
}

async function loadCurve(id, quantity) {
  const run = runs.get(id), have = curves.get(id);
  if (!run || (have && have.quantity === quantity && have.version === run.version)) return false;
  try {
    const data = await ask("api/run", {quantity}, id);
    if (!runs.has(id)) return false;
    curves.set(id, data);
  } catch (error) {
    if (error.lost) throw error;
    // not asked for again until it changes
    curves.set(id, {version: run.version, quantity, series: [], notes: [], error: error.message});
  }
  return true;
}

async function loadCurves() {
  const quantity = $("quantity").value, queue = [...new Set([focus, ...chosen.keys()])].filter((id) => id !== null);
  let loaded = 0, next = 0; // the first at once
  const work = async () => {
    for (let id; !again && (id = queue.shift()) !== undefined;) {
      if (!await loadCurve(id, quantity)) continue;
      loaded++;
      if (performance.now() < next) continue;
      const start = performance.now();
      showCurves();
      next = performance.now() + Math.max(REDRAW, 5 * (performance.now() - start));
    }
  };
  await Promise.all(Array.from({length: AT_ONCE}, work));
  if (loaded > 0 || outdated) showCurves();
  if (loaded > 0) { showList(); showTiles(); showNotes(); performance.mark("curves"); }
}

async function loadSamples() {
  const run = runs.get(focus), id = focus;
  const key = run && id + " " + run.test_iteration + " " + run.test_error + " " + run.test_loss;
  if (!run || key === samplesKey) return;
  try {
    const answer = await ask("api/samples", {}, id);
    if (id !== focus) return;
    showSamples(Array.isArray(answer.samples) ? answer.samples.filter((s) => s && typeof s === "object") : [], answer);
    samplesOf = id;
    samplesKey = key;
  } catch (error) {
    if (error.lost) throw error;
    if (id === focus) hideSamples();
  }
}

async function loadAll() {
  const before = ending;
  await loadList();
  lost = false;
  seen = new Date();
  if (samplesOf !== focus) hideSamples();
  showList();
  showTiles();
  showNotes();
  performance.mark("list");
  await loadCurves();
  await loadSamples();
  delay = POLL;
  setText($("link"), document.hidden ? "paused" : "live");
  $("link").className = "";
  if (ending && !before) again = true; // the server waits to hear that we have all
}

// What to do when the server has gone, for good as it may be.
function farewell() {
  if (seen === null) return "no connection";
  const time = seen.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});
  const word = /^[\w./~-]+$/.test(folder) ? folder : "'" + folder.replaceAll("'", "'\\''") + "'";
  return (ending ? "the training has ended" : "last seen " + time) + "; to look at it again: resnet dashboard " + word;
}

function showFailure(error) {
  delay = Math.min(2 * delay, SLOWEST_POLL);
  lost = error.lost === true;
  setText($("link"), lost ? farewell() : error.message);
  $("link").className = "lost";
  showList();
  showTiles();
}

async function poll() {
  if (asking) { again = true; return; }
  asking = true;
  clearTimeout(timer);
  do {
    again = false;
    await loadAll().catch(showFailure);
  } while (again && !lost);
  asking = false;
  if (!document.hidden) timer = setTimeout(poll, delay);
}

// What the user has chosen stands in the address, so that it can be kept and passed on.

const FIELDS = ["filter", "order", "quantity", "axis", "smoothing"];
let saving = null;

// Soon: browsers refuse what changes all the time, as under a slider.
function saveChoice() {
  clearTimeout(saving);
  saving = setTimeout(writeAddress, SAVE);
}

function writeAddress() {
  const parts = FIELDS.filter((id) => $(id).value !== ($(id).options ? $(id).options[0].value : $(id).defaultValue))
    .map((id) => id + "=" + encodeURIComponent($(id).value));
  if ($("log").checked) parts.push("log=1");
  if (chart.zoom) parts.push("zoom=" + chart.zoom.join(","));
  if (focus !== null) parts.push("run=" + focus, "with=" + [...chosen.keys()].slice(0, MOST_LEGEND).join(","));
  else for (const key of ["run", "with"]) if (wished.has(key)) parts.push(key + "=" + wished.get(key)); // not yet there
  history.replaceState(null, "", "#" + parts.join("&"));
}

const wished = new Map(location.hash.slice(1).split("&").map((part) => part.split(/=(.*)/s).slice(0, 2)));

function applyFields() {
  for (const id of FIELDS) {
    if (!wished.has(id)) continue;
    const before = $(id).value;
    let value;
    try { value = decodeURIComponent(wished.get(id)); } catch { continue; }
    $(id).value = value;
    if ($(id).value !== value) $(id).value = before; // no such choice
  }
  $("log").checked = wished.get("log") === "1";
  const zoom = (wished.get("zoom") || "").split(",").map(Number);
  if (zoom.length === 2 && zoom[0] < zoom[1]) chart.zoomTo(zoom);
}

// Whether the address names a run that there is; once.
function applyChoice() {
  const id = wished.get("run"), others = (wished.get("with") || "").split(",");
  if (runs.size > 0) wished.clear();
  if (!runs.has(id)) return false;
  setFocus(id);
  for (const other of others) if (runs.has(other)) choose(other, true);
  return true;
}

// A change by the user: shown at once, and asked for if need be.
function changed() {
  if (samplesOf !== focus) hideSamples();
  showList();
  showTiles();
  showCurves();
  showNotes();
  poll();
  saveChoice();
}

for (const id of ["filter", "order"]) $(id).addEventListener("input", () => { showList(); saveChoice(); });
for (const id of ["axis", "log", "smoothing"]) $(id).addEventListener("input", () => {
  if (id === "axis") chart.zoomTo(null);
  showCurves();
  saveChoice();
});
$("quantity").addEventListener("input", changed);
$("check-shown").addEventListener("click", () => { for (const run of shown()) choose(run.id, true); changed(); });
$("check-none").addEventListener("click", () => {
  for (const id of [...chosen.keys()]) choose(id, false);
  if (focus !== null) choose(focus, true);
  changed();
});
$("whole").addEventListener("click", () => chart.zoomTo(null));
document.addEventListener("visibilitychange", () => { if (!document.hidden) { delay = POLL; poll(); } });
addEventListener("hashchange", () => location.reload()); // another address was typed in: replaceState() is silent
applyFields();
$("whole").hidden = chart.zoom === null;
chart.onzoom = () => { $("whole").hidden = chart.zoom === null; saveChoice(); };
poll();
