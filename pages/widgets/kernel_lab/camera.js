// The camera as the source picture: its frames are read here, in the browser, and go nowhere else.

const FRAME_SIDE = 320; // pixels of the longer side: 320 × 240 for most cameras
const CAMERA_PROBLEMS = {
  NotAllowedError: "The browser does not allow the camera. Click the camera icon in the address bar, allow the camera, and press “Use the camera” again.",
  NotFoundError: "No camera was found. Connect one and press “Use the camera” again, or keep the photo.",
  NotReadableError: "The camera is in use by another program. Close that program and press “Use the camera” again.",
};
const NO_CAMERA = "The camera did not start. Press “Use the camera” again, or keep the photo.";
const INSECURE =
  "Browsers allow the camera only on https pages and on pages from this computer. " +
  "Open this page at http://localhost, or ask whoever runs it for an https address.";

/** A button below a picture. `shown(photo)` is called with each frame, `stopped()` at the end, `refused(sentence)` when there is no camera. */
class Camera {
  constructor(place, { shown, stopped, refused }) {
    Object.assign(this, { shown, stopped, refused, state: "off" });
    this.video = element("video", { muted: true, playsinline: true });
    this.video.muted = true; // the attribute alone does not mute one that a script has made
    this.button = element("button", { type: "button", "data-role": "camera", onclick: () => (this.state === "off" ? this.start() : this.stop()) });
    this.says = element("span", { class: "kl-small", role: "status" });
    place.append(element("div", { class: "kl-buttons" }, this.button, this.says));
    this.hide = () => document.hidden && this.stop("The camera was stopped because this tab was hidden.");
    document.addEventListener("visibilitychange", this.hide);
    this.#say("off", "");
  }

  get on() {
    return this.state === "on";
  }

  async start() {
    this.refused("");
    if (!navigator.mediaDevices?.getUserMedia) return this.refused(INSECURE);
    this.#say("asking", "Your browser asks whether this page may use the camera.");
    const asked = (this.asked = {});
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { width: { ideal: 320 }, height: { ideal: 240 }, frameRate: { ideal: 30 } },
      });
      if (asked !== this.asked) return stopTracks(stream); // stopped or closed while the browser was asking
      this.stream = stream;
      for (const track of stream.getTracks()) track.addEventListener("ended", () => this.stop("The camera was disconnected."));
      this.video.srcObject = stream;
      await this.video.play();
      if (asked !== this.asked) return;
      this.#say("on", "Live. The pictures stay in this browser: nothing is uploaded. The text below the lab is still about the photo.");
      this.#next();
    } catch (error) {
      if (asked !== this.asked) return;
      this.stop();
      this.refused(CAMERA_PROBLEMS[error.name] ?? NO_CAMERA);
    }
  }

  /** Let the camera go, and say why. */
  stop(why = "") {
    if (this.state === "off") return;
    const wasOn = this.on;
    this.asked = null;
    stopTracks(this.stream);
    this.stream = this.video.srcObject = null;
    this.#say("off", why);
    if (wasOn) this.stopped();
  }

  close() {
    this.stopped = () => {};
    document.removeEventListener("visibilitychange", this.hide);
    this.stop();
  }

  #say(state, text) {
    this.state = state;
    this.button.textContent = state === "off" ? "Use the camera" : "Stop camera";
    this.says.textContent = text;
  }

  /** Hand over the next frame once the camera has one and the screen is ready for it. */
  #next() {
    const read = () => {
      if (!this.on) return;
      this.shown(this.#frame());
      this.#next();
    };
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(read);
    else requestAnimationFrame(read);
  }

  #frame() {
    const { videoWidth, videoHeight } = this.video;
    const scale = FRAME_SIDE / Math.max(videoWidth, videoHeight);
    const width = Math.max(1, Math.round(videoWidth * scale));
    const height = Math.max(1, Math.round(videoHeight * scale));
    if (this.canvas?.width !== width || this.canvas.height !== height) this.canvas = new OffscreenCanvas(width, height);
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(this.video, 0, 0, width, height);
    return planesOf(context.getImageData(0, 0, width, height));
  }
}

function stopTracks(stream) {
  stream?.getTracks().forEach((track) => track.stop());
}
