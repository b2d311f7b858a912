// A canvas with a frame over it: point at a place, or walk with the arrow keys.

/**
 * `pointed(row, column, event)` is called with a pixel of the canvas, `walked(rows, columns)` with the arrow keys,
 * and `chosen()` with a click or a tap.
 */
class PictureView {
  constructor(canvas, { pointed, walked, chosen }) {
    this.canvas = canvas;
    this.frame = element("div", { class: "kl-frame", hidden: true });
    canvas.after(this.frame);
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height) * canvas.height);
      const column = Math.floor(((event.clientX - box.left) / box.width) * canvas.width);
      if (row >= 0 && column >= 0 && row < canvas.height && column < canvas.width) pointed(row, column, event);
    };
    canvas.addEventListener("pointermove", point);
    canvas.addEventListener("pointerdown", (event) => {
      point(event);
      chosen?.();
    });
    canvas.addEventListener("keydown", (event) => {
      const far = event.shiftKey ? 10 : 1;
      const [rows, columns] = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[event.key] ?? [];
      if (rows === undefined) return;
      event.preventDefault();
      walked(rows, columns);
    });
  }

  /** Lay the frame around a window of the canvas; it may begin in the padding. Small windows get a wider frame. */
  mark(top, left, height, width) {
    const { canvas, frame } = this;
    const percent = (value, whole) => `${(100 * value) / whole}%`;
    frame.hidden = false;
    frame.style.top = percent(top, canvas.height);
    frame.style.left = percent(left, canvas.width);
    frame.style.height = percent(height, canvas.height);
    frame.style.width = percent(width, canvas.width);
  }
}
