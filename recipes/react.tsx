// React and Next: a component for your layout. In Next it needs "use client" in the first line.
import { useEffect } from "react";

const ACCOUNTS = "{{accounts}}";

/** `user` is your own ID of the signed-in user, or "" if no user is signed in; `tokenUrl` is your own route, if you have one. */
export function Countersign({ user, tokenUrl }: { user?: string; tokenUrl?: string }) {
  useEffect(() => {
    const there = document.querySelector<HTMLScriptElement>("script#countersign");
    const script = there ?? Object.assign(document.createElement("script"), { id: "countersign", src: `${ACCOUNTS}/embed.js`, async: true });
    // The embed script reads these when it starts, which may be long after the user has changed.
    const attributes = { messenger: "{{messenger}}", user, tokenUrl };
    for (const [name, value] of Object.entries(attributes)) {
      if (value === undefined) delete script.dataset[name];
      else script.dataset[name] = value;
    }
    if (!there) document.body.append(script);
    // The page was not reloaded, and another user is signed in now.
    else void (window as { Countersign?: { start(): Promise<void> } }).Countersign?.start();
  }, [user, tokenUrl]);
  return null;
}
