// The kernel as cells: type, step with the arrow keys or the wheel, drag up and down, paste a table.

const DRAG_PIXELS = 6; // per step
const SIDES = [3, 5, 7];
const LARGEST = MAX_WEIGHT.toLocaleString("en");
const WEIGHTS = `a number between −${LARGEST} and ${LARGEST}, such as 0`;

/**
 * Cells for one kernel of one or three tables.
 *
 * `changed(tables)` is called with each number that is typed or dragged, `held({ table, at })` once a pointer drags a
 * cell and `held(null)` when it lets go, `refused(sentence)` when an input is no number, with "" when all is well again,
 * and `pasted(tables, side)` when a table of another size came from the clipboard.
 */
class KernelTable {
  constructor(place, { changed, held, refused, pasted }) {
    Object.assign(this, { place, changed, held, refused, pasted, tables: [], side: 0 });
    place.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // A page that is being scrolled must not change the cell that comes to lie under the pointer.
    this.scrolled = -Infinity; // times count from when the page was opened
    this.onWheel = (event) => {
      if (!place.contains(event.target)) this.scrolled = event.timeStamp;
    };
    window.addEventListener("wheel", this.onWheel, { passive: true, capture: true });
  }

  close() {
    window.removeEventListener("wheel", this.onWheel, { capture: true });
  }

  /** Show a kernel; `names` are the channels of its tables. A cell in which someone is typing keeps its text. */
  show(tables, side, names) {
    if (side !== this.side || tables.length !== this.tables.length) this.#draw(tables.length, side, names);
    this.tables = tables.map((table) => Array.from(table));
    this.side = side;
    const limit = Math.max(...tables.flatMap((table) => Array.from(table, Math.abs))) || 1;
    this.cells.forEach((cells, table) =>
      cells.forEach((cell, at) => {
        const value = this.tables[table][at];
        cell.parentElement.style.cssText = signedStyle(value, limit);
        if (cell === document.activeElement && readNumber(cell.value) === value) return;
        if (cell === document.activeElement && cell.hasAttribute("aria-invalid")) return;
        cell.value = typed(value);
        cell.removeAttribute("aria-invalid");
      }),
    );
    this.place.querySelectorAll("caption").forEach((caption, at) => {
      caption.textContent = tables.length > 1 ? names[at] : "";
    });
  }

  #draw(count, side, names) {
    this.letGo?.(); // of a cell that is no longer there
    this.cells = Array.from({ length: count }, () => []);
    this.place.replaceChildren(
      ...this.cells.map((cells, table) =>
        element(
          "table",
          { class: "kl-kernel" },
          element("caption", {}),
          element(
            "tbody",
            {},
            ...Array.from({ length: side }, (_, row) =>
              element("tr", {}, ...Array.from({ length: side }, (_, column) => this.#cell(cells, table, row, column, count > 1 && names[table]))),
            ),
          ),
        ),
      ),
    );
  }

  #cell(cells, table, row, column, channel) {
    const at = cells.length;
    const label = `Kernel row ${row + 1} column ${column + 1}${channel ? `, ${channel}` : ""}`;
    const input = element("input", {
      type: "text",
      inputmode: "decimal",
      autocomplete: "off",
      "aria-label": label,
      oninput: () => this.#typed(input, table, at, label),
      onblur: () => this.#left(input, table, at),
      onkeydown: (event) => this.#key(event, input, table, at),
      onpointerdown: (event) => this.#grab(event, input, table, at),
      onpaste: (event) => this.#paste(event),
      onfocus: () => input.select(),
    });
    cells.push(input);
    return element("td", {}, input);
  }

  #set(table, at, value) {
    this.tables[table][at] = Math.min(Math.max(value, -MAX_WEIGHT), MAX_WEIGHT);
    this.cells[table][at].value = typed(this.tables[table][at]);
    this.cells[table][at].removeAttribute("aria-invalid");
    this.refused("");
    this.changed(this.tables);
  }

  #typed(input, table, at, label) {
    const value = readNumber(input.value);
    if (Number.isNaN(value)) {
      input.setAttribute("aria-invalid", "true");
      const what = input.value.trim() ? `“${input.value.trim().slice(0, 20)}” is not a number that a kernel can have` : "the cell is empty";
      this.refused(`${label}: ${what}. Type ${WEIGHTS}.`);
      return;
    }
    input.removeAttribute("aria-invalid");
    this.refused("");
    this.tables[table][at] = value;
    this.changed(this.tables);
  }

  /** What is no number does not stay in a cell: the last number comes back. */
  #left(input, table, at) {
    if (input.hasAttribute("aria-invalid")) this.refused("");
    input.removeAttribute("aria-invalid");
    input.value = typed(this.tables[table][at]);
  }

  #key(event, input, table, at) {
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (direction) {
      event.preventDefault();
      this.#set(table, at, rounded(this.tables[table][at] + direction * stepOf(event)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const cells = this.cells.flat();
      cells[(cells.indexOf(input) + (event.shiftKey ? cells.length - 1 : 1)) % cells.length].focus();
    }
  }

  #wheel(event) {
    const input = event.target.closest("input");
    if (!input || !event.deltaY || event.timeStamp - this.scrolled < 400) return;
    event.preventDefault();
    const table = this.cells.findIndex((cells) => cells.includes(input));
    const at = this.cells[table].indexOf(input);
    this.#set(table, at, rounded(this.tables[table][at] - Math.sign(event.deltaY) * stepOf(event)));
  }

  /** Drag up for a larger number, down for a smaller one. A press without a drag is a click into the cell. */
  #grab(event, input, table, at) {
    if (event.button) return;
    input.setPointerCapture(event.pointerId); // at once: the first quick move may end outside of the cell
    const start = this.tables[table][at];
    let dragged = false;
    const move = (now) => {
      const steps = Math.trunc((event.clientY - now.clientY) / DRAG_PIXELS);
      if (!dragged && !steps) return;
      if (!dragged) {
        dragged = true;
        input.classList.add("kl-dragged");
        this.held({ table, at });
      }
      const value = rounded(start + steps * stepOf(now));
      if (value !== this.tables[table][at]) this.#set(table, at, value);
    };
    const listening = new AbortController();
    const end = (this.letGo = () => {
      this.letGo = null;
      listening.abort();
      input.classList.remove("kl-dragged");
      if (dragged) this.held(null);
    });
    const options = { signal: listening.signal };
    // A raw update comes at once, a move only with the next frame.
    input.addEventListener("onpointerrawupdate" in window ? "pointerrawupdate" : "pointermove", move, options);
    input.addEventListener("pointerup", end, options);
    input.addEventListener("pointercancel", end, options);
  }

  /** A table from a spreadsheet, or from a text: rows of numbers between tabs, spaces, commas or semicolons. */
  #paste(event) {
    const text = event.clipboardData.getData("text").replace(/^[\r\n]+|[\r\n]+$/g, "");
    const rows = text.split(/\r?\n/).map(cellsOf);
    if (rows.length === 1 && rows[0].length === 1) return; // a number, which goes into the cell
    event.preventDefault();
    const side = rows.length;
    if (!SIDES.includes(side) || rows.some((row) => row.length !== side)) {
      const columns = [...new Set(rows.map((row) => row.length))].sort((one, other) => one - other).join(" or ");
      this.refused(`The pasted table has ${side} rows and ${columns} columns. Paste one with 3×3, 5×5 or 7×7 numbers.`);
      return;
    }
    const values = rows.flat().map(readNumber);
    const bad = values.findIndex(Number.isNaN);
    if (bad >= 0) {
      const what = rows.flat()[bad] ? `holds “${rows.flat()[bad].slice(0, 20)}”, which is not a number` : "has an empty cell";
      this.refused(`The pasted table ${what}. Paste numbers only.`);
      return;
    }
    event.target.blur();
    this.refused("");
    this.pasted(this.tables.map(() => values), side);
  }
}

/** The cells of a line. A tab or a semicolon ends a cell, also an empty one; a single comma may stand for the point. */
function cellsOf(line) {
  if (/[\t;]/.test(line)) return line.split(/[\t;]/).map((cell) => cell.trim());
  const cells = line.trim().split(/\s*,\s+|\s+,\s*|\s+/);
  return cells.length === 1 && line.split(",").length > 2 ? line.split(",") : cells;
}

/** How far one step goes: 1, with Shift 10, with Alt 0.1. */
function stepOf(event) {
  return event.shiftKey ? 10 : event.altKey ? 0.1 : 1;
}

/** Without the dust of binary fractions: 0.1 + 0.2 is 0.3. */
function rounded(value) {
  return Number(value.toFixed(7));
}

/** What the buttons under the kernel do to one table. */
const CHANGES = {
  rotate: (table, side) => table.map((_, at) => table[(side - 1 - (at % side)) * side + Math.floor(at / side)]),
  mirror: (table, side) => table.map((_, at) => table[at - (at % side) + side - 1 - (at % side)]),
  flip: (table, side) => table.map((_, at) => table[(side - 1 - Math.floor(at / side)) * side + (at % side)]),
  transpose: (table, side) => table.map((_, at) => table[(at % side) * side + Math.floor(at / side)]),
  negate: (table) => table.map((value) => -value + 0),
  normalize: (table) => {
    const sum = table.reduce((total, value) => total + value, 0);
    const size = Math.abs(sum) > 1e-6 ? sum : table.reduce((total, value) => total + Math.abs(value), 0);
    return size ? table.map((value) => rounded(value / size)) : table;
  },
  random: (table) => table.map(() => Math.round(Math.random() * 8 - 4)),
};

/** The same kernel on a larger or smaller table: zeros around it, or its middle. */
function resized(table, from, to) {
  const shift = (from - to) / 2;
  return Array.from({ length: to * to }, (_, at) => {
    const row = Math.floor(at / to) + shift;
    const column = (at % to) + shift;
    return row >= 0 && row < from && column >= 0 && column < from ? table[row * from + column] : 0;
  });
}

/** The name of the preset that a table is, if it is one. */
function presetOf(table, side) {
  const same = ({ values }) => table.every((value, at) => Math.fround(value) === Math.fround(values[at]));
  return side === 3 ? Object.keys(KERNELS).find((name) => same(KERNELS[name])) : undefined;
}
