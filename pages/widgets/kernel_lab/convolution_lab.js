// The convolution lab: a kernel under the hand, the picture, the feature map, and the arithmetic of one place.

const CHANNEL_NAMES = ["red", "green", "blue"];
const CHANNEL_LABELS = { gray: "Gray", red: "Red", green: "Green", blue: "Blue", each: "Each channel", all: "All three, added up" };
const VIEW_LABELS = { zero: "Zero in the middle", photo: "Clipped to 0–255", absolute: "Absolute value" };
const LEGENDS = {
  zero: "Red is above 0, white is 0, blue is below 0.",
  photo: "Black is 0 or less, white is 255 or more.",
  absolute: "Black is 0. The brighter, the farther from 0, below or above.",
};
const EACH_LEGENDS = {
  zero: "Each channel by itself. Middle gray is 0, a brighter color is above 0, a darker one below.",
  photo: "Each channel by itself: dark is 0 or less, bright is 255 or more.",
  absolute: "Each channel by itself: the brighter, the farther from 0.",
};

class ConvolutionLab {
  constructor(root) {
    this.root = root;
    const role = (name) => root.querySelector(`[data-role=${name}]`);
    this.part = Object.fromEntries(
      ["bench", "source", "output", "source-caption", "map-caption", "scale", "stop", "arithmetic", "player", "news", "error"].map((name) => [name, role(name)]),
    );
    this.sync = new Sync(() => this.#settings(), (settings) => this.#adopt(settings));
    this.undone = [];
    this.done = [];
    this.#controls();
    this.sourceView = this.#view(this.part.source, (y, x) => this.#pointAtPixel(y, x));
    this.outputView = this.#view(this.part.output, (row, column) => this.#point(row, column));
    this.player = new Player(this.part.player, (row, column) => this.#point(row, column));
    this.camera = new Camera(this.part.source.closest("figure"), {
      shown: (photo) => this.#film(photo),
      stopped: () => this.#film(this.still),
      refused: (sentence) => this.#refuse(sentence),
    });
    this.part.scale.querySelector("button").addEventListener("click", () => {
      this.fit = true;
      this.#soon();
    });
    const stops = RED_BLUE.map((color) => `rgb(${color.join(" ")})`);
    root.style.setProperty("--kl-red-blue", `linear-gradient(to right, ${stops.join(", ")})`);
    // Streamlit's own shortcuts (r, c) must not see what is typed here.
    for (const name of ["keydown", "keypress", "keyup"]) root.addEventListener(name, (event) => event.stopPropagation());
  }

  close() {
    this.sync.close();
    this.table.close();
    this.player.pause();
    this.camera.close();
    this.part.output.values = this.part.source.values = null;
  }

  /** Called by Streamlit after each run of the page. */
  async receive(data, setStateValue) {
    const photo = await heldPicture(data, (id) => setStateValue("has", id));
    // Until Python has heard of this lab, the ordinary controls stand in its place: no cell may be there twice.
    if (!photo || !data.ready) return;
    this.title = data.picture.title;
    if (photo !== this.still) {
      this.still = photo;
      this.camera.stop();
      this.#take(photo);
      this.moved = false;
      this.#changed();
    }
    if (data.settings) this.sync.receive(data.settings, (settings) => setStateValue("bench", settings));
    this.root.hidden = false;
  }

  #take(photo) {
    this.photo = photo;
    this.gray = { planes: [grayscale(photo.planes)], height: photo.height, width: photo.width };
  }

  /** The camera's next frame; or the photo again, after it. The place under the hand stays where it is. */
  #film(photo) {
    const follows = this.photo !== this.still && photo !== this.still;
    if (this.photo === this.still) this.before = { place: { row: this.bench.row, column: this.bench.column }, moved: this.moved };
    this.#take(photo);
    this.moved = true;
    if (photo === this.still) {
      this.moved = this.before.moved;
      Object.assign(this.bench, this.before.place);
      this.sync.touch();
    }
    this.#changed(follows);
  }

  // ---- The bench: kernel and options ----

  #controls() {
    const { bench } = this.part;
    const select = (label, options, set) => {
      const menu = element("select", { "aria-label": label, onchange: () => set(menu.value) }, ...Object.entries(options).map(([value, text]) => element("option", { value, text })));
      bench.append(element("label", { class: "kl-field" }, element("span", { text: label }), menu));
      return menu;
    };
    const set = (name, convert = (value) => value) => (value) => this.#option(name, convert(value));
    this.preset = select("Preset kernel", { "": "Your own kernel", ...Object.fromEntries(Object.entries(KERNELS).map(([name, { title }]) => [name, title])) }, (name) => name && this.#kernel(this.bench.tables.map(() => KERNELS[name].values), 3));
    this.finds = element("p", { class: "kl-small" });
    const cells = element("div", { class: "kl-kernels" });
    bench.append(this.finds, cells);
    this.table = new KernelTable(cells, {
      changed: (tables) => this.#kernel(tables, this.bench.side, true),
      held: (held) => {
        this.held = held;
        this.sync.hold(held);
      },
      refused: (sentence) => this.#refuse(sentence),
      pasted: (tables, side) => this.#kernel(tables, side),
    });
    this.undo = element("button", { type: "button", text: "Undo", onclick: () => this.#undo(this.done, this.undone) });
    this.redo = element("button", { type: "button", text: "Redo", onclick: () => this.#undo(this.undone, this.done) });
    const names = { rotate: "Rotate", mirror: "Flip ↔", flip: "Flip ↕", transpose: "Transpose", normalize: "Normalize", negate: "Negate", random: "Random" };
    const hints = { normalize: "Divide by the sum, so that the numbers add up to 1", rotate: "Turn by 90°", transpose: "Swap rows and columns", random: "Whole numbers from −4 to 4" };
    bench.append(
      element(
        "div",
        { class: "kl-buttons", role: "group", "aria-label": "Change the kernel" },
        ...Object.entries(names).map(([name, text]) =>
          element("button", { type: "button", text, title: hints[name], onclick: () => this.#kernel(this.bench.tables.map((table) => CHANGES[name](Array.from(table), this.bench.side)), this.bench.side) }),
        ),
        this.undo,
        this.redo,
      ),
    );
    bench.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || !["z", "y"].includes(event.key.toLowerCase())) return;
      event.preventDefault();
      (event.key.toLowerCase() === "y" || event.shiftKey ? this.redo : this.undo).click();
    });
    this.menus = {
      side: select("Kernel size", { 3: "3×3", 5: "5×5", 7: "7×7" }, (side) => this.#kernel(this.bench.tables.map((table) => resized(table, this.bench.side, Number(side))), Number(side))),
      stride: select("Stride", { 1: "1", 2: "2", 3: "3", 4: "4" }, set("stride", Number)),
      padding: select("Padding", { valid: "valid", same: "same" }, set("padding")),
      channel: select("Convolve", CHANNEL_LABELS, (channel) => this.#channel(channel)),
      view: select("Colors of the map", VIEW_LABELS, set("view")),
    };
    this.bias = element("input", { type: "text", "aria-label": "Bias", inputmode: "decimal", autocomplete: "off", oninput: () => this.#bias(readNumber(this.bias.value)) });
    this.bias.addEventListener("keydown", (event) => {
      const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
      if (direction) this.#bias(rounded(this.bench.bias + direction * stepOf(event)));
    });
    this.bias.addEventListener("blur", () => (this.bias.value = typed(this.bench.bias)));
    this.relu = element("input", { type: "checkbox", onchange: () => this.#option("relu", this.relu.checked) });
    bench.append(
      element("label", { class: "kl-field" }, element("span", { text: "Bias" }), this.bias),
      element("label", { class: "kl-check" }, this.relu, "ReLU: no value below 0"),
    );
  }

  #bias(value) {
    this.bias.toggleAttribute("aria-invalid", Number.isNaN(value));
    if (Number.isNaN(value)) return this.#refuse(`The bias must be a number between −${MAX_WEIGHT} and ${MAX_WEIGHT}, such as 0.`);
    this.#refuse("");
    return this.#option("bias", value, true);
  }

  #option(name, value, keepScale = false) {
    this.bench[name] = value;
    this.#changed(keepScale);
    this.sync.touch();
  }

  #channel(channel) {
    const count = channel === "all" ? 3 : 1;
    const { tables } = this.bench;
    if (tables.length !== count) {
      const one = tables[Math.max(CHANNEL_NAMES.indexOf(channel), 0)] ?? tables[0];
      this.bench.tables = Array.from({ length: count }, () => Array.from(one));
    }
    this.#option("channel", channel);
  }

  #kernel(tables, side, keepScale = false) {
    const now = { tables: tables.map((table) => Array.from(table)), side };
    if (!keepScale || !this.editing) this.done.push({ tables: this.bench.tables, side: this.bench.side });
    this.editing = keepScale; // the numbers of one drag are undone together
    this.undone.length = 0;
    Object.assign(this.bench, now);
    this.#changed(keepScale);
    this.sync.touch();
  }

  #undo(from, to) {
    if (!from.length) return;
    const { tables, side } = this.bench;
    to.push({ tables, side });
    const wanted = this.bench.channel === "all" ? 3 : 1;
    const before = from.pop();
    Object.assign(this.bench, { side: before.side, tables: Array.from({ length: wanted }, (_, at) => before.tables[at] ?? before.tables[0]) });
    this.editing = false;
    this.#changed();
    this.sync.touch();
  }

  #settings() {
    const { tables, side, stride, padding, bias, relu, channel, view, row, column } = this.bench;
    return { tables, side, stride, padding, bias, relu, channel, view, row, column };
  }

  #adopt(settings) {
    this.bench = structuredClone(settings);
    this.moved = settings.row !== null;
    this.#changed();
  }

  #refuse(sentence) {
    this.part.error.textContent = sentence;
    this.part.error.hidden = !sentence;
  }

  // ---- Pictures ----

  #view(canvas, pointed) {
    return new PictureView(canvas, {
      pointed: (row, column) => this.output && pointed(row, column),
      walked: (rows, columns) => {
        if (!this.output) return;
        this.#point(this.bench.row + rows, this.bench.column + columns);
        this.sync.touch();
      },
      chosen: () => this.sync.touch(),
    });
  }

  #pointAtPixel(y, x) {
    const { side, stride, padding } = this.bench;
    const { top, left } = windowAt(this.source, side, stride, padding, 0, 0);
    const middle = (side - 1) / 2;
    this.#point(Math.round((y - top - middle) / stride), Math.round((x - left - middle) / stride));
  }

  #point(row, column) {
    this.bench.row = Math.min(Math.max(row, 0), this.output.height - 1);
    this.bench.column = Math.min(Math.max(column, 0), this.output.width - 1);
    this.moved = true;
    this.#drawPlace();
  }

  #changed(keepScale = false) {
    this.fit ||= !keepScale && !this.held;
    // At once, for the eye; but input comes faster than frames, which need their time as well.
    if (this.held && performance.now() - this.drawn > 8) this.#draw();
    else this.#soon();
  }

  #soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.photo && this.bench) this.#draw();
    });
  }

  #draw() {
    const { bench, photo, part } = this;
    const channel = CHANNEL_NAMES.indexOf(bench.channel);
    this.source = bench.channel === "gray" ? this.gray : channel < 0 ? photo : { ...photo, planes: [photo.planes[channel]] };
    this.#drawBench();
    this.#drawSource(channel);
    this.output = this.#featureMap();
    if (!this.output !== part.output.hidden) this.#refuse(this.output ? "" : this.#tooSmall());
    part.output.hidden = !this.output;
    if (!this.output) return;
    if (this.fit) this.limit = fitLimit(this.output);
    this.fit = false;
    paint(part.output, this.output, bench.view, this.limit);
    this.#drawScale();
    if (!this.moved && !this.held) Object.assign(bench, strongest(this.output));
    bench.row = Math.min(bench.row, this.output.height - 1);
    bench.column = Math.min(bench.column, this.output.width - 1);
    // Numbers that change with every frame of a camera cannot be read: they are written a few times a second.
    if (!this.camera.on || performance.now() - this.placed > 200) this.#drawPlace();
    this.drawn = performance.now();
  }

  #tooSmall() {
    const { height, width } = this.photo;
    return `The kernel (${this.bench.side} pixels) is larger than the picture (${height} × ${width} pixels). Choose a smaller kernel, or the padding “same”.`;
  }

  #featureMap() {
    const { bench, source } = this;
    if (bench.channel !== "each") return convolve(source, bench.tables, bench.side, bench);
    const maps = source.planes.map((plane) => convolve({ ...source, planes: [plane] }, bench.tables, bench.side, bench));
    return maps[0] && { ...maps[0], planes: maps.map((map) => map.planes[0]) };
  }

  #drawBench() {
    const { bench, menus } = this;
    this.table.show(bench.tables, bench.side, CHANNEL_NAMES);
    for (const [name, menu] of Object.entries(menus)) menu.value = bench[name];
    if (document.activeElement !== this.bias) this.bias.value = typed(bench.bias);
    this.relu.checked = bench.relu;
    const name = Object.keys(KERNELS).find((key) => bench.side === 3 && bench.tables.every((table) => table.every((value, at) => Math.fround(value) === Math.fround(KERNELS[key].values[at]))));
    this.preset.value = name ?? "";
    this.finds.textContent = name ? KERNELS[name].finds : "";
    this.undo.disabled = !this.done.length;
    this.redo.disabled = !this.undone.length;
  }

  #drawSource(channel) {
    const shown = `${this.photo.height}×${this.photo.width} ${this.bench.channel}`;
    if (this.painted === this.photo && this.paintedAs === shown) return;
    [this.painted, this.paintedAs] = [this.photo, shown];
    const { source } = this.part;
    const none = channel < 0 ? null : new Float32Array(this.photo.planes[0].length);
    const tinted = channel < 0 ? this.source : { ...this.photo, planes: CHANNEL_NAMES.map((_, at) => (at === channel ? this.photo.planes[at] : none)) };
    paint(source, tinted, "photo", 255);
    if (channel >= 0) Object.assign(source, { values: this.source.planes[0], shape: [this.photo.height, this.photo.width, 1] });
    const title = this.photo === this.still ? this.title : "Your camera";
    const words = { gray: "in gray", each: "each channel", all: "all three channels" }[this.bench.channel] ?? `its ${this.bench.channel} channel`;
    this.part["source-caption"].textContent = `${title}, ${words}: ${this.photo.height} × ${this.photo.width}`;
    source.setAttribute("aria-label", `${title}, ${words}. Move the frame with the arrow keys.`);
  }

  #drawScale() {
    const { output, limit, bench, part } = this;
    const [low, high] = VIEWS[bench.view].range(limit);
    const facts = extent(output, low, high);
    const each = output.planes.length > 1;
    const bar = part.scale.querySelector("i");
    part.scale.dataset.view = each ? "each" : bench.view;
    bar.previousElementSibling.textContent = number(bench.view === "absolute" ? 0 : low);
    bar.nextElementSibling.textContent = number(high);
    const values = `Values from ${number(facts.low)} to ${number(facts.high)}.`;
    const beyond = facts.beyond ? ` ${share(facts.beyond)} of them lie beyond this scale and get its end colors.` : "";
    part["map-caption"].textContent = `Feature map: ${output.height} × ${output.width}. ${values}`;
    part.scale.querySelector("span:last-of-type").textContent = `${(each ? EACH_LEGENDS : LEGENDS)[bench.view]}${beyond}`;
    part.output.setAttribute("aria-label", `Feature map of ${this.title}. ${values} Move the frame with the arrow keys.`);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => (part.news.textContent = `Feature map ${output.height} by ${output.width}. ${values}`), 700);
  }

  /** The frames in both pictures, and the arithmetic of the place that they mark. */
  #drawPlace() {
    this.placed = performance.now();
    const { bench, part, output } = this;
    const { top, left } = windowAt(this.source, bench.side, bench.stride, bench.padding, bench.row, bench.column);
    this.sourceView.mark(top, left, bench.side, bench.side);
    this.outputView.mark(bench.row, bench.column, 1, 1);
    const names = bench.channel === "all" || bench.channel === "each" ? CHANNEL_NAMES : [bench.channel];
    const tables = bench.channel === "each" ? [bench.tables[0], bench.tables[0], bench.tables[0]] : bench.tables;
    const stop = oneStop(this.source, tables, bench.side, bench, bench.row, bench.column);
    drawStop(part.stop, stop, bench.side, names);
    const sums = bench.channel === "each" ? stop.cells.map((cells) => oneOf(stop, cells, bench)) : [stop];
    part.arithmetic.replaceChildren(...sums.map((one, at) => element("p", { text: `${sums.length > 1 ? `${names[at]}: ` : ""}${writtenOut(one, bench)}` })));
    const padded = stop.cells[0].some((cell) => !cell.inside) ? " Part of the window lies in the padding." : "";
    part["stop-caption"] ??= this.root.querySelector("[data-role=stop-caption]");
    part["stop-caption"].textContent = `Row ${bench.row}, column ${bench.column} of the map. The window begins at row ${top}, column ${left} of the picture.`.replaceAll("-", "−") + padded;
    const plane = bench.channel === "each" ? { ...this.source, planes: [this.source.planes[0]] } : this.source;
    this.player.show(bench, plane, output, names);
  }
}

/** In "each channel" the three sums stay apart. */
function oneOf(stop, cells, { bias, relu }) {
  const before = Math.fround(cells.reduce((sum, cell) => sum + cell.weight * cell.pixel, 0) + bias);
  return { ...stop, cells: [cells], before, value: relu ? Math.max(before, 0) : before };
}

/** Smallest and largest value of a map, and which share lies outside of low to high. */
function extent(map, low, high) {
  let [least, most, beyond, all] = [Infinity, -Infinity, 0, 0];
  for (const plane of map.planes) {
    all += plane.length;
    for (let at = 0; at < plane.length; at++) {
      const value = plane[at];
      if (value < least) least = value;
      if (value > most) most = value;
      if (value < low || value > high) beyond++;
    }
  }
  return { low: least, high: most, beyond: beyond / all };
}

/** A share that was counted, as a percentage; never 0 % or 100 % unless it is none or all. */
function share(value) {
  if (value > 0 && value < 0.001) return "Under 0.1 %";
  return `${Math.min(value * 100, value < 1 ? 99.9 : 100).toFixed(1)} %`;
}

const labs = new WeakMap(); // by the element that Streamlit gives a component

export default function ({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".kl");
  if (!labs.has(root)) labs.set(root, new ConvolutionLab(root));
  const lab = labs.get(root);
  lab.receive(data, setStateValue);
  return () => {
    lab.close();
    labs.delete(root);
  };
}
