// One message as a bubble: what each type of WhatsApp message looks like, and what can be tapped in it.

import { element, icon, words } from "./element.js";

const MEDIA = ["image", "video", "audio", "document", "sticker"];
const TICKS = { accepted: "pending", pending: "pending", sent: "sent", delivered: "delivered", read: "delivered", played: "delivered", failed: "failed" };
const MEANINGS = { accepted: "accepted by Graph", pending: "on its way", sent: "sent", delivered: "delivered", read: "read", played: "played", failed: "failed" };

export const kindOf = (message) =>
  message.type ?? ["interactive", "template", ...MEDIA].find((kind) => kind in message) ?? "text";

/** The words by which a message is known in a list or a quotation. */
export function summary(message) {
  const kind = kindOf(message);
  const content = message[kind] ?? {};
  if (kind === "text") return content.body ?? "";
  if (kind === "button") return content.text ?? "";
  if (kind === "interactive") {
    return content.button_reply?.title ?? content.list_reply?.title ?? content.body?.text ?? content.type ?? "";
  }
  if (kind === "reaction") return content.emoji || "reaction removed";
  if (kind === "template") return `template ${content.name}`;
  return content.caption || content.filename || content.name || kind;
}

/** The element for an entry. `act.tap(entry, message)` sends an answer, `act.open(entry)` opens a list. */
export function render(entry, { quoted, act, isNew }) {
  const node = element("article", { className: `message ${entry.direction}${isNew ? " is-new" : ""}` });
  node.dataset.id = entry.id;
  const bubble = element(
    "div",
    { className: "bubble" },
    quoted && element("div", { className: "quote" }, summary(quoted.message)),
    content(entry.message),
    element("div", { className: "foot" }),
  );
  node.append(bubble, taps(entry, act));
  update(node, entry);
  return node;
}

/** Bring an element's ticks up to date. */
export function update(node, entry) {
  const time = new Date(entry.time * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const tick = element("span", { title: MEANINGS[entry.status] ?? entry.status });
  tick.classList.toggle("is-read", entry.status === "read" || entry.status === "played");
  tick.classList.toggle("is-failed", entry.status === "failed");
  tick.setAttribute("aria-label", MEANINGS[entry.status] ?? entry.status);
  tick.setAttribute("role", "img");
  tick.append(icon(TICKS[entry.status] ?? "pending"));
  node.dataset.status = entry.status;
  node.querySelector(".foot").replaceChildren(element("time", {}, time), tick);
  node.querySelector(".failure")?.remove();
  if (entry.error) {
    const why = `${entry.error.code}: ${entry.error.error_data?.details ?? entry.error.title}`;
    node.querySelector(".bubble").append(element("p", { className: "failure" }, why));
  }
}

/** Hang an emoji on a message, or take it off. */
export function react(node, emoji) {
  node.querySelector(".reaction")?.remove();
  node.classList.toggle("has-reaction", Boolean(emoji));
  if (emoji) node.append(element("span", { className: "reaction" }, emoji));
}

function content(message) {
  const kind = kindOf(message);
  const body = message[kind] ?? {};
  if (MEDIA.includes(kind)) return [medium(kind, body), body.caption && text(body.caption)];
  switch (kind) {
    case "text":
      return text(body.body ?? "");
    case "button":
      return text(body.text ?? "");
    case "interactive":
      return interactive(body);
    case "location":
      return placeholder("location", body.name || "Location", body.address || `${body.latitude}, ${body.longitude}`);
    case "contacts":
      return [...(message.contacts ?? [])].map((one) =>
        placeholder("contacts", one.name?.formatted_name ?? "Contact", one.phones?.[0]?.phone ?? ""),
      );
    case "template":
      return template(body);
    default:
      return element("p", { className: "kind" }, kind);
  }
}

const text = (value) => element("span", { className: "words" }, words(value));

function placeholder(name, title, detail) {
  return element(
    "div",
    { className: "medium" },
    icon(name),
    element("div", {}, element("b", {}, title), detail && element("small", {}, detail)),
  );
}

function medium(kind, body) {
  const isShown = body.id && (kind === "image" || kind === "sticker");
  const stand = placeholder(kind, kind[0].toUpperCase() + kind.slice(1), body.filename || body.mime_type || body.link || body.id);
  if (!isShown) return stand;
  const picture = element("img", { className: "picture", alt: body.caption || kind, src: `api/media/${body.id}` });
  picture.onerror = () => picture.replaceWith(stand);
  return picture;
}

function interactive(body) {
  if (body.button_reply) return text(body.button_reply.title);
  if (body.list_reply) {
    return [text(body.list_reply.title), body.list_reply.description && element("p", { className: "footnote" }, body.list_reply.description)];
  }
  const header = body.header;
  return [
    header?.type === "text" && element("p", { className: "headline" }, words(header.text)),
    header && header.type !== "text" && medium(header.type, header[header.type] ?? {}),
    body.body ? text(body.body.text) : element("p", { className: "kind" }, body.type),
    body.footer && element("p", { className: "footnote" }, body.footer.text),
  ];
}

function template(body) {
  const values = (body.components ?? []).flatMap((part) =>
    (part.parameters ?? []).map((value) => value.text ?? value.payload ?? value.currency?.fallback_value ?? value.date_time?.fallback_value ?? value.type),
  );
  return [
    placeholder("document", body.name, `template, ${body.language?.code}`),
    values.length ? text(values.join(" · ")) : null,
  ];
}

/** What hangs below a business message to be tapped. */
function taps(entry, act) {
  const body = entry.message.interactive;
  if (entry.direction !== "out" || !body) return "";
  const row = (label, name, onclick) => element("button", { className: "tap", type: "button", onclick }, name && icon(name), label);
  switch (body.type) {
    case "button":
      return element(
        "div",
        { className: "taps" },
        body.action.buttons.map(({ reply }) =>
          row(reply.title, null, () =>
            act.tap(entry, { type: "interactive", interactive: { type: "button_reply", button_reply: { id: reply.id, title: reply.title } } }),
          ),
        ),
      );
    case "list":
      return element("div", { className: "taps" }, row(body.action.button, "list", () => act.open(entry)));
    case "cta_url": {
      const { display_text, url } = body.action.parameters;
      const link = { className: "tap", href: url, target: "_blank", rel: "noopener noreferrer" };
      return element("div", { className: "taps" }, element("a", link, icon("link"), display_text));
    }
    case "location_request_message":
      return element(
        "div",
        { className: "taps" },
        row("Send location", "location", () =>
          act.tap(entry, { type: "location", location: { latitude: -23.5614, longitude: -46.6559, name: "Avenida Paulista" } }),
        ),
      );
    default:
      return "";
  }
}
