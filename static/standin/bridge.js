// One end of the bridge between a host page and the panel in its frame: calls over postMessage that get a response.
// A message is accepted only if it comes from the window on the other side and from its origin.

const NAME = "countersign-standin";
const PATIENCE = 10_000; // milliseconds

/**
 * @param {() => Window | null} peer the window on the other side, asked anew for every message
 * @param {string} origin the other side's origin
 * @param {() => Record<string, Function>} methods what the other side may call, asked anew for every call
 * @returns {(method: string, ...args: unknown[]) => Promise<unknown>} calls a method of the other side
 */
export function bridge(peer, origin, methods) {
  const waiting = new Map();
  let calls = 0;

  const send = (message) => peer()?.postMessage({ bridge: NAME, ...message }, origin);

  async function answer({ id, method, args }) {
    try {
      const known = methods();
      if (!Object.hasOwn(known, method)) throw new Error(`there is no method “${method}”`);
      send({ id, kind: "answer", value: await known[method](...args) });
    } catch (error) {
      send({ id, kind: "answer", error: String(error?.message ?? error) });
    }
  }

  window.addEventListener("message", (event) => {
    const message = event.data;
    if (event.origin !== origin || event.source !== peer() || message?.bridge !== NAME) return;
    if (message.kind === "call") {
      answer(message);
    } else if (waiting.has(message.id)) {
      const { resolve, reject, timer } = waiting.get(message.id);
      waiting.delete(message.id);
      clearTimeout(timer);
      if (message.error === undefined) resolve(message.value);
      else reject(new Error(message.error));
    }
  });

  return (method, ...args) => new Promise((resolve, reject) => {
    const id = ++calls;
    const timer = setTimeout(() => {
      waiting.delete(id);
      reject(new Error(`no answer to “${method}”`));
    }, PATIENCE);
    waiting.set(id, { resolve, reject, timer });
    send({ id, kind: "call", method, args });
  });
}
