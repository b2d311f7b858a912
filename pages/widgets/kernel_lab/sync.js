// What the visitor changes reaches Python after a pause, and what Python changes reaches the lab.

const REST_MILLISECONDS = 350;

/**
 * Keep the settings of a lab and those of Python the same.
 *
 * While the visitor changes something, nothing is sent: every message makes Python run again. A lost connection loses nothing: when
 * Python comes back with older settings than were sent, they are sent again. They are repeated too where no answer comes,
 * since Streamlit loses a fragment's run when another one comes at the same moment.
 */
class Sync {
  constructor(read, adopt) {
    Object.assign(this, { read, adopt, sent: null, told: null, timer: null, holding: false });
    this.awaited = []; // texts that were sent, and that Python has not come back with
  }

  /** Python has run: `settings` is what it knows, `send` tells it something new. */
  receive(settings, send) {
    this.send = send;
    const text = JSON.stringify(settings);
    const news = text !== this.told;
    this.told = text;
    const answered = this.awaited.indexOf(text) + 1; // the visitor may have been quicker: an answer is no news
    this.awaited.splice(0, answered);
    if (news && !answered && text !== this.sent) {
      this.sent = text; // Python's own: another preset, a link, an ordinary control
      this.adopt(settings);
    } else if (!news && this.sent !== null && text !== this.sent && this.timer === null && !this.holding) {
      this.send(JSON.parse(this.sent));
    }
  }

  hold(holding) {
    this.holding = holding;
    if (!holding) this.touch();
  }

  /** Something has changed: tell Python once nothing has changed for a while. */
  touch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.holding) return;
      const text = JSON.stringify(this.read());
      if (text === this.sent) return;
      this.sent = text;
      this.awaited.push(text);
      this.endTelling?.();
      this.endTelling = insist(
        () => this.send?.(JSON.parse(text)),
        () => text !== this.sent || text === this.told,
      );
    }, REST_MILLISECONDS);
  }

  close() {
    clearTimeout(this.timer);
    this.endTelling?.();
  }
}

/**
 * What a component's script exports: called by Streamlit with each run of the page; `make(root)` makes the lab once.
 *
 * A lab has a `sync`, and the methods `show(photo, title)` for another picture, `close()`, and, where it asks Python for
 * more, `told(data, tell)`, where `tell(name, value)` sets a part of the component's state. It stays hidden until Python has heard of it: until then other controls may stand in
 * its place, and no cell may be there twice.
 */
function mounting(make) {
  const labs = new WeakMap(); // by the element that Streamlit gives the component
  return ({ parentElement, data, setStateValue }) => {
    const root = parentElement.querySelector(".kl");
    if (!labs.has(root)) {
      labs.set(root, make(root));
      arrive();
    }
    const lab = labs.get(root);
    receive(lab, root, data, setStateValue);
    return () => {
      telling.get(data.lab)?.();
      lab.close();
      labs.delete(root);
    };
  };
}

async function receive(lab, root, data, setStateValue) {
  const tell = (name, value) => inTurn(() => setStateValue(name, value));
  const photo = await heldPicture(data, (id) => tell("has", id));
  if (!photo || !data.ready) return;
  if (photo !== lab.received) {
    lab.received = photo;
    lab.show(photo, data.picture.title);
  }
  if (data.settings) lab.sync.receive(data.settings, (settings) => tell("bench", settings));
  lab.told?.(data, tell);
  root.hidden = false;
}

const pictures = new Map(); // of this page, by their name: a picture crosses the network once
const MAX_PICTURES = 4;

const telling = new Map(); // by the name of the lab: what ends the telling of what Python has not heard yet

/** Return the picture that Python means, and `tell` Python which one is here, so that it is not sent again. */
async function heldPicture({ lab, picture, has }, tell) {
  if (picture.file && !pictures.has(picture.id)) {
    pictures.set(picture.id, await decodePicture(picture.file));
    if (pictures.size > MAX_PICTURES) pictures.delete(pictures.keys().next().value);
  }
  const here = pictures.has(picture.id) ? picture.id : "";
  telling.get(lab)?.();
  if (has !== here) telling.set(lab, insist(() => tell(here), () => false));
  return pictures.get(picture.id);
}

/** Turn a WebP, in base64, into three planes of numbers. */
async function decodePicture(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/webp" }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return planesOf(context.getImageData(0, 0, bitmap.width, bitmap.height));
}

/** Take a canvas's pixels apart into red, green and blue. */
function planesOf({ data, width, height }) {
  const planes = [0, 1, 2].map((channel) => {
    const plane = new Float32Array(width * height);
    for (let at = 0; at < plane.length; at++) plane[at] = data[4 * at + channel];
    return plane;
  });
  return { planes, height, width };
}
