// Curves on a canvas: what is drawn, and what is under the pointer. Knows nothing of runs.
"use strict";

const DAY = 86400;

function formatNumber(value) {
  if (value === null || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}

function formatTime(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  const days = s >= 2 * DAY ? Math.floor(s / DAY) + " d " : "";
  const rest = days ? s % DAY : s;
  const hours = Math.floor(rest / 3600), minutes = Math.floor(rest / 60) % 60;
  return days + (hours || days ? hours + ":" + two(minutes) : minutes) + ":" + two(rest % 60);
}

function formatBytes(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let k = 0;
  for (; bytes >= 1024 && k < units.length - 1; k++) bytes /= 1024;
  return Number(bytes.toPrecision(4)) + " " + units[k];
}

// Round numbers, 1, 2 or 5 times a power of ten apart (of time: that people count in).
function linearTicks(low, high, most, time) {
  const rough = (high - low) / Math.max(1, most), power = 10 ** Math.floor(Math.log10(rough));
  const steps = time ? [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200, DAY, 2 * DAY, 7 * DAY]
    : [1, 2, 5, 10].map((s) => s * power);
  const step = steps.find((s) => s >= rough) || steps[steps.length - 1] * Math.ceil(rough / steps[steps.length - 1]);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12) && ticks.length < 50; k++) ticks.push(k * step);
  return ticks;
}

function logTicks(low, high, most) {
  const ticks = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.log10(high); p++)
    for (const s of [1, 2, 5]) ticks.push(s * 10 ** p);
  const inside = ticks.filter((t) => t >= low && t <= high);
  const whole = inside.filter((t) => Math.abs(Math.log10(t) - Math.round(Math.log10(t))) < 1e-9);
  return inside.length <= most + 2 || whole.length < 2 ? inside : whole;
}

// Moving average whose first values are not drawn towards 0.
function smooth(values, weight) {
  if (weight <= 0) return values;
  let sum = 0, share = 0;
  return values.map((v) => {
    if (v === null) return null;
    sum = weight * sum + (1 - weight) * v;
    share = weight * share + (1 - weight);
    return sum / share;
  });
}

// Of n numbers the means of `stride` at a time; x stays that of the last.
function thin(values, stride, last) {
  const out = [];
  for (let i = 0; i < values.length; i += stride) {
    const part = values.slice(i, i + stride);
    const numbers = last ? part.slice(-1) : part.filter((v) => v !== null);
    out.push(numbers.length === 0 ? null : numbers.reduce((sum, v) => sum + v, 0) / numbers.length);
  }
  return out;
}

// As many points as a browser draws at once, however many curves share them.
function thinCurve(curve, most) {
  const stride = Math.ceil(curve.x.length / most);
  return stride <= 1 ? curve
    : {...curve, x: thin(curve.x, stride, true), y: thin(curve.y, stride, false), low: undefined, high: undefined};
}

const MOST_POINTS = 30000, FEWEST_POINTS = 30, MOST_BANDS = 12, PIECE = 100;

class Chart {
  // curves: {x: [], y: [], low: [] or undefined, high, colour, bold, title}
  constructor(canvas, reading) {
    this.canvas = canvas;
    this.reading = reading;
    this.hint = reading.textContent;
    this.curves = [];
    this.options = {log: false, time: false, format: formatNumber, xTitle: "", yTitle: ""};
    this.zoom = null; // [low, high] of x
    this.cursor = null; // x
    this.drag = null;
    this.onzoom = () => {};
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("pointermove", (e) => this.point(this.toX(e.offsetX)));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("pointerdown", (e) => { this.drag = e.button === 0 ? this.toX(e.offsetX) : null; });
    canvas.addEventListener("pointerup", (e) => this.drop(this.toX(e.offsetX)));
    canvas.addEventListener("dblclick", () => this.zoomTo(null));
    canvas.addEventListener("keydown", (e) => this.key(e));
  }

  set(curves, options) {
    const most = Math.max(FEWEST_POINTS, Math.floor(MOST_POINTS / Math.max(1, curves.length)));
    this.curves = curves.map((c) => thinCurve(c, most));
    this.options = options;
    this.draw();
  }

  zoomTo(range) {
    this.zoom = range;
    this.onzoom(range !== null);
    this.draw();
  }

  toX(pixel) {
    const f = this.frame;
    if (!f) return null;
    return f.x0 + (Math.min(f.right, Math.max(f.left, pixel)) - f.left) / (f.right - f.left) * (f.x1 - f.x0);
  }

  drop(x) {
    const from = this.drag;
    this.drag = null;
    if (from === null || x === null || !this.frame) return;
    if (Math.abs(x - from) > 0.02 * (this.frame.x1 - this.frame.x0)) this.zoomTo([Math.min(x, from), Math.max(x, from)]);
    else this.draw();
  }

  key(event) {
    const f = this.frame;
    if (!f) return;
    const step = (f.x1 - f.x0) / 50, from = this.cursor === null ? f.x1 : this.cursor;
    const moves = {ArrowLeft: from - step, ArrowRight: from + step, Home: f.x0, End: f.x1};
    if (event.key === "Escape") this.zoomTo(null);
    else if (event.key in moves) this.point(Math.min(f.x1, Math.max(f.x0, moves[event.key])));
    else return;
    event.preventDefault();
  }

  point(x) {
    this.cursor = x;
    this.draw();
    this.read();
  }

  // The point of a curve that lies nearest to x.
  nearest(curve, x) {
    let low = 0, high = curve.x.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (curve.x[middle] < x) low = middle; else high = middle;
    }
    return Math.abs(curve.x[low] - x) <= Math.abs(curve.x[high] - x) ? low : high;
  }

  read() {
    const o = this.options;
    if (this.cursor === null || this.curves.length === 0) {
      this.reading.textContent = this.hint;
      return;
    }
    const at = o.time ? formatTime(this.cursor) : formatNumber(this.cursor);
    const texts = this.curves.filter((c) => c.x.length > 0).slice(0, 12).map((c) => {
      const value = c.y[this.nearest(c, this.cursor)];
      return c.title + " " + (value === null ? "-" : o.format(value));
    });
    this.reading.textContent = o.xTitle + " " + at + ": " + texts.join(", ") + (this.curves.length > 12 ? ", ..." : "");
  }

  range() {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    const values = [];
    for (const c of this.curves)
      for (let i = 0; i < c.x.length; i++) {
        const x = c.x[i], y = c.y[i];
        if (x === null || (this.zoom && (x < this.zoom[0] || x > this.zoom[1]))) continue;
        x0 = Math.min(x0, x);
        x1 = Math.max(x1, x);
        if (y === null || (this.options.log && y <= 0)) continue;
        y0 = Math.min(y0, y);
        y1 = Math.max(y1, y);
      }
    if (this.zoom) [x0, x1] = this.zoom;
    else if (x0 > 0 && x0 < 0.2 * x1) x0 = 0;
    if (!(y0 <= y1)) return null;
    if (x0 === x1) x1 = x0 + 1;
    if (this.options.log) return {x0, x1, y0: y0 / 1.1, y1: y1 * 1.1};
    const room = (y1 - y0) * 0.05 || Math.abs(y1) * 0.05 || 1;
    return {x0, x1, y0: y0 >= 0 ? Math.max(0, y0 - room) : y0 - room, y1: y1 + room};
  }

  draw() {
    const box = this.canvas.getBoundingClientRect(), scale = devicePixelRatio || 1;
    const width = Math.round(box.width), height = Math.round(box.height);
    if (width === 0) return;
    this.canvas.width = width * scale;
    this.canvas.height = height * scale;
    const g = this.canvas.getContext("2d"), style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    g.scale(scale, scale);
    g.font = "12px system-ui, sans-serif";
    const r = this.range();
    this.frame = r && {left: 62, right: width - 12, top: 24, bottom: height - 36, ...r};
    if (!this.frame) {
      g.fillStyle = colour("--soft");
      g.fillText("nothing measured yet", 70, height / 2);
      return;
    }
    this.drawAxes(g, colour);
    g.save();
    g.beginPath();
    g.rect(this.frame.left, this.frame.top, this.frame.right - this.frame.left, this.frame.bottom - this.frame.top);
    g.clip();
    for (const c of this.curves) if (!c.bold) this.drawCurve(g, c);
    for (const c of this.curves) if (c.bold) this.drawCurve(g, c);
    g.restore();
    this.drawCursor(g, colour);
  }

  px(x) {
    const f = this.frame;
    return f.left + (x - f.x0) / (f.x1 - f.x0) * (f.right - f.left);
  }

  py(y) {
    const f = this.frame, log = this.options.log;
    const share = log ? Math.log(y / f.y0) / Math.log(f.y1 / f.y0) : (y - f.y0) / (f.y1 - f.y0);
    return f.bottom - share * (f.bottom - f.top);
  }

  drawAxes(g, colour) {
    const f = this.frame, o = this.options;
    const xs = linearTicks(f.x0, f.x1, (f.right - f.left) / 90, o.time);
    const most = (f.bottom - f.top) / 40;
    const ys = o.log ? logTicks(f.y0, f.y1, most) : linearTicks(f.y0, f.y1, most, false);
    g.strokeStyle = colour("--line");
    g.lineWidth = 1;
    g.beginPath();
    for (const x of xs) { g.moveTo(this.px(x), f.top); g.lineTo(this.px(x), f.bottom); }
    for (const y of ys) { g.moveTo(f.left, this.py(y)); g.lineTo(f.right, this.py(y)); }
    g.stroke();
    g.fillStyle = colour("--soft");
    g.textBaseline = "middle";
    g.textAlign = "right";
    for (const y of ys) g.fillText(o.format(y), f.left - 6, this.py(y));
    g.textBaseline = "top";
    g.textAlign = "center";
    for (const x of xs) g.fillText(o.time ? formatTime(x) : formatNumber(x), this.px(x), f.bottom + 5);
    g.textAlign = "right";
    g.fillText(o.xTitle, f.right, f.bottom + 20);
    g.textAlign = "left";
    g.fillText(o.yTitle, f.left - 40, 2);
  }

  drawCurve(g, c) {
    g.strokeStyle = g.fillStyle = c.colour;
    if (c.low && this.curves.length <= MOST_BANDS) this.drawBand(g, c);
    g.globalAlpha = c.bold ? 1 : 0.75;
    g.lineWidth = c.bold ? 2.5 : 1.2;
    g.lineJoin = "bevel";
    g.beginPath();
    let drawn = 0, pen = false, last = null;
    for (let i = 0; i < c.x.length; i++) {
      const y = c.y[i];
      if (c.x[i] === null || y === null || (this.options.log && y <= 0)) { pen = false; continue; }
      if (pen && drawn % PIECE === 0) { // long paths take browsers more than their share
        g.stroke();
        g.beginPath();
        g.moveTo(...last);
      }
      last = [this.px(c.x[i]), this.py(y)];
      if (pen) g.lineTo(...last); else g.moveTo(...last);
      pen = true;
      drawn++;
    }
    g.stroke();
    g.globalAlpha = 1;
    if (last && (c.bold || drawn === 1)) { g.beginPath(); g.arc(...last, 3, 0, 7); g.fill(); }
  }

  // From the lowest to the highest of the values that share a point.
  drawBand(g, c) {
    const floor = this.options.log ? this.frame.y0 : -Infinity;
    const inside = c.x.map((_, i) => i).filter((i) => c.x[i] !== null && c.low[i] !== null);
    g.globalAlpha = 0.13;
    g.beginPath();
    for (const i of inside) g.lineTo(this.px(c.x[i]), this.py(Math.max(floor, c.low[i])));
    for (const i of inside.reverse()) g.lineTo(this.px(c.x[i]), this.py(Math.max(floor, c.high[i])));
    g.fill();
    g.globalAlpha = 1;
  }

  drawCursor(g, colour) {
    const f = this.frame;
    if (this.cursor === null) return;
    if (this.drag !== null) {
      g.fillStyle = colour("--accent");
      g.globalAlpha = 0.15;
      g.fillRect(this.px(this.drag), f.top, this.px(this.cursor) - this.px(this.drag), f.bottom - f.top);
      g.globalAlpha = 1;
    }
    g.strokeStyle = colour("--soft");
    g.lineWidth = 1;
    g.beginPath();
    g.moveTo(this.px(this.cursor), f.top);
    g.lineTo(this.px(this.cursor), f.bottom);
    g.stroke();
  }
}
