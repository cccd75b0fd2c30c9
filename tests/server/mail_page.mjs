// Opens one of the mail pages as a browser would, as far as its script can tell: a document of a few elements, an
// address with a fragment, and fetch against the real server. Types what it is given, submits, prints what the page says.
import { readFileSync } from "node:fs";
import vm from "node:vm";

const { origin, path, token, typed, script } = JSON.parse(process.env.PAGE);

class Element {
  constructor(tag) { Object.assign(this, { tag, children: [], dataset: {}, hidden: false, value: "", textContent: "" }); }
  append(...more) { this.children.push(...more); }
  addEventListener(kind, listener) { this[`on${kind}`] = listener; }
}

const elements = Object.fromEntries(["title", "lead", "form", "fields", "go", "said"].map((id) => [id, new Element(id)]));
const address = { pathname: path, hash: token ? `#token=${token}` : "" };
vm.runInNewContext(readFileSync(script, "utf-8"), {
  document: { getElementById: (id) => elements[id], createElement: (tag) => new Element(tag), title: "" },
  location: address,
  history: { replaceState: (_state, _title, to) => Object.assign(address, { hash: "", pathname: to }) },
  fetch: (to, options) => fetch(origin + to, options),
  URLSearchParams,
});
const inputs = elements.fields.children.map((label) => label.children[1]);
for (const input of inputs) input.value = typed[input.name] ?? "";
if (elements.form.onsubmit) await elements.form.onsubmit({ preventDefault() {} });
console.log(JSON.stringify({
  title: elements.title.textContent,
  kind: elements.said.dataset.kind,
  said: elements.said.textContent,
  fields: inputs.map((input) => [input.name, input.type]),
  hash: address.hash,
}));
