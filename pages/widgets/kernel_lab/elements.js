// Small helpers: DOM elements, and numbers written for readers.

/** Make an element: `element("td", { class: "padding", text: "0", onclick: ... }, child, ...)`. */
function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(options)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Write a number with at most five significant digits and a true minus sign, as `cnn_core.wording.number` does. */
function number(value) {
  // As Python: what lies exactly between two numbers goes to the even one.
  const down = /^-?\d\.\d{3}[02468]50*e/.test(value.toExponential(30));
  return String(Number((down ? value * (1 - Number.EPSILON) : value).toPrecision(5)) + 0).replace("-", "−");
}

/** Write a number for an input field: as short as float32 allows. */
function typed(value) {
  return String(Number(value.toPrecision(7)) + 0);
}

/** Read a number that someone typed. NaN for anything that is none. A comma may stand for the point. */
function readNumber(text) {
  const plain = text.trim().replace("−", "-").replace(/^([^,]*),([^,]*)$/, "$1.$2");
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  return Math.abs(value) <= MAX_WEIGHT ? value : NaN;
}

/** A table of numbers with a caption. `cells` has rows of { text, style, class, title }. */
function numberTable(caption, cells) {
  return element(
    "figure",
    {},
    element("figcaption", { text: caption }),
    element(
      "table",
      {},
      element(
        "tbody",
        {},
        ...cells.map((row) =>
          element("tr", {}, ...row.map(({ text, ...look }) => element("td", { text, ...look }))),
        ),
      ),
    ),
  );
}

/** Cut a list into rows. */
function rowsOf(list, width) {
  return Array.from({ length: Math.ceil(list.length / width) }, (_, row) => list.slice(row * width, (row + 1) * width));
}

/** A share of things that were counted, as `cnn_core.wording.percent` writes it. */
function percent(part, whole) {
  if (part === 0 || part === whole) return part ? "100\u00a0%" : "0\u00a0%";
  const value = (100 * part) / whole;
  const tenths = 10 * value;
  // As Python: what lies exactly between two tenths goes to the even one.
  const text = Number.isInteger(4 * value) && tenths % 1 === 0.5 ? (2 * Math.round(tenths / 2)) / 10 : value;
  if (text.toFixed(1) === "100.0") return "over 99.9\u00a0%";
  return text.toFixed(1) === "0.0" ? "under 0.1\u00a0%" : `${text.toFixed(1)}\u00a0%`;
}

/** The parts of a lab, by their data-role. */
function partsOf(root) {
  return Object.fromEntries(Array.from(root.querySelectorAll("[data-role]"), (part) => [part.dataset.role, part]));
}

/** Show a sentence about what cannot be done; "" hides it. */
function refuse(place, sentence) {
  place.textContent = sentence;
  place.hidden = !sentence;
}

const QUIET_MILLISECONDS = 700;

/** What a screen reader hears: the latest news once the visitor pauses, and not with every frame. */
class News {
  constructor(place) {
    this.place = place;
  }

  tell(text) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.place.textContent = text), QUIET_MILLISECONDS);
  }

  close() {
    clearTimeout(this.timer);
  }
}

/** Streamlit's own shortcuts (r, c) must not see what is typed in a lab. */
function keepKeys(root) {
  for (const name of ["keydown", "keypress", "keyup"]) root.addEventListener(name, (event) => event.stopPropagation());
}
