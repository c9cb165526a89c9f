// Figures as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayFormat = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** 1234567 → 1,234,567 */
export const count = (n) => whole.format(n);

/** A rate a second: 3.4, 1,200 */
export const rate = (n) => (n < 10 ? short.format(n) : whole.format(n));

/** 1234567 → 1.2 MB */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1000;
  return `${i && n < 100 ? short.format(n) : whole.format(n)} ${units[i]}`;
}

/** Seconds → 4 s, 3 min 5 s, 2 h 10 min, 5 d 3 h */
export function span(s) {
  if (s < 1) return "0 s";
  s = Math.floor(s);
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const at = parts.findIndex(([size]) => s >= size);
  const [size, unit] = parts[at];
  let text = `${Math.floor(s / size)} ${unit}`;
  if (at + 1 < parts.length) {
    const [below, name] = parts[at + 1];
    const rest = Math.floor((s % size) / below);
    if (rest) text += ` ${rest} ${name}`;
  }
  return text;
}

/** Milliseconds → 0.42 ms, 31 ms, 2.4 s */
export function took(ms) {
  if (ms >= 1000) return `${short.format(ms / 1000)} s`;
  if (ms < 0.005) return "0 ms";
  return ms >= 10 ? `${whole.format(ms)} ms` : `${ms.toFixed(2)} ms`;
}

export const clock = (t) => clockFormat.format(new Date(t));
export const day = (t) => dayFormat.format(new Date(t));

/** 1 peer, 2 peers */
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;

/** The side that opened a connection. */
export const opened = (direction) => (direction === "out" ? "by us" : "by the peer");
