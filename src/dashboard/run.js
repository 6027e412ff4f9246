// What the page shows of the run that is looked at: numbers, notes, pictures. Whatever comes from a run's folder is put
// in as text, never as markup.
"use strict";

// Seconds of training; they go on between two lines.
function elapsedOf(run, data) {
  return data.seconds + (stateOf(run) === "running" ? Math.max(0, ageOf(data)) : 0);
}

function beginOf(data) {
  const time = new Date(data.started);
  return isNaN(time) ? "" : (data.resumed > 0 ? "resumed " : "begun ")
    + time.toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
}

function tiles(run, data) {
  const state = stateOf(run), steps = run.iterations ? formatNumber(100 * run.iteration / run.iterations) + " %" : "";
  const left = Math.max(0, run.eta - ageOf(run)); // it goes on between two lines
  const tested = [bestOf(run) === undefined ? "" : "best " + percent(bestOf(run)),
    run.test_loss === undefined ? "" : "loss " + formatNumber(run.test_loss)];
  const epochs = run.iterations && run.iteration && run.epoch ? run.epoch / run.iteration * run.iterations : undefined;
  return [
    ["state", state, ""],
    ["epoch", formatNumber(run.epoch ?? 0), epochs ? "of " + formatNumber(epochs) : ""],
    ["step", (run.iteration || 0).toLocaleString("en"), steps],
    ["train error", percent(run.error), run.loss === undefined ? "" : "loss " + formatNumber(run.loss)],
    [(run.set || "test") + " error", percent(run.test_error), tested.filter(Boolean).join(", ")],
    ["images/s", formatSpeed(run.images_per_second), ""],
    ["data wait", run.data_wait === undefined ? "-" : percent(100 * run.data_wait), ""],
    ["memory", run.memory ? formatBytes(run.memory) : "-", run.memory_peak ? "peak " + formatBytes(run.memory_peak) : ""],
    ["learning rate", run.lr === undefined ? "-" : formatNumber(run.lr), ""],
    ["elapsed", data.seconds === undefined ? "-" : formatTime(elapsedOf(run, data)), beginOf(data)],
    ["ETA", state === "running" && run.eta !== undefined ? formatTime(left) : "-", ""],
  ];
}

function aboutOf(data) {
  const parts = data.recipe ? ["recipe " + data.recipe] : [];
  if (data.resumed > 0) parts.push("resumed " + (data.resumed === 1 ? "once" : data.resumed + " times"));
  return parts.join(" \u00b7 ");
}

// A paragraph that is there when it says something.
function showLine(id, text) {
  $(id).hidden = text === "";
  setText($(id), text);
}

function showTiles() {
  const run = runs.get(focus), data = curves.get(focus) || {}, list = $("tiles");
  const error = run && (run.message || data.error) || "";
  setText($("focus"), focus === null ? "no run yet" : nameOf(focus) + (run && run.model ? " (" + run.model + ")" : ""));
  showLine("about", run ? aboutOf(data) : "");
  showLine("message", error);
  document.title = run ? stateOf(run) + " " + run.name : "resnet";
  if (!run) { list.replaceChildren(); return; }
  tiles(run, data).forEach(([title, value, more], i) => {
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

function showNotes() {
  const notes = (curves.get(focus) || {notes: []}).notes.map((n) => "step " + n.iteration + ": " + n.text).reverse();
  $("notes-section").hidden = notes.length === 0;
  if ($("notes").textContent === notes.join("")) return;
  $("notes").replaceChildren(...notes.map((text) => element("li", text)));
}

// Pictures

function picture(sample) {
  const figure = element("figure", undefined, sample.right ? "right" : ""), image = element("img");
  const list = element("ol"), exact = sample.type === "png";
  if (typeof sample.data === "string" && /^[A-Za-z0-9+/]+=*$/.test(sample.data))
    image.src = "data:image/" + (exact ? "png" : "jpeg") + ";base64," + sample.data;
  if (exact) image.className = "exact";
  image.alt = "picture " + (sample.name || sample.index);
  image.title = image.alt;
  for (const guess of Array.isArray(sample.guesses) ? sample.guesses.filter(Boolean) : []) {
    const li = element("li");
    li.append(element("span", guess.class ?? "?"), element("span", percent(100 * (guess.probability ?? NaN))));
    list.append(li);
  }
  figure.append(image, element("figcaption", (sample.right ? "\u2713 " : "\u2717 ") + (sample.label ?? "?")), list);
  return figure;
}

// Which evaluation says so: the list may know of a later one.
function showSamples(samples, answer) {
  const mistakes = samples.filter((s) => s.mistake);
  $("spread").replaceChildren(...samples.filter((s) => !s.mistake).map(picture));
  $("mistakes-title").hidden = mistakes.length === 0;
  $("mistakes").replaceChildren(...mistakes.map(picture));
  $("samples").hidden = samples.length === 0;
  const of = typeof answer.set === "string" ? [answer.set] : [];
  if (Number.isFinite(answer.iteration)) of.push("step " + formatNumber(answer.iteration));
  if (Number.isFinite(answer.epoch)) of.push("epoch " + formatNumber(answer.epoch));
  setText($("samples-of"), of.join(", "));
}

// Those of another run do not stay.
function hideSamples() {
  $("samples").hidden = true;
  samplesKey = samplesOf = null;
}
