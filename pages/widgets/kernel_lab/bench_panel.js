// The bench beside the pictures: presets, cells, buttons, and the options of the convolution.

const CHANNEL_NAMES = ["red", "green", "blue"];
const CHANNEL_LABELS = { gray: "Gray", red: "Red", green: "Green", blue: "Blue", each: "Each channel", all: "All three, added up" };
const VIEW_LABELS = { zero: "White is zero", photo: "Clipped to 0–255", absolute: "Absolute value" };
const CHANGE_LABELS = {
  rotate: ["Rotate", "Turn by 90°"],
  mirror: ["Flip ↔", "Left becomes right"],
  flip: ["Flip ↕", "Top becomes bottom"],
  transpose: ["Transpose", "Swap rows and columns"],
  normalize: ["Normalize", "Divide by the sum, so that the numbers add up to 1"],
  negate: ["Negate", "Change every sign"],
  random: ["Random", "Whole numbers from −4 to 4"],
};

/**
 * `changed(changes, keepScale)` gets what of the bench is new, `held` and `refused` are those of the cells.
 */
class BenchPanel {
  constructor(place, { changed, held, refused }) {
    Object.assign(this, { place, changed, refused, done: [], undone: [], editing: false });
    this.preset = this.#select("Preset kernel", { "": "Your own kernel", ...titles() }, (name) => {
      if (name) this.#kernel(this.bench.tables.map(() => KERNELS[name].values), 3);
    });
    this.finds = element("p", { class: "kl-small" });
    const cells = element("div", { class: "kl-kernels" });
    place.append(this.finds, cells);
    this.table = new KernelTable(cells, {
      changed: (tables) => this.#kernel(tables, this.bench.side, true),
      held,
      refused,
      pasted: (tables, side) => this.#kernel(tables, side),
    });
    this.#buttons();
    this.#options();
  }

  close() {
    this.table.close();
  }

  show(bench) {
    this.bench = bench;
    this.table.show(bench.tables, bench.side, CHANNEL_NAMES);
    for (const [name, menu] of Object.entries(this.menus)) menu.value = bench[name];
    if (document.activeElement !== this.bias) this.bias.value = typed(bench.bias);
    this.relu.checked = bench.relu;
    const names = bench.tables.map((table) => presetOf(table, bench.side));
    const name = names.every((other) => other === names[0]) ? names[0] : undefined;
    this.preset.value = name ?? "";
    this.finds.textContent = name ? KERNELS[name].finds : "";
    this.undo.disabled = !this.done.length;
    this.redo.disabled = !this.undone.length;
  }

  #select(label, options, set) {
    const choices = Object.entries(options).map(([value, text]) => element("option", { value, text }));
    const menu = element("select", { "aria-label": label, onchange: () => set(menu.value) }, ...choices);
    this.place.append(element("label", { class: "kl-field" }, element("span", { text: label }), menu));
    return menu;
  }

  #buttons() {
    const button = (text, title, onclick) => element("button", { type: "button", text, title, onclick });
    this.undo = button("Undo", "Ctrl+Z", () => this.#undo(this.done, this.undone));
    this.redo = button("Redo", "Ctrl+Y", () => this.#undo(this.undone, this.done));
    const changes = Object.entries(CHANGE_LABELS).map(([name, [text, title]]) =>
      button(text, title, () => {
        const { tables, side } = this.bench;
        this.#kernel(tables.map((table) => CHANGES[name](Array.from(table), side)), side);
      }),
    );
    this.place.append(
      element("div", { class: "kl-buttons", role: "group", "aria-label": "Change the kernel" }, ...changes, this.undo, this.redo),
    );
    this.place.addEventListener("keydown", (event) => {
      const key = event.key.toLowerCase();
      if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(key)) return;
      event.preventDefault();
      (key === "y" || event.shiftKey ? this.redo : this.undo).click();
    });
  }

  #options() {
    const option = (name, convert = (value) => value) => (value) => this.changed({ [name]: convert(value) });
    this.menus = {
      side: this.#select("Kernel size", { 3: "3×3", 5: "5×5", 7: "7×7" }, (side) => this.#resize(Number(side))),
      stride: this.#select("Stride", { 1: "1", 2: "2", 3: "3", 4: "4" }, option("stride", Number)),
      padding: this.#select("Padding", { valid: "valid", same: "same" }, option("padding")),
      channel: this.#select("Convolve", CHANNEL_LABELS, (channel) => this.#channel(channel)),
      view: this.#select("Colors of the map", VIEW_LABELS, option("view")),
    };
    this.bias = element("input", { type: "text", "aria-label": "Bias", inputmode: "decimal", autocomplete: "off" });
    this.bias.addEventListener("input", () => this.#bias(readNumber(this.bias.value)));
    this.bias.addEventListener("blur", () => (this.bias.value = typed(this.bench.bias)));
    this.bias.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (!direction) return;
      event.preventDefault();
      this.#bias(rounded(this.bench.bias + direction * stepOf(event)));
      this.bias.value = typed(this.bench.bias);
    });
    this.relu = element("input", { type: "checkbox", onchange: () => this.changed({ relu: this.relu.checked }) });
    this.place.append(
      element("label", { class: "kl-field" }, element("span", { text: "Bias" }), this.bias),
      element("label", { class: "kl-check" }, this.relu, "ReLU: no value below 0"),
    );
  }

  #bias(value) {
    const fits = Math.abs(value) <= MAX_WEIGHT;
    this.bias.toggleAttribute("aria-invalid", !fits);
    this.refused(fits ? "" : `The bias must be ${WEIGHTS}.`);
    if (fits) this.changed({ bias: value }, true);
  }

  #channel(channel) {
    const count = channel === "all" ? 3 : 1;
    let { tables, origin } = this.bench;
    if (tables.length !== count) {
      const one = tables[Math.max(CHANNEL_NAMES.indexOf(channel), 0)] ?? tables[0];
      tables = Array.from({ length: count }, () => Array.from(one));
      origin = null;
    }
    this.changed({ channel, tables, origin });
  }

  #resize(side) {
    this.#kernel(this.bench.tables.map((table) => resized(table, this.bench.side, side)), side);
  }

  /** Another kernel. The numbers of one drag, or of some typing, are undone together. */
  #kernel(tables, side, keepScale = false) {
    if (!keepScale || !this.editing) this.done.push({ tables: this.bench.tables, side: this.bench.side });
    this.editing = keepScale;
    this.undone.length = 0;
    this.changed({ tables: tables.map((table) => Array.from(table)), side }, keepScale);
  }

  #undo(from, to) {
    if (!from.length) return;
    const { tables, side } = this.bench;
    to.push({ tables, side });
    const before = from.pop();
    this.editing = false;
    this.changed({ side: before.side, tables: tables.map((_, at) => before.tables[at] ?? before.tables[0]) });
  }
}

function titles() {
  return Object.fromEntries(Object.entries(KERNELS).map(([name, { title }]) => [name, title]));
}
