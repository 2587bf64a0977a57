/** Types of Countersign's embed script: https://ACCOUNTS/embed.js sets `window.Countersign`. */

export {};

/** A token as Countersign's routes return it. Times in Unix seconds. */
export interface CountersignToken {
  token: string;
  expires_at: number;
  /** Seconds until it expires, counted from the response. */
  expires_in: number;
  /** Seconds after which to fetch the next token. */
  refresh_in: number;
  server_time: number;
  /** Distinguishes users without identifying them: the same for the same user of the same messenger. */
  subject: string;
  /** Your own user ID, in responses of `POST /api/v1/mint`. */
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

/** The page's settings. Each is also a `data-` attribute of the script, except `getToken`. */
export interface CountersignOptions {
  /** The messenger. If you name none, `default` is used. */
  messenger?: string;
  /** A route of the site's own server that passes on the response of `POST /api/v1/mint`, or 401 or 204 without a user. */
  tokenUrl?: string;
  /** The same as a function: it returns a response, a bare token, or null if no user is signed in. */
  getToken?: () => Promise<CountersignToken | string | null> | CountersignToken | string | null;
  /** A code from `POST /api/v1/handovers`, which the site's server has put into this page. */
  code?: string;
  /** The user whom the page shows: the site's own user ID (`external_id`), or "" if it shows no user. */
  user?: string;
  /** What visitors who are not signed in see. Default: the messenger's setting. */
  anonymous?: "allow" | "hide" | "sign-in";
  /** The label of the sign-in link. */
  signInText?: string;
  /** When the script starts. Default: `now`. Before that, nothing is sent and nothing of Deskpro is loaded. */
  load?: "now" | "idle" | "click" | "consent";
  /** The label of the button that `load: "click"` shows. */
  launchText?: string;
}

/** The events of `on`. */
export interface CountersignEvents {
  /** A user is signed in who was not signed in before. */
  "signed-in": { subject: string };
  /** The user is no longer signed in. */
  "signed-out": { subject: null };
  /** The same user has a new token. */
  refreshed: { expiresIn: number };
  /** Something failed. `retryIn`: seconds until the next attempt, or null if another attempt would change nothing. */
  error: { code: string; message: string; retryIn: number | null };
}

export interface Countersign {
  /**
   * Starts the script if it has the attribute `data-manual`; otherwise it has started automatically. Called again, it
   * reads the attributes again: with another user, the previous user gets no token and no chat from that moment on.
   */
  start(options?: CountersignOptions): Promise<void>;
  /** Signs out in the Messenger, at Countersign (the session ends), and in every tab of this origin. */
  signOut(): Promise<void>;
  /** The visitor has given consent: starts the script if it waits for that. Call it on each page. */
  consent(): Promise<void>;
  /** The visitor has withdrawn consent: the chat ends, nothing of it stays, and a page with the Messenger is reloaded. */
  withdraw(): Promise<void>;
  /** Asks Countersign now who is signed in. */
  refresh(): Promise<void>;
  /** A token that is valid for a while, or undefined if no user is signed in. */
  token(): Promise<string | undefined>;
  /** Who is signed in: an opaque string; null if no user is; undefined until it is known. */
  readonly subject: string | null | undefined;
  /** Adds a listener. The returned function removes it. */
  on<Type extends keyof CountersignEvents>(type: Type, listener: (detail: CountersignEvents[Type]) => void): () => void;
}

declare global {
  interface Window {
    Countersign: Countersign;
    /** Set it before the script: its options are used as if passed to `Countersign.start`. */
    CountersignOptions?: CountersignOptions;
    DpMessengerOptions?: Record<string, unknown> & { signedUserInfo?: string };
  }
}
