// The first kernels of a trained network as small pictures: a click puts one on the bench.

/** `ask(model)` makes Python send a model's kernels, `pick(tables, side, origin)` takes one of them. */
class NetworkShelf {
  constructor(place, { ask, pick }) {
    Object.assign(this, { pick, shown: null });
    this.menu = element("select", { "aria-label": "Network", onchange: () => ask(this.menu.value) });
    this.says = element("p", { class: "kl-small", role: "status" });
    this.shelf = element("div", { class: "kl-shelf", role: "toolbar", "aria-label": "Kernels of the first layer" });
    moveByArrowKeys(this.shelf);
    place.append(element("label", { class: "kl-field" }, element("span", { text: "Network" }), this.menu), this.says, this.shelf);
    place.addEventListener("toggle", () => {
      if (place.open && this.menu.value) ask(this.menu.value);
    });
  }

  /** `models` is a list of { name, title }; `network`, once asked for, { model, kernels, shape } or { model, error }. */
  show(models, network) {
    const known = models.map(({ name }) => name).join();
    if (known !== this.known) {
      this.known = known;
      this.menu.replaceChildren(...models.map(({ name, title }) => element("option", { value: name, text: title })));
    }
    if (!network || network.model === this.shown) return;
    this.shown = network.model;
    this.menu.value = network.model;
    this.says.textContent = network.error ?? "Each picture is one kernel: middle gray is 0. Choose one with a click, or with the arrow keys and Enter. Then edit it.";
    this.shelf.replaceChildren();
    if (network.error) return;
    const [side, , , count] = network.shape;
    const limit = Math.max(...network.kernels.map(Math.abs)) || 1;
    for (let number = 0; number < count; number++) {
      const tables = [0, 1, 2].map((channel) =>
        Array.from({ length: side * side }, (_, at) => network.kernels[(at * 3 + channel) * count + number]),
      );
      const canvas = element("canvas", {});
      paint(canvas, { planes: tables.map((table) => Float32Array.from(table)), height: side, width: side }, "zero", limit);
      const label = `Kernel ${number + 1} of ${count}`;
      this.shelf.append(
        element("button", { type: "button", tabindex: number ? -1 : 0, "aria-label": label, title: label, onclick: () => this.pick(tables, side, `${network.model}:${number}`) }, canvas),
      );
    }
  }
}

/** Make a row of buttons one stop of the Tab key: the arrow keys, Home and End lead from button to button. */
function moveByArrowKeys(row) {
  row.addEventListener("focusin", (event) => {
    for (const button of row.children) button.tabIndex = button === event.target ? 0 : -1;
  });
  row.addEventListener("keydown", (event) => {
    const buttons = [...row.children], at = buttons.indexOf(event.target), last = buttons.length - 1;
    const wide = buttons.filter((button) => button.offsetTop === buttons[0].offsetTop).length;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - wide, ArrowDown: at + wide, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    buttons[to]?.focus();
  });
}
