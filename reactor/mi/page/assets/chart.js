// A graph of the last minutes, in SVG, with its figures in words and as a table.

import { el, text } from "./dom.js";
import { clock, rate } from "./format.js";

const width = 300, height = 100; // of the drawing; it is stretched to its place
const minutes = 5, window = minutes * 60_000, bucket = 30_000;
const svgSpace = "http://www.w3.org/2000/svg";

function svg(name, attributes) {
  const e = document.createElementNS(svgSpace, name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
}

/** The next of 1, 2, 5, 10, 20… that is not below n, and so divides well. */
function ceiling(n) {
  if (n <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(n));
  return [1, 2, 5, 10].map((f) => f * power).find((c) => c >= n);
}

export class Chart {
  /** names are those of the series; whole tells that there are no halves. */
  constructor(title, unit, names, whole) {
    this.title = title;
    this.unit = unit;
    this.format = whole ? (n) => rate(Math.round(n)) : rate;
    this.points = [];
    this.drawing = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img" });
    for (const y of [0, 50, 100]) this.drawing.append(svg("line", { x1: 0, x2: width, y1: y, y2: y, class: "grid" }));
    this.series = names.map((name, i) => {
      const area = svg("path", { class: `area s${i}` }), line = svg("path", { class: `line s${i}` });
      const now = el("b", "", "–");
      this.drawing.append(area, line);
      return { name, area, line, now, legend: el("li", `s${i}`, now, ` ${name}`) };
    });
    this.cursor = svg("line", { y1: 0, y2: height, class: "cursor" });
    this.drawing.append(this.cursor);
    this.top = el("span", "top-label", "");
    this.readout = el("p", "readout", "");
    this.table = this.newTable();
    const plot = el("div", "plot", this.drawing, this.top, this.readout);
    plot.addEventListener("pointermove", (e) => this.point(e));
    plot.addEventListener("pointerleave", () => this.rest());
    const axis = el("p", "axis", el("span", "", `${minutes} min ago`), el("span", "", "now"));
    axis.setAttribute("aria-hidden", "true");
    this.top.setAttribute("aria-hidden", "true");
    this.readout.setAttribute("aria-hidden", "true");
    this.figure = el("figure", "card graph",
      el("figcaption", "", el("h3", "", title), el("ul", "legend", ...this.series.map((s) => s.legend))),
      plot, axis, this.details);
  }

  newTable() {
    const head = el("tr", "", ...["From", ...this.series.map((s) => s.name)].map((name, i) => {
      const th = el("th", i ? "n" : "", name);
      th.scope = "col";
      return th;
    }));
    const table = el("table", "", el("caption", "unseen", `${this.title}, ${this.unit}, averages of ${bucket / 1000} seconds`),
      el("thead", "", head), el("tbody"));
    this.details = el("details", "", el("summary", "", "as a table"), table);
    this.details.addEventListener("toggle", () => this.fillTable());
    return table;
  }

  /** Draws points, each [milliseconds, value of each series…], up to now. */
  update(points, now) {
    this.points = points;
    this.now = now;
    const max = ceiling(Math.max(0, ...points.flatMap((p) => p.slice(1))));
    const x = (t) => ((t - now) / window + 1) * width, y = (v) => height - (v / max) * height;
    text(this.top, `${rate(max)} ${this.unit}`);
    this.series.forEach((s, i) => {
      const path = points.map((p) => `${x(p[0]).toFixed(1)},${y(p[i + 1]).toFixed(1)}`).join("L");
      s.line.setAttribute("d", path && "M" + path);
      s.area.setAttribute("d", path && `M${x(points[0][0]).toFixed(1)},${height}L${path}L${x(points.at(-1)[0]).toFixed(1)},${height}Z`);
      text(s.now, points.length ? this.format(points.at(-1)[i + 1]) : "–");
    });
    this.drawing.setAttribute("aria-label", this.words());
    if (this.details.open) this.fillTable();
  }

  /** The graph in words. */
  words() {
    const all = this.series.map((s, i) => {
      const values = this.points.map((p) => p[i + 1]);
      if (!values.length) return `${s.name}: no figures yet`;
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return `${s.name}: now ${this.format(values.at(-1))}, on average ${this.format(mean)}, at most ${this.format(Math.max(...values))}`;
    });
    return `${this.title}, ${this.unit}, over the last ${minutes} minutes. ${all.join(". ")}.`;
  }

  fillTable() {
    const sums = new Map();
    for (const [t, ...values] of this.points) {
      const from = Math.floor(t / bucket) * bucket;
      const sum = sums.get(from) ?? { n: 0, values: values.map(() => 0) };
      sum.n++;
      values.forEach((v, i) => { sum.values[i] += v; });
      sums.set(from, sum);
    }
    this.table.tBodies[0].replaceChildren(...[...sums].reverse().map(([from, sum]) => {
      const th = el("th", "", clock(from));
      th.scope = "row";
      return el("tr", "", th, ...sum.values.map((v) => el("td", "n", this.format(v / sum.n))));
    }));
  }

  /** Shows the figures under the pointer. */
  point(e) {
    if (!this.points.length) return;
    const box = this.drawing.getBoundingClientRect();
    const t = this.now + ((e.clientX - box.left) / box.width - 1) * window;
    const near = this.points.reduce((a, b) => (Math.abs(b[0] - t) < Math.abs(a[0] - t) ? b : a));
    const at = ((near[0] - this.now) / window + 1) * width;
    this.cursor.setAttribute("x1", at);
    this.cursor.setAttribute("x2", at);
    this.cursor.classList.add("on");
    text(this.readout, `${clock(near[0])}  ${this.series.map((s, i) => `${this.format(near[i + 1])} ${s.name}`).join(", ")}`);
  }

  rest() {
    this.cursor.classList.remove("on");
    text(this.readout, "");
  }
}
