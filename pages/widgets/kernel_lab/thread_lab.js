// One number, one thread. Python computes each stop and its texts; here it is drawn, and the next one is chosen.

const FIRST_BARS = 12;

class ThreadLab {
  constructor(root) {
    this.root = root;
    this.part = partsOf(root);
    this.maps = {
      map: new ThreadMap(this.part.map, (row, column) => this.#choose([row, column, this.stop.at[2]])),
      source: new ThreadMap(this.part.source),
      photo: new ThreadMap(this.part.photo),
    };
    this.part.more.addEventListener("click", () => {
      this.all = !this.all;
      this.#bars();
    });
    this.part.go.addEventListener("click", () => {
      const { layer, at } = this.stop.way.go;
      this.#send([...this.stop.path, { layer, at }]);
    });
    keepKeys(root);
  }

  close() {
    this.endTelling?.();
  }

  /** The photo as the network receives it. */
  show(photo, title) {
    Object.assign(this, { photo, title });
  }

  /** Python has run. */
  told({ thread }, tell) {
    this.tell = tell;
    if (thread.turn === this.turn) {
      this.endTelling?.();
      this.root.removeAttribute("aria-busy");
    }
    const text = JSON.stringify(thread) + this.title;
    if (text === this.text) return;
    const place = JSON.stringify(thread.path.map(({ layer, at }) => [layer, at]));
    const went = this.text && place !== this.place;
    Object.assign(this, { text, place, stop: thread });
    const key = this.root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    this.#draw();
    if (key) (this.root.querySelector(`[data-key="${key}"]:not([hidden], :disabled)`) ?? this.part.title).focus({ preventScroll: true });
    if (key && went && ["go", "crumb"].includes(key.split("-")[0])) {
      this.part.title.focus({ preventScroll: true });
      this.part.crumbs.scrollIntoView({ block: "nearest" });
    }
    if (went) this.part.news.textContent = thread.title;
  }

  /** Tell Python the path that the visitor has chosen; again, when no answer comes. */
  #send(path) {
    this.turn = Date.now();
    this.root.setAttribute("aria-busy", "true");
    const asked = { path, turn: this.turn };
    this.endTelling?.();
    this.endTelling = insist(
      () => this.tell("bench", asked),
      () => false,
    );
  }

  /** Another number of this layer. */
  #choose(at) {
    const { path } = this.stop;
    this.all = false;
    this.#send([...path.slice(0, -1), { layer: path.at(-1).layer, at }]);
  }

  /** Another part of this number's sum. */
  #look(choice) {
    const { path } = this.stop;
    this.#send([...path.slice(0, -1), { ...path.at(-1), ...choice }]);
  }

  #draw() {
    const { part, stop } = this;
    this.#crumbs();
    part.title.textContent = stop.title;
    part.total.textContent = stop.total;
    part.added.textContent = stop.added;
    this.#fields();
    part["map-figure"].hidden = !stop.map;
    if (stop.map) {
      const [row, column, map] = stop.at;
      this.maps.map.show(stop.map, [row, column, 1, 1], `Map ${map + 1}; a frame marks row ${row}, column ${column}`);
      part["map-caption"].textContent = `This map: ${stop.map.says}. Click another place to follow its number.`;
    }
    this.#bars();
    this.#products();
    this.#way();
  }

  #crumbs() {
    const { crumbs, path, photo_reached } = this.stop;
    const made = crumbs.map((text, at) =>
      element(
        "li",
        {},
        at === crumbs.length - 1
          ? element("span", { text, "aria-current": "step" })
          : element("button", { type: "button", text, "data-key": `crumb-${at}`, onclick: () => this.#send(path.slice(0, at + 1)) }),
      ),
    );
    if (photo_reached) made.push(element("li", {}, element("span", { text: "photo" })));
    this.part.crumbs.replaceChildren(...made);
  }

  /** Row, column and map, or the number: rows and columns from 0, the others from 1. */
  #fields() {
    const { shape, at } = this.stop;
    const names = shape.length === 3 ? ["Row", "Column", "Map"] : ["Number"];
    this.part.fields.replaceChildren(
      ...names.map((name, axis) => {
        const first = axis === names.length - 1 ? 1 : 0;
        const last = shape[axis] - 1 + first;
        const input = element("input", { type: "number", min: first, max: last, step: 1, value: at[axis] + first, "data-key": `field-${axis}` });
        input.addEventListener("change", () => {
          const value = Math.min(Math.max(Math.round(input.valueAsNumber), first), last);
          if (Number.isNaN(value)) input.value = at[axis] + first;
          else this.#choose(at.with(axis, value - first));
        });
        return element("label", { class: "kl-field" }, element("span", { text: `${name}, ${first} to ${last}` }), input);
      }),
    );
  }

  #bars() {
    const { part, stop } = this;
    const { bars, rest } = stop;
    const limit = Math.max(...bars.map(({ sum }) => Math.abs(sum))) || 1;
    const shown = this.all ? bars : bars.filter(({ which }, at) => at < FIRST_BARS || which === stop.part.which);
    part["bars-title"].textContent = stop.heading;
    part.sums.hidden = !stop.heading;
    part.bars.replaceChildren(
      ...shown.map((bar) => sumBar(bar, limit, bar.which === stop.part.which, () => this.#look({ which: bar.which, cell: null }))),
    );
    part.more.hidden = bars.length <= FIRST_BARS;
    part.more.textContent = this.all ? `Show the ${FIRST_BARS} largest` : `Show ${rest ? "the" : "all"} ${bars.length}${rest ? " largest" : ""}`;
    part.rest.textContent = rest;
    part.rest.hidden = !rest;
  }

  #products() {
    const { part, stop } = this;
    const { title, name, captions, line, tables, cell, cells, inside, places } = stop.part;
    const single = tables && inside.length === 1 && inside[0].length === 1;
    const press = (cell) => this.#look({ cell });
    part["part-title"].textContent = title;
    part.line.textContent = line;
    part["part-says"].hidden = single;
    part["part-says"].textContent = tables ? "Click a number of the window to see where it comes from." : "Each place of the map has its own weight. Click a place to see where its number comes from.";
    const sign = (text) => element("span", { class: "kl-sign", text });
    if (tables) {
      const { window, kernel, products, pixels } = stop.part;
      const place = (i, j) => [places[i][j], name].filter(Boolean).join(" of ");
      part.part.replaceChildren(
        ...(pixels ? [photoTable(`Photo, ${name}, 0 to 255`, pixels, inside), sign("→")] : []),
        signedTable(captions[0], window, single ? {} : { inside, chosen: cell, press, name: place }),
        sign("×"),
        signedTable(captions[1], kernel, single ? {} : { chosen: cell }),
        sign("="),
        signedTable(captions[2], products, single ? {} : { chosen: cell }),
      );
    } else {
      part.part.replaceChildren(
        ...stop.part.pictures.flatMap((picture, at) => {
          const canvas = element("canvas", { role: "img" });
          const figure = element("figure", { class: "kl-whole" }, element("figcaption", { text: captions[at] }), element("div", { class: "kl-picture" }, canvas), element("figcaption", { text: picture.says }));
          new ThreadMap(canvas, (row, column) => press([row, column])).show(picture, [...cell, 1, 1], `${captions[at]}; a frame marks row ${cell[0]}, column ${cell[1]}`);
          return at ? [sign(at === 1 ? "×" : "="), figure] : [figure];
        }),
      );
    }
    part.cells.hidden = tables;
    part.cells.replaceChildren(
      ...(tables ? [] : cells).map(({ cell: [row, column], text }) =>
        element("button", { type: "button", text, "data-key": `largest-${row}-${column}`, "aria-pressed": String(row === cell[0] && column === cell[1]), onclick: () => press([row, column]) }),
      ),
    );
  }

  #way() {
    const { part, stop, photo } = this;
    const { title, begins, says, source, source_name, frame, framed, pixel, ends, go } = stop.way;
    part["way-title"].textContent = title;
    part.way.replaceChildren(...[begins, ...says].map((text) => element("li", { text })));
    part["source-figure"].hidden = !source;
    if (source) {
      this.maps.source.show(source, frame, `${source_name}; a frame marks the ${framed}`);
      part["source-caption"].textContent = `${capitalized(source_name)}: ${source.says}. The frame marks the ${framed}.`;
    }
    part["photo-figure"].hidden = !pixel;
    part.ends.hidden = !pixel;
    if (pixel) {
      const { row, column, rgb } = pixel;
      this.maps.photo.paint(photo, [row, column, 1, 1], `${this.title}; a frame marks row ${row}, column ${column}`);
      part["photo-caption"].textContent = `The photo as the network receives it. The framed pixel: ${rgb.join(", ")}.`;
      part.ends.replaceChildren(element("span", { class: "kl-swatch", "aria-hidden": "true", style: `background: rgb(${rgb.join(" ")})` }), ends);
    }
    part.go.hidden = !go;
    if (go) part.go.textContent = `${go.text} →`;
  }
}

function capitalized(text) {
  return text[0].toUpperCase() + text.slice(1);
}

export default mounting((root) => new ThreadLab(root));
