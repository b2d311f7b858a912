// One stop of the kernel, number by number.

/** Draw window × kernel = products, one line per channel. */
function drawStop(place, stop, side, names) {
  const largest = (key) => Math.max(...stop.cells.flat().map((cell) => Math.abs(cell[key]))) || 1;
  const limits = { weight: largest("weight"), product: largest("product") };
  const table = (caption, cells, key) =>
    numberTable(
      caption,
      rowsOf(
        cells.map((cell) => ({
          text: number(cell[key]),
          style: key === "pixel" ? photoStyle(cell.pixel) : signedStyle(cell[key], limits[key]),
          class: key === "pixel" && !cell.inside ? "kl-padding" : null,
          title: key === "pixel" && !cell.inside ? "padding" : null,
        })),
        side,
      ),
    );
  place.replaceChildren(
    ...stop.cells.map((cells, plane) =>
      element(
        "div",
        { class: "kl-line" },
        table(`Window, ${names[plane]}`, cells, "pixel"),
        element("span", { class: "kl-sign", text: "×" }),
        table("Kernel", cells, "weight"),
        element("span", { class: "kl-sign", text: "=" }),
        table("Products", cells, "product"),
      ),
    ),
  );
}

/** Write the sum out: −1·203 + 0·164 + … + bias 5 = 87 → ReLU 87. */
function writtenOut(stop, { bias, relu }) {
  const terms = stop.cells
    .flat()
    .map(({ weight, pixel }, at) => `${sign(weight, at)}${number(Math.abs(weight))}·${pixel < 0 ? `(${number(pixel)})` : number(pixel)}`);
  const total = bias ? `${sign(bias, 1)}bias ${number(Math.abs(bias))} = ${number(stop.before)}` : `= ${number(stop.before)}`;
  return `${terms.join(" ")} ${total}${relu ? ` → ReLU ${number(stop.value)}` : ""}`;
}

function sign(value, at) {
  if (at === 0) return value < 0 ? "−" : "";
  return value < 0 ? "− " : "+ ";
}
