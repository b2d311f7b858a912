// The pixel lab: the pixel under the pointer as numbers and bars, and the window around it, number by number.

const CHANNELS = ["red", "green", "blue"];
const NUMBERS = { all: "All three", red: "Red", green: "Green", blue: "Blue", gray: "Gray" };
const WINDOW_SIDES = [3, 10];

class PixelLab {
  constructor(root) {
    this.part = partsOf(root);
    this.news = new News(this.part.news);
    this.sync = new Sync(() => this.#settings(), (settings) => this.#adopt(settings));
    this.view = new PictureView(this.part.source, {
      pointed: (row, column, event) => (!this.pinned || event.buttons) && this.#point(row, column),
      walked: (rows, columns) => this.#pinAt(this.row + rows, this.column + columns),
      chosen: () => this.#pinAt(this.row, this.column),
    });
    this.part.pin.addEventListener("click", () => this.#pin(!this.pinned));
    this.bars = [...CHANNELS, "gray"].map((name) => this.#bar(name));
    this.#options();
    this.#pin(false);
    keepKeys(root);
  }

  close() {
    this.sync.close();
    this.news.close();
    this.part.source.values = null;
  }

  // ---- What is looked at ----

  /** As Python has it: the window's first pixel, its size, the numbers in its cells, and which pixel is looked at. */
  #settings() {
    const { top, left, height, width } = this.#window();
    const inMiddle = this.row === top + Math.floor(height / 2) && this.column === left + Math.floor(width / 2);
    return {
      row: top, column: left, size: this.size, numbers: this.numbers,
      pixel_row: inMiddle ? null : this.row, pixel_column: inMiddle ? null : this.column,
    };
  }

  #adopt({ row, column, size, numbers, pixel_row, pixel_column }) {
    Object.assign(this, { size, numbers });
    const { height, width } = this.photo;
    const inside = (wanted, first, whole) => {
      const side = Math.min(size, whole);
      return Math.min(Math.max(wanted ?? first + Math.floor(side / 2), first), first + side - 1);
    };
    this.row = inside(pixel_row, row, height);
    this.column = inside(pixel_column, column, width);
    this.#draw();
  }

  /** The window around the pixel; at the edge of the picture it stays inside. */
  #window() {
    const { height, width } = this.photo;
    const first = (place, whole) => Math.max(0, Math.min(place - Math.floor(Math.min(this.size, whole) / 2), whole - this.size));
    return {
      top: first(this.row, height), left: first(this.column, width),
      height: Math.min(this.size, height), width: Math.min(this.size, width),
    };
  }

  #point(row, column) {
    if (!this.photo) return;
    this.row = Math.min(Math.max(row, 0), this.photo.height - 1);
    this.column = Math.min(Math.max(column, 0), this.photo.width - 1);
    this.#draw();
    this.sync.touch();
  }

  #pinAt(row, column) {
    this.#pin(true);
    this.#point(row, column);
  }

  #pin(pinned) {
    this.pinned = pinned;
    this.part.pin.setAttribute("aria-pressed", String(pinned));
    this.part["pin-says"].textContent = pinned ? "Pinned: the frame stays here while your pointer moves on." : "The frame follows your pointer. Click or tap to pin it. Arrow keys move it by a pixel.";
  }

  // ---- Pictures and numbers ----

  /** Another picture. */
  show(photo, title) {
    Object.assign(this, { photo, title });
    this.gray = grayscale(photo.planes);
    const { source, photo: place } = this.part;
    paint(source, photo, "photo", 255);
    place.style.setProperty("--kl-aspect", photo.width / photo.height);
    this.part["source-caption"].textContent = `${this.title}: ${photo.height} rows × ${photo.width} columns`;
    source.setAttribute("aria-label", `${this.title}. The arrow keys move the frame by a pixel, with Shift by ten.`);
  }

  #draw() {
    const place = this.#window();
    this.view.mark(place.top, place.left, place.height, place.width);
    this.#drawOptions();
    this.#drawPixel();
    this.#drawWindow(place);
    const [red, green, blue, gray] = this.#pixel(this.row, this.column);
    this.news.tell(`Row ${this.row}, column ${this.column}: red ${red}, green ${green}, blue ${blue}, gray ${gray}.`);
  }

  /** Red, green, blue, gray of one pixel. */
  #pixel(row, column) {
    const at = row * this.photo.width + column;
    return [...this.photo.planes.map((plane) => plane[at]), this.gray[at]];
  }

  #drawPixel() {
    const values = this.#pixel(this.row, this.column);
    this.part["pixel-place"].textContent = `Row ${this.row}, column ${this.column}`;
    this.part.swatch.style.background = `rgb(${values.slice(0, 3).join(" ")})`;
    this.bars.forEach(({ bar, text }, at) => {
      bar.style.width = `${(values[at] / 255) * 100}%`;
      text.textContent = values[at];
    });
  }

  #bar(name) {
    const bar = element("b", { class: `kl-bar kl-bar-${name}` });
    const text = element("output", { "data-role": `pixel-${name}` });
    this.part.bars.append(element("span", { text: NUMBERS[name] }), element("i", { class: "kl-track" }, bar), text);
    return { bar, text };
  }

  #drawWindow({ top, left, height, width }) {
    const { window: table } = this.part;
    if (table.rows.length !== height + 1 || table.rows[0].cells.length !== width + 1) this.#layOut(height, width);
    const channel = CHANNELS.indexOf(this.numbers);
    const values = [];
    for (let x = 0; x < width; x++) table.rows[0].cells[x + 1].textContent = left + x;
    for (let y = 0; y < height; y++) {
      const { cells } = table.rows[y + 1];
      cells[0].textContent = top + y;
      for (let x = 0; x < width; x++) {
        const pixel = this.#pixel(top + y, left + x);
        const shown = this.numbers === "all" ? pixel.slice(0, 3) : [channel < 0 ? pixel[3] : pixel[channel]];
        const color = this.numbers === "gray" ? [pixel[3], pixel[3], pixel[3]] : pixel.slice(0, 3).map((value, at) => (channel < 0 || at === channel ? value : 0));
        cells[x + 1].textContent = shown.join("\n");
        cells[x + 1].style = photoStyle(...color);
        cells[x + 1].className = top + y === this.row && left + x === this.column ? "kl-under" : "";
        values.push(...shown);
      }
    }
    Object.assign(table, { values: Float32Array.from(values), shape: [height, width, this.numbers === "all" ? 3 : 1] });
    const what = this.numbers === "all" ? "red, green and blue from top to bottom" : this.numbers;
    table.caption.textContent = `The framed pixels, enlarged: ${what}`;
    this.part["window-caption"].textContent =
      `Rows ${top} to ${top + height - 1}, columns ${left} to ${left + width - 1}. Gray is 0.299 red + 0.587 green + 0.114 blue.`;
  }

  #layOut(height, width) {
    const { window: table } = this.part;
    const head = (scope) => element("th", { scope });
    table.tHead.replaceChildren(element("tr", {}, element("td"), ...Array.from({ length: width }, () => head("col"))));
    const row = () => element("tr", {}, head("row"), ...Array.from({ length: width }, () => element("td")));
    table.tBodies[0].replaceChildren(...Array.from({ length: height }, row));
    table.style.setProperty("--kl-cells", Math.max(width, height));
  }

  // ---- Options ----

  #options() {
    const option = (name, value) => {
      this[name] = value;
      this.#draw();
      this.sync.touch();
    };
    const numbers = element("select", { "aria-label": "Numbers to show", onchange: () => option("numbers", numbers.value) },
      ...Object.entries(NUMBERS).map(([value, text]) => element("option", { value, text })));
    const [min, max] = WINDOW_SIDES;
    const size = element("input", { type: "range", min, max, "aria-label": "Region's size", oninput: () => option("size", size.valueAsNumber) });
    const side = element("span");
    this.part.options.append(
      element("label", { class: "kl-field" }, element("span", { text: "Numbers to show" }), numbers),
      element("label", { class: "kl-field" }, side, size),
    );
    this.menus = { numbers, size, side };
  }

  #drawOptions() {
    const { numbers, size, side } = this.menus;
    numbers.value = this.numbers;
    size.value = this.size;
    side.textContent = `Region's size: ${this.size} × ${this.size} pixels`;
  }
}

export default mounting((root) => new PixelLab(root));
