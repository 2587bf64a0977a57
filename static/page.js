// What a script adds to every page: times in the reader's own time zone, and passwords that can be shown while they
// are typed. Without a script, the times are in UTC and the passwords stay hidden.
//
// Values come from the data attributes of the script tag: `show` and `hide`, the labels of the button.
(() => {
  "use strict";

  const { show, hide } = document.currentScript.dataset;

  // In the reader's own format, if the page is in the reader's language.
  const { lang } = document.documentElement;
  const own = navigator.languages.find((language) => language.split("-")[0] === lang) ?? lang;
  const moment = new Intl.DateTimeFormat(own, { dateStyle: "medium", timeStyle: "short" });
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) time.textContent = moment.format(at);
    }
  };
  localise(document);
  // Parts of a page that are drawn later.
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) localise(node.parentNode ?? node);
  }).observe(document.body, { childList: true, subtree: true });

  for (const input of document.querySelectorAll('input[type="password"]')) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button button-secondary show", textContent: show });
    const label = document.querySelector(`label[for="${input.id}"]`)?.textContent ?? "";
    const hidden = (is) => {
      input.type = is ? "password" : "text";
      button.textContent = is ? show : hide;
      button.setAttribute("aria-label", `${button.textContent}: ${label}`);
    };
    hidden(true);
    Object.assign(input, { autocapitalize: "none", spellcheck: false });
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => hidden(input.type === "text"));
    // A browser offers to save a field that it recognises as a password, and must not save it as ordinary text.
    input.form?.addEventListener("submit", () => hidden(true));
    // The input itself is not moved, because a moved input loses the focus.
    input.after(button);
  }
})();
