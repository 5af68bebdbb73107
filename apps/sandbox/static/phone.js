// The phone: one customer's chat with the business, live.

import * as api from "./api.js";
import { element, icon } from "./element.js";
import { kindOf, react, render, update } from "./message.js";
import * as panel from "./panel.js";

const TYPING_MILLISECONDS = 25_000;
const REFRESH_MILLISECONDS = 300;
const chat = document.getElementById("chat");
const text = document.getElementById("text");
const presence = document.getElementById("presence");
const business = document.getElementById("business");
const list = document.getElementById("list");

let customer = JSON.parse(localStorage.getItem("sandbox-customer") ?? "null") ?? { number: "5511999990001", name: "Ana" };
let numbers = [];
let entries = new Map();
let typingTimer = null;
let refreshTimer = null;
const act = { tap: answer, open: openList };

function choose(chosen) {
  customer = chosen;
  localStorage.setItem("sandbox-customer", JSON.stringify(customer));
  panel.showCustomer(customer);
  load();
}

/** Show the customer's whole chat. */
async function load() {
  const number = customer.number;
  const loaded = await api.chat(number);
  if (number !== customer.number) return;
  entries = new Map();
  stopTyping();
  chat.replaceChildren();
  for (const entry of loaded.filter(isHere)) add(entry, false);
  if (!entries.size) {
    chat.append(
      element("div", { className: "hint" }, element("b", {}, "Say hello"), `You are ${customer.name || "a customer"} on +${number}. Write “Oi” and see what happens.`),
    );
  }
  await panel.refreshPeople(number, choose);
}

const isHere = (entry) => !business.value || entry.phone_number_id === business.value;

function add(entry, isNew = true) {
  if (entries.has(entry.id)) return;
  entries.set(entry.id, entry);
  const isAtEnd = chat.scrollHeight - chat.scrollTop - chat.clientHeight < 120;
  chat.querySelector(".hint")?.remove();
  if (entry.direction === "out") stopTyping();
  if (kindOf(entry.message) === "reaction") {
    const target = nodeOf(entry.message.reaction.message_id);
    if (target) react(target, entry.message.reaction.emoji);
    return;
  }
  const day = new Date(entry.time * 1000).toDateString();
  if (chat.dataset.day !== day || !chat.querySelector(".day")) {
    const isToday = day === new Date().toDateString();
    chat.append(element("p", { className: "day" }, isToday ? "Today" : new Date(entry.time * 1000).toLocaleDateString()));
    chat.dataset.day = day;
  }
  const context = entry.message.context;
  chat.append(render(entry, { act, isNew, quoted: entries.get(context?.message_id ?? context?.id) }));
  if (isAtEnd || entry.direction === "in") chat.scrollTop = chat.scrollHeight;
}

const nodeOf = (id) => chat.querySelector(`[data-id="${CSS.escape(id)}"]`);

function startTyping() {
  stopTyping();
  const dots = element("div", { className: "bubble typing", ariaLabel: "typing" }, element("i"), element("i"), element("i"));
  chat.append(dots);
  chat.scrollTop = chat.scrollHeight;
  presence.textContent = "typing…";
  typingTimer = setTimeout(stopTyping, TYPING_MILLISECONDS);
}

function stopTyping() {
  clearTimeout(typingTimer);
  chat.querySelector(".typing")?.remove();
  presence.textContent = "online";
}

function hear(event) {
  const isMine = event.customer === customer.number;
  switch (event.type) {
    case "message":
      if (event.entry.direction === "out") panel.note(event);
      if (isMine && isHere(event.entry)) add(event.entry);
      refreshSoon();
      break;
    case "status": {
      const entry = entries.get(event.id);
      const node = entry && nodeOf(event.id);
      if (!node) break;
      Object.assign(entry, { status: event.status, error: event.error });
      update(node, entry);
      break;
    }
    case "typing":
      if (isMine) startTyping();
      break;
    case "webhook":
      panel.note(event);
      refreshSoon();
      break;
    case "cleared":
      load();
  }
}

/** Bring the panel up to date, once for many events. */
function refreshSoon() {
  refreshTimer ??= setTimeout(() => {
    refreshTimer = null;
    panel.refreshPeople(customer.number, choose);
    panel.refreshFaults();
  }, REFRESH_MILLISECONDS);
}

const write = (message) =>
  api.say({
    from: customer.number,
    ...(customer.name ? { name: customer.name } : {}),
    ...(business.value ? { phone_number_id: business.value } : {}),
    ...message,
  });

/** Answer a business message by tapping in it. */
function answer(entry, message) {
  const number = numbers.find((one) => one.phone_number_id === entry.phone_number_id);
  const from = (number?.display_phone_number ?? "").replace(/\D/g, "");
  write({ message: { context: { from, id: entry.id }, ...message } });
}

function openList(entry) {
  const { button, sections } = entry.message.interactive.action;
  const pick = ({ id, title, description }) => {
    list.close();
    answer(entry, { type: "interactive", interactive: { type: "list_reply", list_reply: { id, title, ...(description ? { description } : {}) } } });
  };
  const close = element("button", { className: "round", type: "button", ariaLabel: "Close", onclick: () => list.close() });
  close.append(icon("close"));
  list.replaceChildren(
    element("header", {}, button, close),
    ...sections.flatMap(({ title, rows }) => [
      title ? element("h4", {}, title) : "",
      ...rows.map((row) =>
        element("button", { className: "choice", type: "button", onclick: () => pick(row) }, row.title, row.description && element("small", {}, row.description)),
      ),
    ]),
  );
  list.show();
}

async function sendFile(file) {
  const [group] = file.type.split("/");
  const kind = ["image", "video", "audio"].includes(group) ? group : "document";
  const { id } = await api.upload(file);
  await write({ message: { type: kind, [kind]: { id, ...(kind === "document" ? { filename: file.name } : {}) } } });
}

document.getElementById("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = text.value.trim();
  if (!body) return;
  text.value = "";
  write({ text: body });
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    text.form.requestSubmit();
  }
});
document.getElementById("file").addEventListener("change", (event) => {
  const [file] = event.target.files;
  event.target.value = "";
  if (file) sendFile(file);
});
business.addEventListener("change", load);

async function start() {
  ({ numbers } = await api.settings());
  business.replaceChildren(...numbers.map((one) => element("option", { value: one.phone_number_id }, `${one.verified_name} ${one.display_phone_number}`)));
  document.getElementById("business-field").hidden = numbers.length < 2;
  const name = numbers[0]?.verified_name ?? "Business";
  document.getElementById("business-name").textContent = name;
  document.getElementById("business-initial").textContent = name[0];
  panel.showCustomer(customer);
  await panel.refreshFaults();
  await load();
}

panel.open(choose);
api.listen(hear, start, () => {
  presence.textContent = "connecting…";
});
