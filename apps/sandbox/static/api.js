// The control API, relative to the page: it works below any path.

async function call(method, path, body, type = "application/json") {
  const response = await fetch(`api/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": type },
    body: type === "application/json" && body !== undefined ? JSON.stringify(body) : body,
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  return response.status === 204 ? null : response.json();
}

export const say = (message) => call("POST", "say", { wait: false, ...message });
export const upload = (file) =>
  call("POST", `media?filename=${encodeURIComponent(file.name)}`, file, file.type || "application/octet-stream");
export const chats = () => call("GET", "chats");
export const chat = (customer) => call("GET", `chats/${encodeURIComponent(customer)}`);
export const settings = () => call("GET", "settings");
export const faults = () => call("GET", "faults");
export const setFaults = (chosen) => call("PUT", "faults", chosen);

/** Hear every event; `onOpen` also runs after a lost connection came back. */
export function listen(onEvent, onOpen, onLost) {
  const source = new EventSource("api/events");
  source.onopen = onOpen;
  source.onerror = onLost;
  source.onmessage = (event) => onEvent(JSON.parse(event.data));
}
