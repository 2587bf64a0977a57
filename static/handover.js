// Submits the form of a handover that the site itself has started. The back button does not return here: the response
// to the form replaces this page.
(() => {
  "use strict";
  const form = document.querySelector("form[data-at-once]");
  addEventListener("pageshow", (event) => {
    if (form && !event.persisted) form.requestSubmit();
  });
})();
