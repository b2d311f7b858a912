// The threshold lab: black and white while the slider moves, and on which side of it how many pixels lie.

class ThresholdLab {
  constructor(root) {
    this.part = partsOf(root);
    this.news = new News(this.part.news);
    this.sync = new Sync(() => ({ threshold: this.threshold }), ({ threshold }) => this.#set(threshold));
    const { part } = this;
    for (const [side, color] of [["black", BLACKENED], ["white", WHITENED]]) {
      part[side].style.fill = part[`${side}-key`].style.background = color;
    }
    this.#controls();
    keepKeys(root);
  }

  close() {
    this.sync.close();
    this.news.close();
    this.part.output.values = null;
  }

  #controls() {
    const { threshold, histogram } = this.part;
    threshold.addEventListener("input", () => this.#move(threshold.valueAsNumber));
    const point = (event) => {
      const box = histogram.getBoundingClientRect();
      this.#move(Math.min(Math.max(Math.round(((event.clientX - box.left) / box.width) * 256), 0), 256));
    };
    histogram.addEventListener("pointerdown", (event) => {
      histogram.setPointerCapture(event.pointerId);
      point(event);
    });
    histogram.addEventListener("pointermove", (event) => event.buttons && point(event));
    // Python hears of it when the slider is released, not while it is dragged.
    for (const part of [threshold, histogram]) {
      part.addEventListener("pointerdown", () => this.sync.hold(true));
      for (const end of ["pointerup", "pointercancel", "change"]) part.addEventListener(end, () => this.sync.hold(false));
    }
  }

  #move(threshold) {
    this.#set(threshold);
    this.sync.touch();
  }

  #set(threshold) {
    this.threshold = threshold;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#draw();
    });
  }

  /** Another picture. */
  show(photo, title) {
    Object.assign(this, { photo, title });
    const [gray] = photo.planes; // Python sends brightness: the three channels are the same
    this.bits = new Float32Array(gray.length);
    this.counts = new Float32Array(256);
    for (let at = 0; at < gray.length; at++) this.counts[gray[at]]++;
    const most = Math.max(...this.counts);
    const bars = Array.from(this.counts, (count, value) => `V${100 - (100 * count) / most}H${value + 1}`);
    this.bars = (from, to) => (from < to ? `M${from} 100${bars.slice(from, to).join("")}V100Z` : "");
    this.part.photo.style.setProperty("--kl-aspect", photo.width / photo.height);
    Object.assign(this.part.histogram, { values: this.counts, shape: [256] });
    if (this.threshold !== undefined) this.#set(this.threshold);
  }

  #draw() {
    const { part, threshold, photo, bits } = this;
    const [gray] = photo.planes;
    let white = 0;
    for (let at = 0; at < gray.length; at++) white += bits[at] = gray[at] >= threshold ? 1 : 0;
    paint(part.output, { ...photo, planes: [bits] }, "absolute", 1);
    part.threshold.value = threshold;
    part["threshold-says"].textContent = `Threshold: ${threshold}`;
    part.black.setAttribute("d", this.bars(0, threshold));
    part.white.setAttribute("d", this.bars(threshold, 256));
    part.line.setAttribute("x1", threshold);
    part.line.setAttribute("x2", threshold);
    const says = `${percent(white, gray.length)} of the pixels are 1 (white).`;
    part.share.textContent = says;
    part.output.setAttribute("aria-label", `${this.title} in black and white, threshold ${threshold}`);
    part.histogram.setAttribute("aria-label", `How many pixels have each brightness from 0 to 255, with a line at the threshold ${threshold}`);
    this.news.tell(`Threshold ${threshold}: ${says}`);
  }
}

export default mounting((root) => new ThresholdLab(root));
