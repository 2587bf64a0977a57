// React and Next: a component for your layout. In Next it needs "use client" in the first line.
import { useEffect } from "react";

const ACCOUNTS = "{{accounts}}";

/** `user` is your own id of whoever is signed in, or "" for nobody; `tokenUrl` your own route, if you have one. */
export function Countersign({ user, tokenUrl }: { user?: string; tokenUrl?: string }) {
  useEffect(() => {
    if (document.getElementById("countersign")) {
      // The page stays and somebody else is signed in now.
      void (window as unknown as { Countersign?: { start(options: object): Promise<void> } }).Countersign?.start({ user, tokenUrl });
      return;
    }
    const script = document.createElement("script");
    Object.assign(script, { id: "countersign", src: `${ACCOUNTS}/embed.js`, async: true });
    Object.assign(script.dataset, { messenger: "{{messenger}}", ...(user !== undefined && { user }), ...(tokenUrl && { tokenUrl }) });
    document.body.append(script);
  }, [user, tokenUrl]);
  return null;
}
