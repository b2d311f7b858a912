// The convolution lab: a kernel to edit, the picture, the feature map, and the arithmetic of one place.

const LEGENDS = {
  zero: "Red is above 0, white is 0, blue is below 0.",
  photo: "Black is 0 or less, white is 255 or more.",
  absolute: "Black is 0. Bright is far from 0, above or below.",
};
const EACH_LEGENDS = {
  zero: "Each channel by itself. Middle gray is 0, a brighter color is above 0, a darker one below.",
  photo: "Each channel by itself: dark is 0 or less, bright is 255 or more.",
  absolute: "Each channel by itself: dark is 0, bright is far from 0.",
};

class ConvolutionLab {
  constructor(root) {
    this.part = partsOf(root);
    this.news = new News(this.part.news);
    this.sync = new Sync(() => this.#settings(), (settings) => this.#adopt(settings));
    this.panel = new BenchPanel(this.part.bench, {
      changed: (changes, keepScale) => this.#change(changes, keepScale),
      held: (held) => {
        this.held = held;
        this.dragged = held && CHANNEL_NAMES.map(() => new DraggedConvolution()); // one per map that is shown
        this.sync.hold(held);
      },
      refused: (sentence) => refuse(this.part.error, sentence),
    });
    this.sourceView = this.#view(this.part.source, (y, x) => this.#pointAtPixel(y, x));
    this.outputView = this.#view(this.part.output, (row, column) => this.#point(row, column));
    this.network = new NetworkShelf(this.part.network, {
      ask: (model) => this.ask(model),
      pick: (tables, side, origin) => this.#change({ tables, side, channel: "all", origin }),
    });
    this.player = new Player(this.part.player, (row, column) => this.#point(row, column));
    this.camera = new Camera(this.part.source.closest("figure"), {
      shown: (photo) => this.#film(photo),
      stopped: () => this.#film(this.still),
      refused: (sentence) => refuse(this.part.error, sentence),
    });
    this.part.scale.querySelector("button").addEventListener("click", () => {
      this.fit = true;
      this.#soon();
    });
    paintScale(root);
    keepKeys(root);
  }

  close() {
    this.sync.close();
    this.news.close();
    this.panel.close();
    this.player.pause();
    this.camera.close();
    this.part.output.values = this.part.source.values = null;
  }

  /** Another picture. */
  show(photo, title) {
    Object.assign(this, { still: photo, title });
    this.camera.stop();
    this.#take(photo);
    this.moved = false;
    this.#changed();
  }

  /** Python has run: it lists the networks, and sends the kernels of the one that was asked for. */
  told({ models, network }, tell) {
    this.ask = (model) => tell("network", model);
    this.network.show(models, network);
  }

  #take(photo) {
    this.photo = photo;
    this.gray = { planes: [grayscale(photo.planes)], height: photo.height, width: photo.width };
    this.channels = photo.planes.map((plane) => ({ ...photo, planes: [plane] }));
  }

  /** The camera's next frame; or the photo again, after it. The place under the pointer stays where it is. */
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

  #change(changes, keepScale = false) {
    Object.assign(this.bench, changes);
    this.#changed(keepScale);
    this.sync.touch();
  }

  #settings() {
    const { tables, side, stride, padding, bias, relu, channel, view, row, column, origin } = this.bench;
    return { tables, side, stride, padding, bias, relu, channel, view, row, column, origin };
  }

  #adopt(settings) {
    this.bench = structuredClone(settings);
    this.moved = settings.row !== null;
    this.#changed();
  }

  // ---- Pictures ----

  #view(canvas, pointed) {
    return new PictureView(canvas, {
      pointed: (row, column) => {
        if (!this.output) return;
        pointed(row, column);
        this.sync.touch();
      },
      walked: (rows, columns) => {
        if (!this.output) return;
        this.#point(this.bench.row + rows, this.bench.column + columns);
        this.sync.touch();
      },
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
    const sums = Array.from(this.part.arithmetic.children, (sum) => sum.textContent);
    this.news.tell(`Row ${this.bench.row}, column ${this.bench.column}: ${sums.join(". ")}`);
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
    this.source = bench.channel === "gray" ? this.gray : channel < 0 ? photo : this.channels[channel];
    this.panel.show(bench);
    this.#drawSource(channel);
    this.output = this.#featureMap();
    if (!this.output !== part.output.hidden) refuse(this.part.error, this.output ? "" : this.#tooSmall());
    this.#showResults(Boolean(this.output));
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

  /** Without a map, the numbers of the last one would stand beside another kernel. */
  #showResults(there) {
    const { part } = this;
    const results = [part.output, part["map-caption"], part.scale, part["stop-caption"], part.stop, part.arithmetic, part.player];
    const headings = [part["stop-caption"], part.player].map((place) => place.previousElementSibling);
    for (const place of [...results, ...headings, this.sourceView.frame]) place.hidden = !there;
  }

  #tooSmall() {
    const { height, width } = this.photo;
    return `The kernel (${this.bench.side} pixels) is larger than the picture (${height} × ${width} pixels). Choose a smaller kernel, or the padding “same”.`;
  }

  #featureMap() {
    const { bench, source, held, dragged } = this;
    const one = (map, at) =>
      held ? dragged[at].convolve(map, bench.tables, bench.side, bench, held) : convolve(map, bench.tables, bench.side, bench);
    if (bench.channel !== "each") return one(source, 0);
    const maps = this.channels.map(one);
    return maps[0] && { ...maps[0], planes: maps.map((map) => map.planes[0]) };
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
    const beyond = facts.beyond ? ` ${percent(facts.beyond, facts.count)} of the values are outside this scale and get its end colors.` : "";
    part["map-caption"].textContent = `Feature map: ${output.height} × ${output.width}. ${values}`;
    part.scale.querySelector("span:last-of-type").textContent = `${(each ? EACH_LEGENDS : LEGENDS)[bench.view]}${beyond}`;
    part.output.setAttribute("aria-label", `Feature map of ${this.title}. ${values} Move the frame with the arrow keys.`);
    this.news.tell(`Feature map ${output.height} by ${output.width}. ${values}`);
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
    part["stop-caption"].textContent = `Row ${bench.row}, column ${bench.column} of the map. The window begins at row ${top}, column ${left} of the picture.`.replaceAll("-", "−") + padded;
    const plane = bench.channel === "each" ? { ...this.source, planes: [this.source.planes[0]] } : this.source;
    this.player.show({
      ...bench,
      source: plane,
      output,
      names,
      steps: CONVOLUTION_STEPS,
      style: photoStyle,
      stopAt: (row, column) => oneStop(plane, tables, bench.side, bench, row, column),
    });
  }
}

/** In "each channel" the three sums stay apart. */
function oneOf(stop, cells, { bias, relu }) {
  const before = Math.fround(cells.reduce((sum, cell) => sum + cell.weight * cell.pixel, 0) + bias);
  return { ...stop, cells: [cells], before, value: relu ? Math.max(before, 0) : before };
}

export default mounting((root) => new ConvolutionLab(root));
