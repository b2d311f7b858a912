// The parts of a thread's stop: bars, tables of numbers that can be pressed, maps with a frame.

/** Draw a partial sum as a button: zero in the middle, the largest of all `limit` as long as a half. */
function sumBar({ name, sum, which }, limit, chosen, press) {
  const share = (50 * Math.abs(sum)) / limit;
  const bar = element("i", {
    style: `width: ${share}%; min-width: ${sum ? 1 : 0}px; ${sum < 0 ? "right" : "left"}: 50%; background: ${sum < 0 ? NEGATIVE : POSITIVE}`,
  });
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", "data-key": `bar-${which}`, "aria-pressed": String(chosen), onclick: press },
      element("span", { text: name }),
      element("span", { class: "kl-track", "aria-hidden": "true" }, bar),
      element("span", { class: "kl-sum", text: number(sum) }),
    ),
  );
}

/** Draw a table of signed numbers. With `press`, each cell inside the maps is a button. */
function signedTable(caption, rows, { inside, chosen, press, name } = {}) {
  const limit = Math.max(...rows.flat().map(Math.abs)) || 1;
  const figure = numberTable(
    caption,
    rows.map((row, i) =>
      row.map((value, j) => {
        const padding = inside && !inside[i][j];
        return {
          text: number(value),
          style: signedStyle(value, limit),
          class: [padding && "kl-padding", chosen && chosen[0] === i && chosen[1] === j && "kl-under"].filter(Boolean).join(" ") || null,
          title: padding ? "padding" : null,
        };
      }),
    ),
  );
  if (press) {
    figure.querySelectorAll("tr").forEach((line, i) =>
      line.querySelectorAll("td").forEach((cell, j) => {
        if (inside && !inside[i][j]) return;
        const pressed = chosen[0] === i && chosen[1] === j;
        cell.replaceChildren(
          element("button", {
            type: "button", class: "kl-cell", text: cell.textContent, "data-key": `cell-${i}-${j}`,
            "aria-label": `${name(i, j)}: ${cell.textContent}`, "aria-pressed": String(pressed), onclick: () => press([i, j]),
          }),
        );
      }),
    );
  }
  return figure;
}

/** Numbers of the photo, 0 to 255, each on its gray. */
function photoTable(caption, rows, inside) {
  return numberTable(
    caption,
    rows.map((row, i) =>
      row.map((value, j) => ({ text: number(value), style: photoStyle(value), class: inside[i][j] ? null : "kl-padding", title: inside[i][j] ? null : "padding" })),
    ),
  );
}

/** A map that Python has colored, on a canvas, with a frame over it; `press(row, column)` when it is clicked. */
class ThreadMap {
  constructor(canvas, press = null) {
    this.canvas = canvas;
    this.view = new PictureView(canvas, { pointed: (row, column) => (this.under = [row, column]), walked: () => {}, chosen: () => {} });
    if (press) canvas.addEventListener("click", () => this.under && press(...this.under));
    canvas.classList.toggle("kl-still", !press);
  }

  /** `picture` is { file, height, width }; `frame` is [top, left, height, width]. */
  show(picture, frame, label) {
    this.size(picture.height, picture.width, frame, label);
    if (picture.file === this.file) return;
    this.file = picture.file;
    decodePicture(picture.file).then((map) => picture.file === this.file && paint(this.canvas, map, "photo"));
  }

  /** What the browser holds already: the photo. */
  paint(photo, frame, label) {
    this.size(photo.height, photo.width, frame, label);
    paint(this.canvas, photo, "photo");
  }

  size(height, width, frame, label) {
    const { canvas } = this;
    if (canvas.height !== height || canvas.width !== width) {
      Object.assign(canvas, { height, width, bits: null });
      this.file = null;
    }
    canvas.setAttribute("aria-label", label);
    this.view.mark(...frame);
  }
}
