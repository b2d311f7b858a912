// Step through: overlay, multiply, add up, move on, over a part of the picture that is small enough to read.

/** What the player shows of a convolution: its phases, and what a cell under the kernel says in each. */
const CONVOLUTION_STEPS = {
  phases: [
    ["Overlay", "Place the kernel on a window of the picture."],
    ["Multiply", "Multiply each pixel by the kernel's number at the same place."],
    ["Add up", "Add up all products, then add the bias. The sum is one number of the feature map."],
    ["Move on", "Write the sum into the feature map. Move the kernel on by the stride."],
  ],
  text: ({ pixel, weight, product }, phase) => (phase === 0 ? `${number(pixel)} × ${number(weight)}` : number(product)),
};

/** What the player shows of a pooling. */
const POOLING_STEPS = {
  max: {
    phases: [
      ["Overlay", "Place the window on the map."],
      ["Compare", "Find the largest number in the window."],
      ["Keep", "Keep this number. The others are dropped."],
      ["Move on", "Write it into the pooled map. Move the window on by the stride."],
    ],
    text: ({ pixel }) => number(pixel),
  },
  average: {
    phases: [
      ["Overlay", "Place the window on the map."],
      ["Add up", "Add up all numbers in the window."],
      ["Divide", "Divide the sum by the count of the numbers. This is the mean."],
      ["Move on", "Write it into the pooled map. Move the window on by the stride."],
    ],
    text: ({ pixel }) => number(pixel),
  },
};

const SPEEDS = { "0.5": "Slow", "1": "Normal", "2": "Fast", "6": "Very fast" };
const PHASE_MILLISECONDS = 900;

/** `moved(row, column)` is called when the window lies elsewhere; `place` is the element to draw into. */
class Player {
  constructor(place, moved) {
    Object.assign(this, { moved, at: 0, phase: 0, timer: null, steps: null, view: null });
    const button = (role, label, onclick) => element("button", { type: "button", "data-role": role, text: label, onclick });
    this.play = button("play", "▶ Play", () => (this.timer ? this.pause() : this.start()));
    this.speed = element(
      "select",
      { "aria-label": "Speed" },
      ...Object.entries(SPEEDS).map(([value, text]) => element("option", { value, text, selected: value === "1" })),
    );
    this.phases = element("ol", { class: "kl-phases" });
    this.grids = element("div", { class: "kl-line kl-crop" });
    this.says = element("p", { class: "kl-unseen", role: "status" });
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
      this.says,
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
    this.says.textContent = this.steps.phases[this.phase].join(": ");
  }

  #last() {
    return this.at === this.rows * this.columns - 1 && this.phase === this.steps.phases.length - 1;
  }

  #forward() {
    if (this.#last()) return;
    this.phase = (this.phase + 1) % this.steps.phases.length;
    if (this.phase === 0) this.#go(this.at + 1);
    this.#draw();
  }

  #backward() {
    if (this.at === 0 && this.phase === 0) return;
    if (this.phase === 0) this.#go(this.at - 1);
    this.phase = (this.phase + this.steps.phases.length - 1) % this.steps.phases.length;
    this.#draw();
  }

  #go(at) {
    this.at = at;
    this.moving = true;
    this.moved(this.top + Math.floor(at / this.columns), this.left + (at % this.columns));
    this.moving = false;
  }

  /**
   * Begin at a place of the map, unless the player itself moved there.
   *
   * `view` has the window's `row`, `column`, `side`, `stride` and `padding`; the maps `source` and `output`; `names` of
   * the source's planes; `steps`; `stopAt(row, column)`; and `style(pixel)`, the look of a cell.
   */
  show(view) {
    if (this.moving) return;
    const same = this.view && ["row", "column", "source", "side", "stride", "padding"].every((key) => view[key] === this.view[key]);
    const { output } = view;
    this.#name(view.steps);
    const shown = { 1: 4, 2: 4, 3: 4, 4: 3, 5: 3 }[view.side] ?? 2;
    this.view = view;
    this.rows = Math.min(shown, output.height);
    this.columns = Math.min(shown, output.width);
    if (!same) {
      this.pause();
      this.phase = 0;
      this.top = Math.min(view.row, output.height - this.rows);
      this.left = Math.min(view.column, output.width - this.columns);
      this.at = (view.row - this.top) * this.columns + view.column - this.left;
    }
    this.#draw();
  }

  #name(steps) {
    if (this.steps === steps) return;
    this.steps = steps;
    this.phases.replaceChildren(...steps.phases.map(([name, says]) => element("li", {}, element("b", { text: name }), ` ${says}`)));
  }

  #draw() {
    const { source, side, stride, padding, names, stopAt } = this.view;
    this.phases.querySelectorAll("li").forEach((item, at) => {
      item.classList.toggle("kl-now", at === this.phase);
      item.toggleAttribute("aria-current", at === this.phase);
    });
    const stop = stopAt(this.top + Math.floor(this.at / this.columns), this.left + (this.at % this.columns));
    const corner = windowAt(source, side, stride, padding, this.top, this.left);
    const height = (this.rows - 1) * stride + side;
    const width = (this.columns - 1) * stride + side;
    const crops = source.planes.map((plane, at) =>
      numberTable(
        names[at],
        Array.from({ length: height }, (_, y) =>
          Array.from({ length: width }, (_, x) => this.#cropCell(stop, at, plane, corner.top + y, corner.left + x)),
        ),
      ),
    );
    this.grids.replaceChildren(...crops, element("span", { class: "kl-sign", text: "→" }), this.#result());
  }

  /** The results so far; the current one is framed. */
  #result() {
    const { output, outputName } = this.view;
    const valueAt = (at) => output.planes[0][(this.top + Math.floor(at / this.columns)) * output.width + this.left + (at % this.columns)];
    const all = Array.from({ length: this.rows * this.columns }, (_, at) => valueAt(at));
    const limit = Math.max(...all.map(Math.abs)) || 1;
    const done = this.at + (this.phase === this.steps.phases.length - 1 ? 1 : 0);
    const cells = all.map((value, at) => ({
      ...(at < done ? { text: number(value), style: signedStyle(value, limit) } : { text: "" }),
      class: at === this.at ? "kl-under" : null,
    }));
    return numberTable(outputName ?? "Feature map", rowsOf(cells, this.columns));
  }

  /** A pixel; under the window what the phase makes of it. */
  #cropCell(stop, plane, pixels, y, x) {
    const { source, side, style } = this.view;
    const inside = y >= 0 && y < source.height && x >= 0 && x < source.width;
    const pixel = inside ? pixels[y * source.width + x] : 0;
    const row = y - stop.top;
    const column = x - stop.left;
    const under = row >= 0 && row < side && column >= 0 && column < side;
    const cell = under ? stop.cells[plane][row * side + column] : null;
    const winner = cell?.winner && this.phase > 0;
    const look = {
      style: style(pixel),
      class: [under && "kl-under", winner && "kl-winner", !inside && "kl-padding"].filter(Boolean).join(" "),
    };
    if (!under || this.phase === this.steps.phases.length - 1) return { text: inside || side > 2 ? number(pixel) : "", ...look };
    return { text: this.steps.text(cell, this.phase), ...look };
  }
}
