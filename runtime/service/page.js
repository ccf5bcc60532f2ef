// From stems to a mix: what a person does, in the order in which they do it.
const SETTLED_MS = 120; // after the last turn of a knob
let about = null; // tables, roles, mixers, styles, limits
let job = null; // { id, events, read, shown, error, renew, wanted, taking }

async function ask(method, path, body) {
  const options = { method };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) Object.assign(options, { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  const response = await fetch(path, options).catch(() => {
    throw new Error("mixgym does not answer any more: see whether it still runs.");
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new Error(answer.error ?? `The request failed (${response.status}).`);
}
const askJson = async (...request) => (await ask(...request)).json();
const mine = (path) => `api/jobs/${job.id}${path}`;

function complain(error) {
  at("error").textContent = error ? error.message : "";
  at("error").hidden = !error;
}
const trying = (action) => async (...given) => {
  complain(null);
  try {
    await action(...given);
  } catch (error) {
    complain(error);
  }
};
const show = (ids, wanted = true) => ids.forEach((id) => { at(id).hidden = !wanted; });
function working(what, share) {
  show(["work"], what !== null);
  if (what === null) return;
  at("doing").textContent = `${what} …`;
  at("progress").value = share;
}

// Stems.
function refused(files) {
  const { limits, kinds } = about;
  const large = files.find((file) => file.size > limits.file_bytes);
  if (!files.length) return `No stems among these files; give ${kinds.join(" ")}.`;
  if (files.length > limits.files) return `A song may have ${limits.files} files here; bounce some groups.`;
  if (large) return `${large.name} is too large: a file may have ${limits.file_bytes / 1e6} MB here.`;
  if (files.reduce((sum, file) => sum + file.size, 0) > limits.job_bytes) return `All files together may have ${limits.job_bytes / 1e6} MB here.`;
  return null;
}

const isAudio = (file) => about.kinds.some((kind) => file.name.toLowerCase().endsWith(kind));

const take = trying(async (given) => {
  const files = given.length > 1 ? given.filter(isAudio) : given;
  const reason = refused(files);
  if (reason) throw new Error(reason);
  await leave();
  job = { id: (await askJson("POST", "api/jobs")).id, shown: 0, error: null, renew: null, wanted: {} };
  const own = job;
  try {
    for (const [index, file] of files.entries()) {
      working(`Sending ${file.name}`, index / files.length);
      await ask("POST", `api/jobs/${own.id}/stems?name=${encodeURIComponent(file.name)}`, file);
    }
    watch();
    await ask("POST", mine("/read"));
  } catch (error) {
    if (job !== own) return; // another song was begun meanwhile
    working(null);
    throw error;
  }
});

function watch() {
  const own = job;
  const gone = () => {
    own.events.close();
    if (job !== own) return;
    complain(new Error("This song is gone: choose the stems again."));
    forget();
  };
  own.events = new EventSource(mine("/events"));
  own.events.onmessage = (event) => job === own && follow(JSON.parse(event.data)).catch((error) => job === own && complain(error));
  own.events.onerror = () => own.events.readyState === EventSource.CLOSED && gone();
  own.events.addEventListener("gone", gone);
}

async function follow(state) {
  const { task, preview } = state;
  working(task?.what ?? null, task?.share);
  for (const id of ["mix", "take-wav", "take-project"]) at(id).disabled = task !== null;
  at("status").textContent = state.previewing ? "Rendering the excerpt …" : "";
  if (state.error && state.error !== job.error) complain(new Error(state.error));
  job.error = state.error;
  if (state.error) freeKnobs();
  if (!task) fetchRendered(state);
  if (state.read && !job.read) await showStems();
  if (preview && preview.revision !== job.shown) await hear(job, preview);
}

async function showStems() {
  job.read = true;
  const { stems } = await askJson("GET", mine(""));
  at("stems").querySelector("tbody").replaceChildren(...stems.map(row));
  show(["stems", "mixing", "again"]);
}

function row(stem) {
  const role = make("select", {}, ...about.roles.map((name) => new Option(words(name), name, false, name === stem.role)));
  role.setAttribute("aria-label", `Role of ${stem.name}`);
  role.dataset.stem = stem.name;
  const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  picture.setAttribute("viewBox", "0 -100 400 200");
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Waveform of ${stem.name}`);
  path.setAttribute("d", drawn(stem.outline));
  picture.append(path);
  const name = make("th", { textContent: stem.name });
  name.scope = "row";
  const loudness = stem.loudness_lufs === null ? "silent" : `${told({ name: "", unit: "LUFS" }, stem.loudness_lufs)}`;
  return make("tr", {}, name, make("td", {}, role), make("td", {}, picture),
    make("td", { className: "number", textContent: loudness }),
    make("td", { className: "number", textContent: clock(stem.duration_s) }));
}

// Mix.
const mix = trying(async () => {
  const roles = Object.fromEntries([...at("stems").querySelectorAll("select")].map((select) => [select.dataset.stem, select.value]));
  await send();
  job.renew = (await askJson("GET", mine(""))).revision; // knobs of newer settings are drawn anew
  at("knobs").inert = true;
  job.error = null;
  await ask("POST", mine("/mix"), { mixer: at("mixer").value, style: at("style").value, amount: Number(at("amount").value), roles });
});

async function hear(own, preview) {
  own.shown = preview.revision;
  const [before, after] = await Promise.all(["before", "after"].map(async (side) =>
    fetch(mine(`/preview/${preview.revision}/${side}.wav`)).then((answer) => (answer.ok ? answer.arrayBuffer() : null))));
  if (!before || !after || job !== own || own.shown !== preview.revision) return; // there is a newer one
  show(["listening", "settings", "taking"]);
  await player.load({ before, after });
  const [first, last] = [preview.start_s, preview.start_s + preview.duration_s].map(clock);
  at("span").textContent = `This is the part from ${first} to ${last} of the song.`;
  at("measured").textContent = [
    `As delivered: ${told({ name: "", unit: "LUFS" }, preview.loudness_lufs)}, peaks at ${told({ name: "", unit: "dBTP" }, preview.true_peak_dbtp)}, `
    + `limiter ${told({ name: "", unit: "dB" }, preview.mean_reduction_db)} on average.`, ...preview.notes].join(" ");
  if (own.renew !== null && preview.revision > own.renew) await showKnobs(own);
  at("player").dataset.revision = preview.revision;
}

async function showKnobs(own) {
  const { preset } = await askJson("GET", mine(""));
  if (job !== own) return;
  freeKnobs();
  const { strip, buses, master } = about.tables;
  const strips = preset.stems.map((stem) =>
    panel(stem.name, words(stem.role), strip, stem.settings, (name, value) => turn("strips", stem.name, name, value)));
  at("knobs").replaceChildren(...strips,
    panel("Buses", "reverb and delay", buses, preset.buses, (name, value) => turn("buses", null, name, value)),
    panel("Master", "mix bus, mastering chain, delivery", master, preset.master, (name, value) => turn("master", null, name, value)));
}

function freeKnobs() {
  job.renew = null;
  at("knobs").inert = false;
}
function turn(table, stem, name, value) {
  const place = (job.wanted[table] ??= {});
  if (stem === null) place[name] = value;
  else (place[stem] ??= {})[name] = value;
  clearTimeout(job.settling);
  job.settling = setTimeout(send, SETTLED_MS);
}
const send = trying(async () => {
  const wanted = job.wanted;
  job.wanted = {};
  clearTimeout(job.settling);
  if (Object.keys(wanted).length) await ask("PATCH", mine("/settings"), wanted);
});

// Files.
const render = (kind, name) => trying(async () => {
  await send();
  const { revision, files } = await askJson("GET", mine(""));
  if (files[name] === revision) return save(`/files/${name}`, name);
  job.taking = { name, revision };
  job.error = null;
  await ask("POST", mine("/render"), { kind });
});
function fetchRendered({ files, error }) {
  const { name, revision } = job.taking ?? {};
  if (error) job.taking = null;
  else if (name && files[name] >= revision) {
    job.taking = null;
    save(`/files/${name}`, name);
  }
}
const save = (path, name) => make("a", { href: mine(path), download: name }).click();

// Coming and going.
function forget() {
  player.forget();
  job = null;
  working(null);
  at("status").textContent = "";
  at("player").removeAttribute("data-revision");
  show(["stems", "mixing", "listening", "settings", "taking", "again"], false);
}
async function leave() {
  const old = job;
  if (!old) return;
  old.events?.close();
  forget();
  await ask("DELETE", `api/jobs/${old.id}`).catch(() => {});
}
addEventListener("pagehide", () => {
  if (job) fetch(`api/jobs/${job.id}`, { method: "DELETE", keepalive: true }).catch(() => {});
});

// A dropped folder's files, however deep, but for what is no stem in a folder: mixes, references, what
// mixgym wrote, what other systems leave.
async function within(entry, dropped = true) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  if (!dropped && inside.some((inner) => inner.name === ".mixgym-stems")) return [];
  const shown = inside.filter((inner) => !inner.name.startsWith(".")
    && !(inner.isDirectory && ["reference", "__macosx"].includes(inner.name.toLowerCase())));
  const found = [];
  for (const inner of shown) found.push(...await within(inner, false));
  const parts = found.filter((file) => !/^mixture\.[^.]+$/i.test(file.name));
  return parts.some(isAudio) ? parts : found;
}
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", trying(async (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const files = (await Promise.all(entries.map(within))).flat();
  await take(files.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true })));
}));
at("files").addEventListener("change", async (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  await take(files);
});
at("again").addEventListener("click", trying(leave));
at("mix").addEventListener("click", mix);
at("amount").addEventListener("input", () => { at("amount").nextElementSibling.value = `${Math.round(100 * at("amount").value)} %`; });
at("take-wav").addEventListener("click", render("wav", "mix.wav"));
at("take-project").addEventListener("click", render("project", "project.zip"));
at("take-preset").addEventListener("click", trying(async () => {
  await send();
  save("/preset.json", "preset.json");
}));

trying(async () => {
  about = await askJson("GET", "api/parameters");
  at("kinds").textContent = "WAV, AIFF, FLAC, Ogg, MP3, M4A";
  at("files").accept = about.kinds.join(",");
  at("mixer").replaceChildren(...about.mixers.map((name) => new Option(words(name), name)));
  at("style").replaceChildren(...Object.entries(about.styles).map(([name, what]) => new Option(`${words(name)}: ${what}`, name)));
  document.body.dataset.ready = "yes";
})();
