// The host page's three duties that need script. Everything else on it works without.
//
// 1. A page restored from the back-forward cache is checked before it is shown: browsers restore even
//    `no-store` pages, and after a sign-out that page would still hold the previous user's token.
// 2. Where Deskpro's script does not come, the page says so and promises no chat.
// 3. At sign-out the Messenger is told, so that the next visitor of this browser does not see the chat.
//
// Values come from the data attributes of the script tag: `signed-in`, `subject`, `token-url`, `messenger-id`.
(() => {
  "use strict";

  const { signedIn, subject, tokenUrl, messengerId } = document.currentScript.dataset;
  const page = document.documentElement;

  // `subject` is empty when the page was made without a token; then nothing proves that it is still the same
  // user, and the answer is no. A needless reload costs little, the wrong name on a page does not.
  const isStillTheSameUser = async () => {
    const answer = await fetch(`${tokenUrl}${tokenUrl.includes("?") ? "&" : "?"}optional=1`, {
      credentials: "same-origin",
      cache: "no-store",
      headers: { Accept: "application/json" },
      signal: AbortSignal.timeout?.(5000),
    });
    if (signedIn !== "true") return answer.status === 204;
    return answer.status === 200 && subject !== "" && (await answer.json()).subject === subject;
  };

  const forgetToken = () => {
    if (window.DpMessengerOptions) delete window.DpMessengerOptions.signedUserInfo;
  };

  // Hidden when it leaves, not when it returns: otherwise the first frame could show it.
  addEventListener("pagehide", (event) => {
    if (event.persisted) page.hidden = true;
  });

  addEventListener("pageshow", async (event) => {
    if (!event.persisted) return;
    page.hidden = true;
    const same = await isStillTheSameUser().catch(() => false);
    if (same) {
      page.hidden = false;
    } else {
      forgetToken();
      location.reload();
    }
  });

  // An error does not bubble, but is seen on its way down. Scripts run in their order, so it comes later than this.
  document.addEventListener("error", (event) => {
    if (!event.target.matches?.("script[data-deskpro-url]")) return;
    for (const promise of document.querySelectorAll("[data-chat]")) promise.hidden = true;
    for (const notice of document.querySelectorAll("[data-no-chat]")) notice.hidden = false;
  }, true);

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-sign-out]")) return;
    // No public call is documented for the web, so every step may be missing; sign-out never waits for it.
    try {
      const ending = window.DpMessengerConnection?.childMethods?.logout?.(messengerId);
      ending?.catch?.(() => {});
    } catch {
      // The session ends on the server all the same.
    }
    forgetToken();
  });
})();
