// Convolution and pooling in the browser. cnn_core/convolution.py and pooling.py say what is right; a test compares them.
//
// A map is {planes: [Float32Array, ...], height, width}: one plane of height × width numbers per channel, row by row.

/** How many stops a window makes along one side. Below 1 when it does not fit. */
function stops(size, window, stride, padding) {
  return padding === "same" ? Math.ceil(size / stride) : Math.floor((size - window) / stride) + 1;
}

/** How many pixels "same" puts before and after one side. TensorFlow's rule: half of them, an odd one goes after. */
function padBoth(size, window, stride) {
  const missing = Math.max((stops(size, window, stride, "same") - 1) * stride + window - size, 0);
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
}

function padBefore(size, window, stride, padding) {
  return padding === "valid" ? 0 : padBoth(size, window, stride)[0];
}

/** Where a window begins, in pixels of the picture. Negative in the padding. */
function windowAt(map, window, stride, padding, row, column) {
  return {
    top: row * stride - padBefore(map.height, window, stride, padding),
    left: column * stride - padBefore(map.width, window, stride, padding),
  };
}

/** A map with the zeros that its padding asks for around it. */
function padded(map, side, stride, padding) {
  if (padding === "valid") return map;
  const [above, below] = padBoth(map.height, side, stride);
  const [before, after] = padBoth(map.width, side, stride);
  const height = above + map.height + below;
  const width = before + map.width + after;
  const planes = map.planes.map((pixels) => {
    const wide = new Float32Array(height * width);
    for (let y = 0; y < map.height; y++) {
      wide.set(pixels.subarray(y * map.width, (y + 1) * map.width), (y + above) * width + before);
    }
    return wide;
  });
  return { planes, height, width };
}

/**
 * Slide one filter over a map: at each stop the window times the kernel, added up over all planes.
 *
 * `tables` holds one table of side × side numbers per plane, row by row. `Numbers` is the type of the result's array.
 */
function convolve(map, tables, side, { stride = 1, padding = "valid", bias = 0, relu = false } = {}, Numbers = Float32Array) {
  const height = stops(map.height, side, stride, padding);
  const width = stops(map.width, side, stride, padding);
  if (height < 1 || width < 1) return null;
  const source = padded(map, side, stride, padding);
  const result = new Numbers(height * width);
  const sums = new Float64Array(width); // of one row of stops
  const add = side === 3 ? addNine : addWindows;
  for (let row = 0; row < height; row++) {
    sums.fill(bias);
    source.planes.forEach((pixels, plane) => add(sums, pixels, row * stride * source.width, source.width, stride, tables[plane], side));
    result.set(sums, row * width);
  }
  if (relu) for (let at = 0; at < result.length; at++) if (result[at] < 0) result[at] = 0;
  return { planes: [result], height, width };
}

/** Add window × kernel to the sum of each stop of a row: one number of the kernel after another. */
function addWindows(sums, pixels, start, width, stride, table, side) {
  for (let at = 0; at < table.length; at++) {
    const weight = table[at];
    if (!weight) continue;
    let from = start + Math.floor(at / side) * width + (at % side);
    for (let stop = 0; stop < sums.length; stop++, from += stride) sums[stop] += weight * pixels[from];
  }
}

/** The same for 3 × 3 numbers, all nine at once: half the time, since a sum is read and written once, not nine times. */
function addNine(sums, pixels, start, width, stride, [a, b, c, d, e, f, g, h, i]) {
  let top = start;
  let middle = start + width;
  let bottom = start + 2 * width;
  for (let stop = 0; stop < sums.length; stop++, top += stride, middle += stride, bottom += stride) {
    sums[stop] +=
      a * pixels[top] + b * pixels[top + 1] + c * pixels[top + 2] +
      d * pixels[middle] + e * pixels[middle + 1] + f * pixels[middle + 2] +
      g * pixels[bottom] + h * pixels[bottom + 1] + i * pixels[bottom + 2];
  }
}

/**
 * `convolve` while one number of the kernel is dragged. What all the other numbers add up to stays the same: it is
 * computed once, and each move adds one product per stop instead of nine or more. Each result is a new sum in float64,
 * rounded once, so that no error grows; but its array is the one of the move before.
 */
class DraggedConvolution {
  /** `table` and `at` say which number of `tables` is dragged. */
  convolve(map, tables, side, options, { table, at }) {
    const { stride, padding, bias, relu } = options;
    const others = tables.map((numbers, other) => Array.from(numbers, (value, place) => (other === table && place === at ? 0 : value)));
    const still = JSON.stringify([others, side, stride, padding, bias, table, at]);
    if (map !== this.map || still !== this.still) {
      Object.assign(this, { map, still });
      this.sums = convolve(map, others, side, { stride, padding, bias }, Float64Array);
      this.source = this.sums && padded({ ...map, planes: [map.planes[table]] }, side, stride, padding);
      this.result = this.sums && new Float32Array(this.sums.planes[0].length);
    }
    return this.sums && this.#add(tables[table][at], Math.floor(at / side), at % side, stride, relu);
  }

  #add(weight, down, right, stride, relu) {
    const { source, result } = this;
    const { planes: [sums], height, width } = this.sums;
    const [pixels] = source.planes;
    const least = relu ? 0 : -Infinity;
    for (let row = 0, to = 0; row < height; row++) {
      let from = (row * stride + down) * source.width + right;
      for (const end = to + width; to < end; to++, from += stride) {
        const sum = sums[to] + weight * pixels[from];
        result[to] = sum < least ? least : sum;
      }
    }
    return { planes: [result], height, width };
  }
}

/** Keep one number of each window of each plane: the largest, or the mean of those inside the map. */
function pool(map, kind, side, stride, padding) {
  const height = stops(map.height, side, stride, padding);
  const width = stops(map.width, side, stride, padding);
  if (height < 1 || width < 1) return null;
  const planes = map.planes.map((pixels) => {
    const result = new Float32Array(height * width);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const { top, left, bottom, right } = poolWindow(map, side, stride, padding, row, column);
        let largest = -Infinity;
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) {
            const value = pixels[y * map.width + x];
            if (value > largest) largest = value;
            sum += value;
          }
        }
        result[row * width + column] = kind === "max" ? largest : sum / ((bottom - top) * (right - left));
      }
    }
    return result;
  });
  return { planes, height, width };
}

/** The edges of a pooling window, cut off at the border of the map. */
function poolWindow(map, side, stride, padding, row, column) {
  const { top, left } = windowAt(map, side, stride, padding, row, column);
  return {
    top: Math.max(top, 0),
    left: Math.max(left, 0),
    bottom: Math.min(top + side, map.height),
    right: Math.min(left + side, map.width),
  };
}

/** Every number that leads to one value of a convolution, as `cnn_core.convolution.step` returns them. */
function oneStop(map, tables, side, { stride, padding, bias, relu }, row, column) {
  const { top, left } = windowAt(map, side, stride, padding, row, column);
  let sum = 0;
  const cells = tables.map((table, plane) =>
    Array.from(table, (weight, at) => {
      const y = top + Math.floor(at / side);
      const x = left + (at % side);
      const inside = y >= 0 && y < map.height && x >= 0 && x < map.width;
      const pixel = inside ? map.planes[plane][y * map.width + x] : 0;
      sum += weight * pixel;
      return { pixel, weight, product: Math.fround(weight * pixel), inside, y, x };
    }),
  );
  const before = Math.fround(sum + bias);
  return { cells, top, left, sum: Math.fround(sum), before, value: relu ? Math.max(before, 0) : before };
}

/** Where the absolute value of a map is largest: the first place worth a look. */
function strongest(map) {
  const values = map.planes[0];
  let best = 0;
  for (let at = 1; at < values.length; at++) if (Math.abs(values[at]) > Math.abs(values[best])) best = at;
  return { row: Math.floor(best / map.width), column: best % map.width };
}

/** Brightness as `cnn_core.pixels.to_grayscale` rounds it: whole weights, a half added. */
function grayscale([red, green, blue]) {
  return red.map((value, at) => (19595 * value + 38470 * green[at] + 7471 * blue[at] + 32768) >>> 16);
}
