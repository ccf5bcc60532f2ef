// Two sounds at one place, one of them heard, without a gap when either is replaced.
const at = (id) => document.getElementById(id);
const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

const player = {
  context: null,
  sides: {},
  heard: "after",
  offset: 0,
  began: null,

  // Where in the loop the sound is, in seconds.
  get place() {
    const { after } = this.sides;
    if (!after) return 0;
    const passed = this.began === null ? 0 : this.context.currentTime - this.began;
    return (this.offset + passed) % after.buffer.duration;
  },

  get playing() {
    return this.began !== null;
  },

  async load(sounds) {
    this.context ??= new AudioContext();
    const decoded = {};
    for (const [side, bytes] of Object.entries(sounds)) decoded[side] = await this.context.decodeAudioData(bytes);
    const place = this.place;
    const playing = this.playing;
    this.silence();
    for (const [side, buffer] of Object.entries(decoded)) {
      this.sides[side] ??= { gain: this.context.createGain() };
      this.sides[side].gain.connect(this.context.destination);
      this.sides[side].buffer = buffer;
      at("player").querySelector(`path.${side}`).setAttribute("d", outline(buffer));
    }
    this.offset = place;
    if (playing) this.start();
    this.choose(this.heard);
    this.show();
  },

  start() {
    for (const side of Object.values(this.sides)) {
      side.source = this.context.createBufferSource();
      side.source.buffer = side.buffer;
      side.source.loop = true;
      side.source.connect(side.gain);
      side.source.start(0, this.offset);
    }
    this.began = this.context.currentTime;
  },

  silence() {
    this.offset = this.place;
    this.began = null;
    for (const side of Object.values(this.sides)) {
      side.source?.stop();
      side.source = null;
    }
  },

  async toggle() {
    if (!this.sides.after) return;
    await this.context.resume();
    if (this.playing) this.silence();
    else this.start();
    this.show();
  },

  seek(seconds) {
    const playing = this.playing;
    this.silence();
    this.offset = seconds;
    if (playing) this.start();
    this.show();
  },

  choose(side) {
    this.heard = side;
    for (const [name, { gain }] of Object.entries(this.sides))
      gain.gain.setTargetAtTime(name === side ? 1 : 0, this.context.currentTime, 0.005);
    at("player").dataset.side = side;
    for (const button of at("player").querySelectorAll("[data-choose]"))
      button.setAttribute("aria-pressed", button.dataset.choose === side);
  },

  show() {
    const { after } = this.sides;
    if (!after) return;
    const { duration } = after.buffer;
    at("position").value = this.place / duration;
    at("position").setAttribute("aria-valuetext", clock(this.place));
    at("time").textContent = `${clock(this.place)} / ${clock(duration)}`;
    at("play").textContent = this.playing ? "Pause" : "Play";
    cancelAnimationFrame(this.frame);
    if (this.playing) this.frame = requestAnimationFrame(() => this.show());
  },

  forget() {
    this.silence();
    this.sides = {};
    this.offset = 0;
  },
};

// The outline of a sound in a box from 0, -100 to 400, 100.
function outline(buffer) {
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, index) => buffer.getChannelData(index));
  return drawn(Array.from({ length: 200 }, (_, bin) => {
    const first = Math.floor((bin * buffer.length) / 200);
    const last = Math.floor(((bin + 1) * buffer.length) / 200);
    let peak = 0;
    for (const samples of channels)
      for (let index = first; index < last; index += 4) peak = Math.max(peak, Math.abs(samples[index]));
    return 100 * peak;
  }));
}

// Heights from 0 to 100 as a closed path, mirrored at the middle.
function drawn(heights) {
  const step = 400 / (heights.length - 1);
  const upper = heights.map((height, index) => `${(index * step).toFixed(1)} ${(-height).toFixed(1)}`);
  const lower = heights.map((height, index) => `${(index * step).toFixed(1)} ${height.toFixed(1)}`).reverse();
  return `M${[...upper, ...lower].join("L")}z`;
}

at("play").addEventListener("click", () => player.toggle());
at("player").addEventListener("click", (event) => {
  const button = event.target.closest("[data-choose]");
  if (button) player.choose(button.dataset.choose);
});
at("position").addEventListener("input", (event) => {
  if (player.sides.after) player.seek(event.target.value * player.sides.after.buffer.duration);
});
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || !player.sides.after) return;
  if (event.target.closest("button, select, summary, label, input:not([type=range])")) return;
  const key = event.key.toLowerCase();
  if (key === "a") player.choose("before");
  else if (key === "b") player.choose("after");
  else if (key === " ") player.toggle();
  else return;
  event.preventDefault();
});
