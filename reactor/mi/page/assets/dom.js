// Small tools for the document. Every text goes in as text, never as markup:
// much of it was written by peers.

export const $ = (id) => document.getElementById(id);

/** Makes an element: its class, and children that are nodes or texts. */
export function el(name, className, ...children) {
  const e = document.createElement(name);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

/** Sets a text if it is another: what stays is not read out or selected anew. */
export function text(node, value) {
  value = String(value);
  if (node.textContent !== value) node.textContent = value;
}

/**
 * Shows rows in a table's body. Rows are kept by key, so that focus and
 * selection survive. cells(item) gives for each column a text or
 * {text, more, conn, tone, n}: more is a second, muted text, conn makes it a
 * button that shows a connection, tone colours it, n right-aligns it.
 */
export function rows(table, items, keyOf, cells, nothing) {
  const body = table.tBodies[0];
  const labels = [...table.tHead.rows[0].cells].map((c) => c.textContent);
  const there = new Map([...body.rows].map((r) => [r.dataset.key, r]));
  let last = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let row = there.get(key);
    there.delete(key);
    if (!row) {
      row = el("tr");
      row.setAttribute("role", "row");
      row.dataset.key = key;
    }
    cells(item).forEach((c, i) => cell(row, i, labels[i], typeof c === "object" ? c : { text: c }));
    const next = last ? last.nextSibling : body.firstChild;
    if (row !== next) body.insertBefore(row, next);
    last = row;
  }
  if (!items.length) {
    let row = there.get("");
    there.delete("");
    if (!row) {
      const only = el("td", "nothing", nothing);
      only.colSpan = labels.length;
      only.setAttribute("role", "cell");
      row = el("tr", "", only);
      row.setAttribute("role", "row");
      row.dataset.key = "";
      body.prepend(row);
    }
  }
  for (const row of there.values()) row.remove();
}

function cell(row, i, label, c) {
  let td = row.cells[i];
  if (!td) {
    td = el(i === 0 ? "th" : "td");
    if (i === 0) td.scope = "row";
    td.setAttribute("role", i === 0 ? "rowheader" : "cell");
    td.dataset.label = label;
    td.append(el(c.conn ? "button" : "span"), el("span", "more"));
    row.append(td);
  }
  td.className = [c.n && "n", c.tone].filter(Boolean).join(" ");
  const [main, more] = td.children;
  if (c.conn) {
    main.type = "button";
    main.className = "to-conn";
    main.dataset.conn = c.conn;
    main.setAttribute("aria-label", `${c.text}: details of the connection`);
  }
  text(main, c.text);
  text(more, c.more ?? "");
}

let quiet;

/** Says something that the user should hear of, once. */
export function say(message) {
  const toast = $("say");
  toast.textContent = message;
  toast.classList.add("on");
  clearTimeout(quiet);
  quiet = setTimeout(() => toast.classList.remove("on"), 6000);
}
