// Numbers turned into colors, as cnn_core/figures/colors.py does. RED_BLUE comes from there.

/** RED_BLUE in 255 colors, as canvas pixels (alpha, blue, green, red from high to low byte); the middle one is zero. */
const PALETTE = Uint32Array.from({ length: 255 }, (_, at) => {
  const place = (at / 254) * (RED_BLUE.length - 1);
  const low = Math.min(Math.floor(place), RED_BLUE.length - 2);
  const [red, green, blue] = RED_BLUE[low].map((from, channel) =>
    Math.round(from + (place - low) * (RED_BLUE[low + 1][channel] - from)),
  );
  return packed(red, green, blue);
});

function packed(red, green, blue) {
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}

/** A color of the palette for CSS, and the ink that reads on it. */
function signedStyle(value, limit) {
  const color = PALETTE[paletteIndex(value, limit)];
  return style(color & 255, (color >> 8) & 255, (color >> 16) & 255);
}

function photoStyle(red, green = red, blue = red) {
  return style(...[red, green, blue].map((value) => Math.min(Math.max(Math.round(value), 0), 255)));
}

function style(red, green, blue) {
  const ink = luminance(red, green, blue) > 0.179 ? "#000" : "#fff"; // the one with the higher contrast
  return `background: rgb(${red} ${green} ${blue}); color: ${ink}`;
}

/** The relative luminance of WCAG 2.2, as `cnn_core.figures.colors.text_colors` uses it. */
function luminance(...color) {
  const [red, green, blue] = color.map((value) => (value <= 10.31 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function paletteIndex(value, limit) {
  return Math.trunc(Math.min(Math.max((value * 127) / limit, -127), 127) + 127.5);
}

/** The absolute value that gets the strongest color: of 1,000 numbers 5 may be larger, so that the rest is not pale. */
function fitLimit(map) {
  const every = Math.max(1, Math.floor(Math.sqrt((map.height * map.width) / 16384)));
  const sizes = [];
  for (const plane of map.planes) {
    for (let y = 0; y < map.height; y += every) {
      for (let x = 0; x < map.width; x += every) sizes.push(Math.abs(plane[y * map.width + x]));
    }
  }
  const sorted = Float32Array.from(sizes).sort();
  return roundUp(sorted[Math.floor(0.995 * (sorted.length - 1))] || sorted[sorted.length - 1] || 1);
}

/** The next number with two digits: a scale that ends at 220 is read faster than one that ends at 216.37. */
function roundUp(value) {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Number((Math.ceil(value / unit - 1e-9) * unit).toPrecision(2));
}

/** How each view turns values into colors. `gray` gets a value and the limit, and returns a brightness. */
const VIEWS = {
  zero: { gray: (value, limit) => 127.5 + (127.5 * value) / limit, range: (limit) => [-limit, limit] },
  photo: { gray: (value) => value, range: () => [0, 255] },
  absolute: { gray: (value, limit) => (255 * Math.abs(value)) / limit, range: (limit) => [-limit, limit] },
};

/** Show a map on a canvas, one pixel per value. The canvas keeps `values` and `shape`. */
function paint(canvas, map, view, limit) {
  if (canvas.width !== map.width || canvas.height !== map.height) {
    canvas.width = map.width;
    canvas.height = map.height;
    canvas.bits = null;
  }
  const context = canvas.getContext("2d", { alpha: false });
  canvas.bits ??= context.createImageData(map.width, map.height);
  const pixels = new Uint32Array(canvas.bits.data.buffer);
  const [first, second, third] = map.planes;
  if (third) {
    const bytes = canvas.bits.data.fill(255); // clamps and rounds by itself
    const gray = VIEWS[view].gray;
    for (let at = 0; at < first.length; at++) {
      bytes[4 * at] = gray(first[at], limit);
      bytes[4 * at + 1] = gray(second[at], limit);
      bytes[4 * at + 2] = gray(third[at], limit);
    }
  } else if (view === "zero") {
    const scale = 127 / limit;
    for (let at = 0; at < first.length; at++) {
      const place = first[at] * scale;
      pixels[at] = PALETTE[(place < -127 ? 0.5 : place > 127 ? 254.5 : place + 127.5) | 0];
    }
  } else {
    const factor = view === "photo" ? 1 : 255 / limit;
    for (let at = 0; at < first.length; at++) {
      const value = (view === "photo" ? first[at] : Math.abs(first[at])) * factor;
      const gray = value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
      pixels[at] = (255 << 24) | (gray * 0x010101);
    }
  }
  context.putImageData(canvas.bits, 0, 0);
  canvas.shape = [map.height, map.width, map.planes.length];
  canvas.values = third ? interleaved(map.planes) : first;
}

/** Channels last, as NumPy has them. */
function interleaved(planes) {
  const values = new Float32Array(planes.length * planes[0].length);
  planes.forEach((plane, channel) => {
    for (let at = 0; at < plane.length; at++) values[at * planes.length + channel] = plane[at];
  });
  return values;
}

/** Smallest and largest value of a map, how many there are, and how many lie outside of low to high. */
function extent(map, low, high) {
  let [least, most, beyond, all] = [Infinity, -Infinity, 0, 0];
  for (const plane of map.planes) {
    all += plane.length;
    for (let at = 0; at < plane.length; at++) {
      const value = plane[at];
      if (value < least) least = value;
      if (value > most) most = value;
      if (value < low || value > high) beyond++;
    }
  }
  return { low: least, high: most, beyond, count: all };
}

/** Tell the style sheet the colors of the scale. */
function paintScale(root) {
  const stops = RED_BLUE.map((color) => `rgb(${color.join(" ")})`);
  root.style.setProperty("--kl-red-blue", `linear-gradient(to right, ${stops.join(", ")})`);
}
