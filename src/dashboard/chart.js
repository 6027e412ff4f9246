// Curves on a canvas: what is drawn, and what is under the pointer. Knows nothing of runs.
"use strict";

const DAY = 86400;

// As many digits as tell a number from those that are a step away, where there are steps.
function digitsOf(size, step) {
  const apart = step > 0 && size > 0 ? 2 + Math.floor(Math.log10(size)) - Math.floor(Math.log10(step)) : 0;
  return Math.min(15, Math.max(4, apart));
}

function formatNumber(value, step) {
  if (value === null || !Number.isFinite(value)) return "";
  const size = Math.abs(value), shown = Number(value.toPrecision(digitsOf(size, step)));
  if (Number.isInteger(value) && size < 1e12) return size < 1e4 ? String(value) : value.toLocaleString("en");
  if (size === 0 || (size >= 1e-3 && size < 1e7)) return String(shown);
  return (step > 0 ? shown.toExponential() : value.toExponential(2)).replace("e+", "e");
}

function formatTime(seconds) {
  const s = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  const days = s >= 2 * DAY ? Math.floor(s / DAY) + " d " : "";
  const rest = days ? s % DAY : s;
  const hours = Math.floor(rest / 3600), minutes = Math.floor(rest / 60) % 60;
  return days + (hours || days ? hours + ":" + two(minutes) : minutes) + ":" + two(rest % 60);
}

function formatBytes(bytes, step) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let k = 0;
  for (; bytes >= 1024 && k < units.length - 1; k++) bytes /= 1024;
  return Number(bytes.toPrecision(digitsOf(bytes, step / 1024 ** k))) + " " + units[k];
}

// Round numbers, 1, 2 or 5 times a power of ten apart (of bytes: powers of two; of time: that people count in).
function linearTicks(low, high, most, kind) {
  const rough = (high - low) / Math.max(1, most), power = 10 ** Math.floor(Math.log10(rough));
  const steps = kind === "bytes" ? [2 ** Math.ceil(Math.log2(rough))] : kind === "time" ? [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 7200, 21600, 43200, DAY, 2 * DAY, 7 * DAY]
    : [1, 2, 5, 10].map((s) => s * power);
  const step = steps.find((s) => s >= rough) || steps[steps.length - 1] * Math.ceil(rough / steps[steps.length - 1]);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12) && ticks.length < 50; k++) ticks.push(k * step);
  return ticks;
}

// Powers of ten, with what is twice and five times as much if there is room; where these are too few, as on a linear
// axis.
function logTicks(low, high, most, kind) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const stride = Math.max(1, Math.ceil((last - first) / Math.max(1, most))), ticks = [];
  for (let p = first; p <= last; p += stride)
    for (const s of 3 * (last - first) <= 2 * most ? [1, 2, 5] : [1]) ticks.push(s * 10 ** p);
  const inside = ticks.filter((t) => t >= low && t <= high);
  return inside.length >= 2 ? inside : linearTicks(low, high, most, kind);
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
    const numbers = (last ? part.slice(-1) : part).filter((v) => v !== null);
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
const LARGEST = 1e300, SMALLEST = 1e-300; // what differences and ratios can still be computed of

class Chart {
  // curves: {x: [], y: [], low: [] or undefined, high, colour, dash: [], bold, title}
  constructor(canvas, reading) {
    this.canvas = canvas;
    this.reading = reading;
    this.hint = reading.textContent;
    this.curves = [];
    this.options = {log: false, time: false, bytes: false, format: formatNumber, tick: formatNumber, xTitle: "",
      yTitle: ""};
    this.zoom = null; // [low, high] of x
    this.cursor = null; // x
    this.drag = null;
    this.onzoom = () => {}; // called whenever `zoom` changes
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    canvas.addEventListener("pointermove", (e) => {
      if (e.buttons === 0) this.drag = null; // let go where we could not see it
      this.point(this.toX(e.offsetX));
    });
    canvas.addEventListener("pointerleave", () => { if (this.drag === null) this.point(null); });
    canvas.addEventListener("pointerdown", (e) => {
      this.drag = e.button === 0 ? this.toX(e.offsetX) : null;
      if (this.drag !== null) canvas.setPointerCapture(e.pointerId); // beyond the edge too
    });
    canvas.addEventListener("pointerup", (e) => this.drop(this.toX(e.offsetX)));
    canvas.addEventListener("pointercancel", () => { this.drag = null; this.point(null); });
    canvas.addEventListener("dblclick", () => this.zoomTo(null));
    canvas.addEventListener("keydown", (e) => this.key(e));
  }

  set(curves, options) {
    const most = Math.max(FEWEST_POINTS, Math.floor(MOST_POINTS / Math.max(1, curves.length)));
    this.curves = curves.map((c) => thinCurve(c, most));
    if (options.xTitle !== this.options.xTitle) this.cursor = null; // it stood for something else
    this.options = options;
    this.draw();
    this.read();
  }

  zoomTo(range) {
    this.zoom = range;
    this.onzoom();
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
    if (event.ctrlKey || event.metaKey || event.altKey) return; // the browser's
    if (event.key === "Escape") this.zoomTo(null);
    else if (!f) return;
    else if (event.key === "+" || event.key === "=") this.scale(0.5);
    else if (event.key === "-") this.scale(2);
    else if (!this.move(event.key)) return;
    event.preventDefault();
  }

  // The cursor moves, and what is enlarged with it.
  move(key) {
    const f = this.frame, step = (f.x1 - f.x0) / 50, from = this.cursor === null ? f.x1 : this.cursor;
    const moves = {ArrowLeft: from - step, ArrowRight: from + step, Home: f.x0, End: f.x1};
    if (!(key in moves)) return false;
    const whole = this.range(null), x = Math.min(whole.x1, Math.max(whole.x0, moves[key]));
    const shift = x < f.x0 ? x - f.x0 : x > f.x1 ? x - f.x1 : 0;
    if (shift !== 0) { this.zoom = [f.x0 + shift, f.x1 + shift]; this.onzoom(); }
    this.point(x);
    return true;
  }

  // Show `factor` times as much of x, the cursor staying where it is.
  scale(factor) {
    const f = this.frame, whole = this.range(null), x = this.cursor === null ? (f.x0 + f.x1) / 2 : this.cursor;
    const low = Math.max(whole.x0, x - factor * (x - f.x0)), high = Math.min(whole.x1, x + factor * (f.x1 - x));
    if (low <= whole.x0 && high >= whole.x1) this.zoomTo(null);
    else if (high - low > 1e-6 * (whole.x1 - whole.x0)) this.zoomTo([low, high]);
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

  // The curve's value at x; null where it has not begun, or has ended.
  valueAt(curve, x) {
    const i = this.nearest(curve, x), n = curve.x.length, other = i > 0 ? i - 1 : Math.min(1, n - 1);
    const room = Math.max(Math.abs(curve.x[i] - curve.x[other]), (this.frame.x1 - this.frame.x0) / 50);
    return Math.abs(curve.x[i] - x) <= room ? curve.y[i] : null;
  }

  read() {
    const o = this.options;
    let text = this.hint;
    if (this.cursor !== null && this.frame) {
      const f = this.frame, at = o.time ? formatTime(this.cursor) : formatNumber(this.cursor, (f.x1 - f.x0) / 1000);
      const values = this.curves.filter((c) => c.x.length > 0).slice(0, 12).map((c) => {
        const value = this.valueAt(c, this.cursor);
        return c.title + " " + (value === null ? "-" : o.format(value));
      });
      text = o.xTitle + " " + at + ": " + values.join(", ") + (this.curves.length > 12 ? ", ..." : "");
    }
    if (this.reading.textContent !== text) this.reading.textContent = text;
  }

  // Whether a value has a place on the axis.
  fits(y) {
    return y !== null && Math.abs(y) <= LARGEST && (!this.options.log || y >= SMALLEST);
  }

  hasBand(curve) {
    return curve.low !== undefined && this.curves.length <= MOST_BANDS;
  }

  // Of what lies between the ends of `zoom`, or of everything; null if that is nothing.
  range(zoom) {
    let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
    for (const c of this.curves) {
      const columns = this.hasBand(c) ? [c.y, c.low, c.high] : [c.y];
      for (let i = 0; i < c.x.length; i++) {
        const x = c.x[i];
        if (x === null || Math.abs(x) > LARGEST || (zoom && (x < zoom[0] || x > zoom[1]))) continue;
        x0 = Math.min(x0, x);
        x1 = Math.max(x1, x);
        for (const column of columns) {
          if (!this.fits(column[i])) continue;
          y0 = Math.min(y0, column[i]);
          y1 = Math.max(y1, column[i]);
        }
      }
    }
    if (!(y0 <= y1)) return null;
    if (zoom) [x0, x1] = zoom;
    else if (x0 > 0 && x0 < 0.2 * x1) x0 = 0;
    if (x0 === x1) x1 = x0 + Math.max(1, 1e-6 * Math.abs(x0));
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
    const r = this.range(this.zoom) || this.range(null); // whole where nothing lies in the part
    this.frame = r && {left: 62, right: width - 12, top: 24, bottom: height - 36, ...r};
    if (!this.frame) {
      g.fillStyle = colour("--soft");
      g.fillText("nothing measured yet", 70, height / 2);
      return;
    }
    this.placeTicks(g);
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

  // Numbers on the axes with their texts, and the room that these need.
  placeTicks(g) {
    const f = this.frame, o = this.options;
    const label = (ticks, format) => ticks.map((at) => ({at, text: format(at, ticks[1] - ticks[0])}));
    f.ys = label((o.log ? logTicks : linearTicks)(f.y0, f.y1, (f.bottom - f.top) / 40, o.bytes ? "bytes" : ""), o.tick);
    f.left = Math.max(f.left, ...f.ys.map((y) => Math.ceil(g.measureText(y.text).width) + 10));
    const across = linearTicks(f.x0, f.x1, (f.right - f.left) / 90, o.time ? "time" : "");
    f.xs = label(across, o.time ? formatTime : formatNumber);
    f.right = Math.min(f.right, ...f.xs.map((x) => f.right + 10 - Math.ceil(g.measureText(x.text).width / 2)));
  }

  drawAxes(g, colour) {
    const f = this.frame, o = this.options;
    g.strokeStyle = colour("--line");
    g.lineWidth = 1;
    g.beginPath();
    for (const x of f.xs) { g.moveTo(this.px(x.at), f.top); g.lineTo(this.px(x.at), f.bottom); }
    for (const y of f.ys) { g.moveTo(f.left, this.py(y.at)); g.lineTo(f.right, this.py(y.at)); }
    g.stroke();
    g.fillStyle = colour("--soft");
    g.textBaseline = "middle";
    g.textAlign = "right";
    for (const y of f.ys) g.fillText(y.text, f.left - 6, this.py(y.at));
    g.textBaseline = "top";
    g.textAlign = "center";
    for (const x of f.xs) g.fillText(x.text, this.px(x.at), f.bottom + 5);
    g.textAlign = "right";
    g.fillText(o.xTitle, f.right, f.bottom + 20);
    g.textAlign = "left";
    g.fillText(o.yTitle, 22, 2);
  }

  drawCurve(g, c) {
    g.strokeStyle = g.fillStyle = c.colour;
    if (this.hasBand(c)) this.drawBand(g, c);
    g.globalAlpha = c.bold ? 1 : 0.75;
    g.lineWidth = c.bold ? 2.5 : 1.2;
    g.lineJoin = "bevel";
    g.setLineDash(c.dash);
    g.beginPath();
    let drawn = 0, pen = false, last = null;
    for (let i = 0; i < c.x.length; i++) {
      const y = c.y[i];
      if (c.x[i] === null || !this.fits(y)) { pen = false; continue; }
      if (pen && c.dash.length === 0 && drawn % PIECE === 0) { // long paths take browsers more than their share
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
    g.setLineDash([]);
    g.globalAlpha = 1;
    if (last && (c.bold || drawn === 1)) { g.beginPath(); g.arc(...last, 3, 0, 7); g.fill(); }
  }

  // From the lowest to the highest of the values that share a point.
  drawBand(g, c) {
    const floor = this.options.log ? this.frame.y0 : -Infinity;
    const inside = c.x.map((_, i) => i).filter((i) => c.x[i] !== null && c.low[i] !== null && Math.abs(c.high[i]) <= LARGEST);
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
