/** Types of Countersign's helper for pages: https://ACCOUNTS/embed.js sets `window.Countersign`. */

export {};

/** A token as Countersign's routes answer it. Times in unix seconds. */
export interface CountersignToken {
  token: string;
  expires_at: number;
  /** Seconds left when it was answered. */
  expires_in: number;
  /** Seconds after which to fetch the next. */
  refresh_in: number;
  server_time: number;
  /** Who it is, without saying who: the same for the same user of the same messenger. */
  subject: string;
  /** Your own key of the user, in answers of `POST /api/v1/mint`. */
  external_id?: string;
  messenger: CountersignMessenger;
}

/** What a page needs to show the Messenger. */
export interface CountersignMessenger {
  id: string;
  init_script_url: string | null;
  deskpro_url: string | null;
  messenger_id: string | null;
  options: Record<string, unknown>;
  anonymous: "allow" | "hide";
}

/** How a page wants it; each also as a `data-` attribute of the script, but `getToken`. */
export interface CountersignOptions {
  /** Which messenger; `default` where none is named. */
  messenger?: string;
  /** A route of the site's own server that answers what `POST /api/v1/mint` answered it, or 401 or 204 for nobody. */
  tokenUrl?: string;
  /** The same as a function: an answer, a bare token, or null for nobody. */
  getToken?: () => Promise<CountersignToken | string | null> | CountersignToken | string | null;
  /** A code of `POST /api/v1/handovers`, which the site's server has put into this page. */
  code?: string;
  /** Whom the page shows: the site's own key of the user (`external_id`), or "" for nobody. */
  user?: string;
  /** What visitors see who are not signed in; the messenger's setting where nothing is said. */
  anonymous?: "allow" | "hide" | "sign-in";
  /** The words of the sign-in link. */
  signInText?: string;
  /** When it begins; `now` where nothing is said. Before it does, nothing is sent and nothing of Deskpro is loaded. */
  load?: "now" | "idle" | "click" | "consent";
  /** The words of the button that `load: "click"` shows. */
  launchText?: string;
}

/** What `on` tells. */
export interface CountersignEvents {
  /** Somebody is signed in, and was not before. */
  "signed-in": { subject: string };
  /** Nobody is any more. */
  "signed-out": { subject: null };
  /** The same user has a new token. */
  refreshed: { expiresIn: number };
  /** Something did not work; `retryIn` seconds until it is tried again, null where that would change nothing. */
  error: { code: string; message: string; retryIn: number | null };
}

export interface Countersign {
  /**
   * Begins, where the script has the attribute `data-manual`; otherwise it has begun by itself. Called again it reads the
   * attributes anew: with another user, whoever was shown before gets no token and no chat from that moment on.
   */
  start(options?: CountersignOptions): Promise<void>;
  /** Signs out: the Messenger, the sign-in at Countersign, and every tab of this origin. */
  signOut(): Promise<void>;
  /** The visitor agrees: begins, where it waits for that. To be called on each page. */
  consent(): Promise<void>;
  /** The visitor does not agree any more: the chat ends, nothing of it stays, and a page with the Messenger is loaded anew. */
  withdraw(): Promise<void>;
  /** Asks now who is signed in. */
  refresh(): Promise<void>;
  /** A token that is good for a while yet, or undefined for nobody. */
  token(): Promise<string | undefined>;
  /** Who is signed in: a text without a meaning, null for nobody, undefined until it is known. */
  readonly subject: string | null | undefined;
  /** Listens; the answer ends it. */
  on<Type extends keyof CountersignEvents>(type: Type, listener: (detail: CountersignEvents[Type]) => void): () => void;
}

declare global {
  interface Window {
    Countersign: Countersign;
    /** Set before the script, it is what `Countersign.start` is given. */
    CountersignOptions?: CountersignOptions;
    DpMessengerOptions?: Record<string, unknown> & { signedUserInfo?: string };
  }
}
