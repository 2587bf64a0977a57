// The application in React. `Countersign.tsx` is the recipe as the console gives it.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Countersign } from "./Countersign";

type User = { id: string; name: string } | null;

function App({ tokenUrl }: { tokenUrl?: string }) {
  const [user, setUser] = useState<User>(null);
  const [name, setName] = useState("");
  const signIn = async () => setUser(await (await fetch(`/login?name=${name}`, { method: "POST" })).json());
  const signOut = async () => {
    await fetch("/logout", { method: "POST" });
    setUser(null);
  };
  return (
    <>
      <h1>{user ? `Welcome, ${user.name}` : "Welcome"}</h1>
      <label>Name <input value={name} onChange={(event) => setName(event.target.value)} /></label>
      <button onClick={signIn}>Sign in</button>
      {user && <button onClick={signOut}>Sign out</button>}
      <Countersign user={user?.id ?? ""} tokenUrl={tokenUrl} />
    </>
  );
}

const root = document.getElementById("app")!;
createRoot(root).render(<StrictMode><App tokenUrl={root.dataset.tokenUrl} /></StrictMode>);
