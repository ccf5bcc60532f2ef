// One control for every parameter of the tables.
const SEND_OFF_DB = -60;
const words = (name) => name.replaceAll("_", " ");

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

// A parameter's place in its range, 0 to 1, as its scale has it; and back.
const placed = (p, value) =>
  p.scale === "log" ? Math.log(value / p.low) / Math.log(p.high / p.low) : (value - p.low) / (p.high - p.low);
function valued(p, place) {
  if (place <= 0) return p.low;
  if (place >= 1) return p.high;
  const value = p.scale === "log" ? p.low * (p.high / p.low) ** place : p.low + (p.high - p.low) * place;
  return Math.min(p.high, Math.max(p.low, Number(value.toPrecision(4))));
}

function told(p, value) {
  if (p.name.endsWith("_send_db") && value <= SEND_OFF_DB) return "off";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 || /^dB|LUFS/.test(p.unit) ? 1 : 2;
  const unit = p.unit === ":1" ? ":1" : p.unit && ` ${p.unit}`;
  return `${value.toFixed(digits)}${unit}`.replace("-", "−");
}

// What each parameter of a table is called: without its unit, where that does not make two alike.
function titles(table) {
  const bare = (p) => words(p.name).replace(/ (db|hz|ms|on|lufs|dbtp)$/, "");
  const kind = (p) => ({ Hz: " frequency", dB: " gain" })[p.unit] ?? "";
  return new Map(table.map((p) => [p, bare(p) + (table.some((q) => q !== p && bare(q) === bare(p)) ? kind(p) : "")]));
}

// `turned` is told of every change that a person makes.
function knob(p, name, value, owner, turned) {
  const isSwitch = p.scale === "switch";
  const input = make("input", { type: isSwitch ? "checkbox" : "range", title: p.about });
  const output = make("output");
  input.setAttribute("aria-label", `${owner}: ${name}`);
  Object.assign(input.dataset, { parameter: p.name });
  if (!isSwitch) Object.assign(input, { min: 0, max: 1, step: 0.002 });
  const show = (shown) => {
    if (isSwitch) input.checked = shown > 0;
    else input.value = placed(p, shown);
    output.textContent = isSwitch ? (shown ? "on" : "off") : told(p, shown);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  const turn = (to) => {
    const kept = input.value;
    show(to);
    if (!isSwitch && document.activeElement === input) input.value = kept;
    turned(p.name, to);
  };
  input.addEventListener("input", () => turn(isSwitch ? Number(input.checked) : valued(p, Number(input.value))));
  input.addEventListener("dblclick", () => {
    input.blur();
    turn(p.default);
  });
  show(value);
  const beside = `${name} `.replace(`${words(p.processor)} `, "").trim() || (isSwitch ? "on" : name); // the legend says the rest
  return make("label", { className: "knob" }, make("span", { textContent: beside, title: p.about }), input, output);
}

// All knobs of one strip, of the buses or of the master, folded away.
function panel(title, beside, table, settings, turned) {
  const groups = new Map();
  for (const [p, name] of titles(table)) {
    if (!groups.has(p.processor)) groups.set(p.processor, []);
    groups.get(p.processor).push(knob(p, name, settings[p.name] ?? p.default, title, turned));
  }
  const fields = [...groups].map(([processor, controls]) =>
    make("fieldset", {}, make("legend", { textContent: words(processor) }), ...controls));
  const summary = make("summary", { textContent: title }, make("small", { textContent: beside }));
  return make("details", {}, summary, make("div", { className: "processors" }, ...fields));
}
