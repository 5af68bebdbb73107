// The panel beside the phone: who writes, what goes wrong, what is on the wire.

import * as api from "./api.js";
import { element } from "./element.js";
import { summary } from "./message.js";

const FAULTS = [
  ["duplicate", { copies: 2 }, "Duplicate", "each webhook comes three times, at once"],
  ["reorder", { size: 3 }, "Reorder", "three webhooks at a time, the last first"],
  ["delay", { seconds: 3 }, "Delay", "webhooks come three seconds late"],
  ["corrupt", { how: "body" }, "Tamper", "webhooks are changed after they were signed"],
  ["drop_answer", {}, "Drop answers", "sends are accepted, but the answer is lost"],
  ["slow", { seconds: 12 }, "Answer slowly", "sends are accepted, and answered after 12 seconds"],
  ["error", { code: 131000 }, "Refuse", "sends get error 131000, something went wrong"],
  ["fail", { code: 131026 }, "Fail", "sends are accepted, then fail with 131026"],
  ["no_statuses", {}, "Keep silent", "sends are accepted, but no status follows"],
];
const WIRE_ROWS = 12;
const byId = (id) => document.getElementById(id);

/** Wire the panel up; `choose(customer)` is called when a person is picked. */
export function open(choose) {
  byId("customer").addEventListener("submit", (event) => {
    event.preventDefault();
    choose({ number: byId("customer-number").value, name: byId("customer-name").value.trim() });
    show(false);
  });
  byId("new-customer").addEventListener("click", () => {
    choose({ number: `55119${String(crypto.getRandomValues(new Uint32Array(1))[0] % 1e8).padStart(8, "0")}`, name: "" });
    byId("customer-name").focus();
  });
  byId("open-panel").addEventListener("click", () => show(true));
  byId("close-panel").addEventListener("click", () => show(false));
  document.addEventListener("keydown", (event) => event.key === "Escape" && show(false));
  byId("no-faults").addEventListener("click", () => changeFaults({}));
  byId("faults").append(
    ...FAULTS.map(([name, , title, detail]) =>
      element(
        "li",
        {},
        element(
          "label",
          { title: detail },
          element("input", { type: "checkbox", className: "unseen", name, onchange: toggleFault, role: "switch" }),
          title,
        ),
      ),
    ),
  );
}

function show(isOpen) {
  byId("panel").classList.toggle("is-open", isOpen);
  byId("open-panel").setAttribute("aria-expanded", String(isOpen));
}

/** Show who holds the phone. */
export function showCustomer({ number, name }) {
  byId("customer-number").value = number;
  byId("customer-name").value = name;
}

/** Show the people who have chatted. */
export async function refreshPeople(current, choose) {
  const people = await api.chats();
  byId("people").replaceChildren(
    ...people.map(({ customer, name, last }) => {
      const button = element(
        "button",
        { type: "button", onclick: () => choose({ number: customer, name: name === customer ? "" : name }) },
        element("b", {}, name),
        element("span", {}, name === customer ? "" : customer),
        element("span", { className: "last" }, summary(last.message)),
      );
      button.setAttribute("aria-current", String(customer === current));
      return element("li", {}, button);
    }),
  );
}

/** Show which faults are on. */
export async function refreshFaults() {
  showFaults(await api.faults());
}

function showFaults(active) {
  for (const box of byId("faults").querySelectorAll("input")) box.checked = box.name in active;
  const details = FAULTS.filter(([name]) => name in active).map(([, , title, detail]) => `${title}: ${detail}.`);
  byId("fault-details").textContent = details.join(" ") || "All is well.";
  byId("no-faults").hidden = Object.keys(active).length === 0;
}

async function toggleFault(event) {
  const active = await api.faults();
  const { name, checked } = event.target;
  if (checked) active[name] = FAULTS.find(([fault]) => fault === name)[1];
  else delete active[name];
  await changeFaults(active);
}

async function changeFaults(chosen) {
  showFaults(await api.setFaults(chosen));
}

/** Note a webhook's answer, or a send, on the wire. */
export function note(event) {
  const isWebhook = event.type === "webhook";
  const noun = event.kind === "statuses" ? (event.updates === 1 ? "status" : "statuses") : event.updates === 1 ? "message" : "messages";
  const what = isWebhook ? `webhook → ${event.updates} ${noun}` : "Graph ← message";
  const answer = isWebhook ? event.answer || "no answer" : "accepted";
  const isGood = !isWebhook || event.answer === 200;
  const row = element(
    "li",
    {},
    element("span", {}, what),
    element("b", { className: isGood ? "good" : "bad" }, String(answer)),
    element("time", {}, isWebhook ? `${event.milliseconds} ms` : ""),
  );
  byId("wire").querySelector(".empty")?.remove();
  byId("wire").prepend(row);
  while (byId("wire").children.length > WIRE_ROWS) byId("wire").lastChild.remove();
}
