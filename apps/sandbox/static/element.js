// Elements without innerHTML: what people and servers write stays text.

/** An element with properties, data (for event handlers) and children; empty children are left out. */
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.flat().filter(Boolean));
  return node;
}

const ICONS = {
  pending: "M12 6v6l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  sent: "m5 13 4 4L19 7",
  delivered: "m1 13 4 4L15 7m-5 9 1 1L21 7",
  failed: "M12 8v5m0 3v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
  video: "M4 6h11v12H4zM15 11l5-3v8l-5-3",
  audio: "M12 4a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V7a3 3 0 0 1 3-3M6 12a6 6 0 0 0 12 0M12 18v3",
  document: "M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h6",
  sticker: "M12 3a9 9 0 1 0 9 9c-5 0-9-4-9-9M9 10h.01M8 15c2 2 5 2 7 0",
  location: "M12 21s7-6.5 7-11.5a7 7 0 0 0-14 0C5 14.5 12 21 12 21M12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5",
  contacts: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M5 20c0-4 3-6 7-6s7 2 7 6",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
  close: "m6 6 12 12M18 6 6 18",
  link: "M10 14 20 4M14 4h6v6M19 14v6H4V5h6",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const MARKUP = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|```[^`]+```|https?:\/\/[^\s<>"]+)/;
const TAGS = { "*": "strong", _: "em", "~": "s" };

/** WhatsApp's own marks: *bold*, _italic_, ~struck~, ```code```, and links. */
export function words(text) {
  return String(text)
    .split(MARKUP)
    .filter(Boolean)
    .map((part) => {
      if (/^https?:/.test(part)) {
        return element("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part);
      }
      if (MARKUP.test(part) && part.startsWith("```")) return element("code", {}, part.slice(3, -3));
      if (MARKUP.test(part)) return element(TAGS[part[0]], {}, part.slice(1, -1));
      return part;
    });
}
