// A chain of stages, as cnn_core/chain.py runs it; a test compares them.
//
// A stage is { type: "conv", table, side }, { type: "relu" } or { type: "pool", kind, size, stride, padding }.

/** Send a map through all stages. Ends early, with null, at a stage whose window does not fit. */
function runChain(map, stages) {
  const maps = [map];
  for (const stage of stages) {
    const after = maps.at(-1) && applyStage(maps.at(-1), stage);
    maps.push(after);
  }
  return maps;
}

function applyStage(map, stage) {
  if (stage.type === "conv") return convolve(map, [stage.table], stage.side);
  if (stage.type === "pool") return pool(map, stage.kind, stage.size, stage.stride, stage.padding);
  return { ...map, planes: map.planes.map((plane) => plane.map((value) => Math.max(value, 0))) };
}

/** The sliding window of a stage: side, stride, padding. */
function windowOf(stage) {
  if (stage.type === "conv") return { side: stage.side, stride: 1, padding: "valid" };
  if (stage.type === "pool") return { side: stage.size, stride: stage.stride, padding: stage.padding };
  return { side: 1, stride: 1, padding: "valid" };
}

/** The region of each earlier map on which one value of map number `at` depends: { top, left, bottom, right } each. */
function receptiveFields(maps, stages, at, row, column) {
  const regions = [];
  regions[at] = { top: row, left: column, bottom: row + 1, right: column + 1 };
  for (let before = at - 1; before >= 0; before--) {
    const after = regions[before + 1];
    const map = maps[before];
    const { side, stride, padding } = windowOf(stages[before]);
    const first = windowAt(map, side, stride, padding, after.top, after.left);
    const last = windowAt(map, side, stride, padding, after.bottom - 1, after.right - 1);
    regions[before] = {
      top: Math.max(first.top, 0),
      left: Math.max(first.left, 0),
      bottom: Math.min(last.top + side, map.height),
      right: Math.min(last.left + side, map.width),
    };
  }
  return regions;
}

/** The numbers of one stop of a stage. `winner` is the number that a max pooling keeps. */
function stopOf(map, stage, row, column) {
  const { side, stride, padding } = windowOf(stage);
  const table = stage.table ?? new Array(side * side).fill(1);
  const stop = oneStop(map, [table], side, { stride, padding, bias: 0, relu: false }, row, column);
  const inside = stop.cells[0].filter((cell) => cell.inside);
  if (stage.type === "pool" && stage.kind === "max") {
    const most = Math.max(...inside.map((cell) => cell.pixel));
    inside.find((cell) => cell.pixel === most).winner = true;
  }
  return { ...stop, inside };
}

/** Write one stop out: −1·203 + … = 87, max(3, 9, 0, 4) = 9, (3 + 9 + 0 + 4) / 4 = 4. */
function stopWrittenOut(stage, stop, value) {
  if (stage.type === "conv") return writtenOut(stop, { bias: 0, relu: false });
  const numbers = stop.inside.map(({ pixel }) => number(pixel));
  if (stage.type === "relu") return `max(0, ${numbers[0]}) = ${number(value)}`;
  if (stage.kind === "max") return `max(${numbers.join(", ")}) = ${number(value)}`;
  const sum = stop.inside.map(({ pixel }, at) => `${sign(pixel, at)}${number(Math.abs(pixel))}`).join(" ");
  return `(${sum}) / ${numbers.length} = ${number(value)}`;
}
