// The lab of the Pooling page: a chain of stages, each with its picture; any value shows what it depends on.

const MAX_STAGES = 8;
const POOL_NAMES = { max: "Max pooling", average: "Average pooling" };
const NEW_STAGES = {
  conv: ["Convolution", () => ({ type: "conv", side: 3, table: [...KERNELS.sobel_y.values] })],
  relu: ["ReLU", () => ({ type: "relu" })],
  pool: ["Pooling", () => ({ type: "pool", kind: "max", size: 2, stride: 2, padding: "valid" })],
};

class ChainLab {
  constructor(root) {
    this.part = partsOf(root);
    this.news = new News(this.part.news);
    this.sync = new Sync(() => this.#settings(), (settings) => this.#adopt(settings));
    this.player = new Player(this.part.player, (row, column) => this.#look(this.place.at, row, column));
    this.cards = [];
    paintScale(root);
    keepKeys(root);
    for (const [type, [name, make]] of Object.entries(NEW_STAGES)) {
      this.part.add.append(element("button", { type: "button", "data-type": type, text: `+ ${name}`, onclick: () => this.#change([...this.stages, make()]) }));
    }
  }

  close() {
    this.sync.close();
    this.news.close();
    this.player.pause();
    this.cards.forEach((card) => card.table?.close());
  }

  /** Another picture. */
  show(photo, title) {
    if (this.photo) this.place = null; // it lies in the picture before
    Object.assign(this, { photo, title });
    this.gray = { planes: [grayscale(photo.planes)], height: photo.height, width: photo.width };
    if (this.stages) this.#soon();
  }

  /** As Python has it: all stages, and the value that the visitor looks at, if one was chosen. */
  #settings() {
    return { stages: this.stages, looked: this.looked ? this.place : null };
  }

  #adopt({ stages, looked }) {
    this.stages = structuredClone(stages);
    this.place = looked;
    this.looked = Boolean(looked);
    this.#build();
    this.#soon();
  }

  /** Another chain: stages were added, removed or changed. */
  #change(stages, sameCards = false) {
    this.stages = stages;
    if (!sameCards) this.#build();
    if (this.held && performance.now() - this.drawn > 8) this.#draw();
    else this.#soon();
    this.sync.touch();
  }

  #edit(at, changes) {
    this.#change(this.stages.map((stage, other) => (other === at ? { ...stage, ...changes } : stage)), true);
  }

  // ---- One card per stage ----

  #build() {
    this.cards.forEach((card) => card.table?.close());
    const firstPool = this.stages.findIndex((stage) => stage.type === "pool");
    this.cards = [null, ...this.stages].map((stage, at) => this.#card(stage, at, at - 1 === firstPool && firstPool >= 0));
    this.part.chain.replaceChildren(...this.cards.map((card) => card.item));
    this.part.add.querySelectorAll("button").forEach((button) => (button.disabled = this.stages.length >= MAX_STAGES));
  }

  #card(stage, at, isOutput) {
    const canvas = element("canvas", { tabindex: "0", role: "img", "data-role": at === 0 ? "source" : isOutput ? "output" : "stage" });
    const box = element("div", { class: `kl-picture${isOutput ? " st-key-pooling_output" : ""}` }, canvas);
    const card = { canvas, title: element("p", { class: "kl-title" }), facts: element("p", { class: "kl-small" }) };
    card.view = new PictureView(canvas, {
      pointed: (row, column) => this.maps?.[at] && this.#look(at, row, column),
      walked: (rows, columns) => {
        if (!this.maps?.[at]) return;
        const { row, column } = this.place.at === at ? this.place : centerOf(this.maps[at]);
        this.#look(at, row + rows, column + columns);
      },
    });
    const controls = stage ? this.#controls(card, stage, at - 1) : [];
    card.item = element("li", {}, card.title, box, card.facts, ...controls);
    return card;
  }

  #controls(card, stage, at) {
    const remove = element("button", { type: "button", text: "Remove", "aria-label": `Remove stage ${at + 1}`, onclick: () => this.#change(this.stages.filter((_, other) => other !== at)) });
    const select = (label, value, options, set) =>
      element(
        "label",
        { class: "kl-field" },
        element("span", { text: label }),
        element("select", { "aria-label": `${label}, stage ${at + 1}`, onchange: (event) => set(event.target.value) }, ...options.map(([key, text]) => element("option", { value: key, text, selected: key === String(value) }))),
      );
    if (stage.type === "conv") return [...this.#kernel(card, stage, at, select), remove];
    if (stage.type === "relu") return [element("p", { class: "kl-small", text: "No value below 0: max(0, value)." }), remove];
    const numbers = Array.from({ length: 8 }, (_, number) => [String(number + 1), String(number + 1)]);
    return [
      element(
        "div",
        { class: "kl-options" },
        select("Keep", stage.kind, [["max", "Max"], ["average", "Average"]], (kind) => this.#edit(at, { kind })),
        select("Window", stage.size, numbers, (size) => this.#edit(at, { size: Number(size) })),
        select("Stride", stage.stride, numbers, (stride) => this.#edit(at, { stride: Number(stride) })),
        select("Padding", stage.padding, [["valid", "valid"], ["same", "same"]], (padding) => this.#edit(at, { padding })),
      ),
      remove,
    ];
  }

  #kernel(card, stage, at, select) {
    const place = element("div", { class: "kl-kernels", role: "group", "aria-label": `Kernel of stage ${at + 1}` });
    const presets = [["", "Your own kernel"], ...Object.entries(KERNELS).map(([name, { title }]) => [name, title])];
    const preset = select("Preset kernel", presetOf(stage.table, stage.side) ?? "", presets, (name) => name && this.#show(card, at, KERNELS[name].values, 3));
    card.preset = preset.querySelector("select");
    card.table = new KernelTable(place, {
      changed: ([table]) => {
        this.#edit(at, { table: [...table] });
        card.preset.value = presetOf(this.stages[at].table, this.stages[at].side) ?? "";
      },
      held: (held) => {
        this.held = held;
        this.sync.hold(held);
      },
      refused: (sentence) => refuse(this.part.error, sentence),
      pasted: ([table], side) => this.#show(card, at, table, side),
    });
    card.table.show([stage.table], stage.side, [""]);
    return [preset, place];
  }

  #show(card, at, table, side) {
    this.#edit(at, { table: [...table], side });
    card.table.show([this.stages[at].table], side, [""]);
    card.preset.value = presetOf(this.stages[at].table, this.stages[at].side) ?? "";
  }

  // ---- Pictures ----

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.photo && this.stages) this.#draw();
    });
  }

  #draw() {
    this.maps = runChain(this.gray, this.stages);
    const lost = this.maps.indexOf(null);
    if (lost > 0 || this.lost) refuse(this.part.error, lost > 0 ? `Stage ${lost} does not fit: its window is larger than the map before it. Choose a smaller window, or remove the stage.` : "");
    this.lost = lost > 0;
    let limit = null; // of the picture, then of the last convolution: ReLU and pooling keep its scale
    this.maps.forEach((map, at) => {
      const card = this.cards[at];
      const name = this.#name(at);
      card.title.textContent = at ? `${at}. ${name}` : name;
      card.canvas.hidden = !map;
      if (!map) {
        card.facts.textContent = "No map";
        card.limit = null;
        return;
      }
      if (this.stages[at - 1]?.type === "conv") limit = this.held && card.limit ? card.limit : fitLimit(map);
      card.limit = limit;
      paint(card.canvas, map, limit ? "zero" : "photo", limit ?? 255);
      const { low, high } = extent(map, -Infinity, Infinity);
      card.facts.textContent = `${map.height} × ${map.width}, from ${number(low)} to ${number(high)}`;
      card.canvas.setAttribute("aria-label", `${name}: ${card.facts.textContent}. Move the frame with the arrow keys.`);
    });
    this.#drawScale();
    if (!this.maps[this.place?.at]) Object.assign(this, { place: this.#firstPlace(), looked: false });
    this.#point(this.place.at, this.place.row, this.place.column);
    this.news.tell(this.cards.map((card) => `${card.title.textContent}: ${card.facts.textContent}`).join(". "));
    this.drawn = performance.now();
  }

  #name(at) {
    const stage = this.stages[at - 1];
    if (!stage) return `${this.title}, in gray`;
    return { conv: "Convolution", relu: "ReLU", pool: POOL_NAMES[stage.kind] }[stage.type];
  }

  /** The strongest value of the first pooling, or of the last map: a place where something happens. */
  #firstPlace() {
    const pooling = this.stages.findIndex((stage) => stage.type === "pool") + 1;
    const at = pooling && this.maps[pooling] ? pooling : this.maps.findLastIndex((map) => map);
    return { at, ...strongest(this.maps[at]) };
  }

  #drawScale() {
    const limits = [...new Set(this.cards.map((card) => card.limit).filter(Boolean))];
    const { scale } = this.part;
    scale.dataset.view = limits.length ? "zero" : "photo";
    const [low, , high] = scale.children;
    low.textContent = limits.length === 1 ? number(-limits[0]) : limits.length ? "below 0" : "0";
    high.textContent = limits.length === 1 ? number(limits[0]) : limits.length ? "above 0" : "255";
    scale.querySelector(".kl-legend").textContent = limits.length
      ? "Red is above 0, white is 0, blue is below 0. ReLU and pooling keep the colors of the map before them."
      : "Black is 0 or less, white is 255 or more.";
  }

  /** The visitor looks at a value of a map. */
  #look(at, row, column) {
    this.#point(at, row, column);
    this.looked = true;
    this.sync.touch();
    this.news.tell(`${this.part["stop-caption"].textContent} ${this.part.arithmetic.textContent}`);
  }

  /** Mark a value of a map, and what it depends on in every map before it. */
  #point(at, row, column) {
    const map = this.maps[at];
    row = Math.min(Math.max(row, 0), map.height - 1);
    column = Math.min(Math.max(column, 0), map.width - 1);
    this.place = { at, row, column };
    const regions = receptiveFields(this.maps, this.stages, at, row, column);
    this.cards.forEach((card, other) => {
      card.view.frame.hidden = other > at;
      if (other <= at) {
        const { top, left, bottom, right } = regions[other];
        card.view.mark(top, left, bottom - top, right - left);
      }
    });
    this.#drawPlace(at, row, column, regions[0]);
  }

  #drawPlace(at, row, column, region) {
    const { part, maps, stages } = this;
    const value = maps[at].planes[0][row * maps[at].width + column];
    const where = `${this.#name(at)}, row ${row}, column ${column}`;
    const size = `${region.bottom - region.top} × ${region.right - region.left} pixels`;
    part["stop-caption"].textContent = at
      ? `${where}: it depends on ${size} of the picture, rows ${region.top} to ${region.bottom - 1}, columns ${region.left} to ${region.right - 1}. This is its receptive field.`
      : `${where}: one pixel of the picture.`;
    const stage = stages[at - 1];
    part.player.hidden = part.player.previousElementSibling.hidden = !stage || stage.type === "relu";
    if (!stage) {
      part.arithmetic.textContent = `Brightness ${number(value)}`;
      return;
    }
    const stop = stopOf(maps[at - 1], stage, row, column);
    part.arithmetic.textContent = stopWrittenOut(stage, stop, value);
    if (stage.type === "relu") return;
    const signed = this.cards[at - 1].limit;
    this.player.show({
      row,
      column,
      ...windowOf(stage),
      source: maps[at - 1],
      output: maps[at],
      names: [`Stage ${at - 1}, ${this.#name(at - 1)}`],
      outputName: this.#name(at),
      steps: stage.type === "conv" ? CONVOLUTION_STEPS : POOLING_STEPS[stage.kind],
      style: signed ? (pixel) => signedStyle(pixel, signed) : photoStyle,
      stopAt: (r, c) => stopOf(maps[at - 1], stage, r, c),
    });
  }
}

function centerOf({ height, width }) {
  return { row: Math.floor(height / 2), column: Math.floor(width / 2) };
}

export default mounting((root) => new ChainLab(root));
