// Step through: overlay, multiply, add up, move on, over a part of the picture that is small enough to read.

const PHASES = [
  ["Overlay", "Lay the kernel over a window of the picture."],
  ["Multiply", "Multiply each pixel by the number of the kernel that lies on it."],
  ["Add up", "Add up all products, then add the bias. The sum is one number of the feature map."],
  ["Move on", "Write the sum into the feature map. Move the kernel on by the stride."],
];
const SPEEDS = { "0.5": "Slow", "1": "Normal", "2": "Fast", "6": "Very fast" };
const PHASE_MILLISECONDS = 900;

/** `moved(row, column)` is called when the kernel lies on another window; `place` is the element to draw into. */
class Player {
  constructor(place, moved) {
    this.moved = moved;
    this.at = 0;
    this.phase = 0;
    this.timer = null;
    const button = (role, label, onclick) => element("button", { type: "button", "data-role": role, text: label, onclick });
    this.play = button("play", "▶ Play", () => (this.timer ? this.pause() : this.start()));
    this.speed = element(
      "select",
      { "aria-label": "Speed" },
      ...Object.entries(SPEEDS).map(([value, text]) => element("option", { value, text, selected: value === "1" })),
    );
    this.phases = element(
      "ol",
      { class: "kl-phases" },
      ...PHASES.map(([name, says]) => element("li", {}, element("b", { text: name }), ` ${says}`)),
    );
    this.grids = element("div", { class: "kl-line kl-crop" });
    place.append(
      element(
        "div",
        { class: "kl-buttons", role: "group", "aria-label": "Step through" },
        button("back", "◀ Back", () => this.#by(-1)),
        this.play,
        button("forward", "Forward ▶", () => this.#by(1)),
        this.speed,
      ),
      this.phases,
      this.grids,
    );
  }

  start() {
    if (this.#last()) this.at = this.phase = 0;
    this.play.textContent = "⏸ Pause";
    const next = () => {
      this.timer = setTimeout(next, PHASE_MILLISECONDS / Number(this.speed.value));
      this.#forward();
      if (this.#last()) this.pause();
    };
    this.timer = setTimeout(next, PHASE_MILLISECONDS / Number(this.speed.value));
    this.#draw();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.play.textContent = "▶ Play";
  }

  #by(direction) {
    this.pause();
    if (direction > 0) this.#forward();
    else this.#backward();
  }

  #last() {
    return this.at === this.rows * this.columns - 1 && this.phase === PHASES.length - 1;
  }

  #forward() {
    if (this.#last()) return;
    this.phase = (this.phase + 1) % PHASES.length;
    if (this.phase === 0) this.#go(this.at + 1);
    this.#draw();
  }

  #backward() {
    if (this.at === 0 && this.phase === 0) return;
    if (this.phase === 0) this.#go(this.at - 1);
    this.phase = (this.phase + PHASES.length - 1) % PHASES.length;
    this.#draw();
  }

  #go(at) {
    this.at = at;
    this.moving = true;
    this.moved(this.top + Math.floor(at / this.columns), this.left + (at % this.columns));
    this.moving = false;
  }

  /** Begin at a place of the map, unless the player itself moved there. */
  show(bench, source, output, names) {
    if (this.moving) return;
    const stopsShown = { 3: 4, 5: 3 }[bench.side] ?? 2;
    const changed = this.top !== bench.row || this.left !== bench.column;
    const inside = this.source === source && bench.row === this.top + Math.floor(this.at / this.columns) && bench.column === this.left + (this.at % this.columns);
    Object.assign(this, { bench, source, output, names });
    this.rows = Math.min(stopsShown, output.height);
    this.columns = Math.min(stopsShown, output.width);
    if (!(inside && this.at) && changed) this.at = this.phase = 0;
    if (!this.at) {
      this.top = Math.min(bench.row, output.height - this.rows);
      this.left = Math.min(bench.column, output.width - this.columns);
      this.at = (bench.row - this.top) * this.columns + bench.column - this.left;
    }
    this.#draw();
  }

  #draw() {
    const { bench, source, output } = this;
    if (!source) return;
    this.phases.querySelectorAll("li").forEach((item, at) => item.classList.toggle("kl-now", at === this.phase));
    const row = this.top + Math.floor(this.at / this.columns);
    const column = this.left + (this.at % this.columns);
    const stop = oneStop(source, bench.tables, bench.side, bench, row, column);
    const corner = windowAt(source, bench.side, bench.stride, bench.padding, this.top, this.left);
    const height = (this.rows - 1) * bench.stride + bench.side;
    const width = (this.columns - 1) * bench.stride + bench.side;
    const crops = source.planes.map((plane, at) =>
      numberTable(
        this.names[at],
        Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) => this.#cropCell(stop, at, plane, corner.top + y, corner.left + x)),
        ),
      ),
    );
    const limit = Math.max(...this.#values()) || 1;
    const done = this.at + (this.phase === PHASES.length - 1 ? 1 : 0);
    const result = numberTable(
      "Feature map",
      Array.from({ length: this.rows }, (_, y) =>
        Array.from({ length: this.columns }, (_, x) => {
          const at = y * this.columns + x;
          const value = output.planes[0][(this.top + y) * output.width + this.left + x];
          const now = at === this.at ? "kl-under" : null;
          return at < done ? { text: number(value), style: signedStyle(value, limit), class: now } : { text: "", class: now };
        }),
      ),
    );
    this.grids.replaceChildren(...crops, element("span", { class: "kl-sign", text: "→" }), result);
  }

  #values() {
    const { output } = this;
    return Array.from({ length: this.rows * this.columns }, (_, at) =>
      Math.abs(output.planes[0][(this.top + Math.floor(at / this.columns)) * output.width + this.left + (at % this.columns)]),
    );
  }

  /** A pixel; under the kernel also the number that lies on it, then their product. */
  #cropCell(stop, plane, pixels, y, x) {
    const { bench, source } = this;
    const inside = y >= 0 && y < source.height && x >= 0 && x < source.width;
    const pixel = inside ? pixels[y * source.width + x] : 0;
    const row = y - stop.top;
    const column = x - stop.left;
    const under = row >= 0 && row < bench.side && column >= 0 && column < bench.side;
    const look = { style: photoStyle(pixel), class: [under && "kl-under", !inside && "kl-padding"].filter(Boolean).join(" ") };
    if (!under || this.phase === 3) return { text: number(pixel), ...look };
    const cell = stop.cells[plane][row * bench.side + column];
    return { text: this.phase === 0 ? `${number(pixel)} × ${number(cell.weight)}` : number(cell.product), ...look };
  }
}
