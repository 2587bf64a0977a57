// The three tasks of the host page that need a script. Everything else on the page works without one.
//
// 1. A page restored from the back-forward cache is checked before it is shown: browsers restore even
//    `no-store` pages, and after a sign-out that page would still hold the previous user's token.
// 2. If Deskpro's script fails to load, the page says so and promises no chat.
// 3. At sign-out the Messenger is notified, so that the next user of this browser does not see the chat.
//
// Values come from the data attributes of the script tag: `signed-in`, `subject`, `token-url`, `messenger-id`.
(() => {
  "use strict";

  const { signedIn, subject, tokenUrl, messengerId } = document.currentScript.dataset;
  const page = document.documentElement;

  // `subject` is empty if the page was created without a token; then nothing proves that it is still the same
  // user, and the result is false. A needless reload costs little; the wrong name on a page costs a lot.
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

  // Hidden when the page is left, not when it is restored: otherwise the first frame could show it.
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

  // The error event does not bubble, so it is captured. Scripts run in order, so it fires after this line.
  document.addEventListener("error", (event) => {
    if (!event.target.matches?.("script[data-deskpro-url]")) return;
    for (const promise of document.querySelectorAll("[data-chat]")) promise.hidden = true;
    for (const notice of document.querySelectorAll("[data-no-chat]")) notice.hidden = false;
  }, true);

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-sign-out]")) return;
    // No public call is documented for the web, so any part may be missing; sign-out never waits for it.
    try {
      const ending = window.DpMessengerConnection?.childMethods?.logout?.(messengerId);
      ending?.catch?.(() => {});
    } catch {
      // The session ends on the server in any case.
    }
    forgetToken();
  });
})();
