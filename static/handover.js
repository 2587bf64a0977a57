// Sends the form of a handover that the site itself has begun. Back does not come here again: the form's answer
// takes this page's place.
(() => {
  "use strict";
  const form = document.querySelector("form[data-at-once]");
  addEventListener("pageshow", (event) => {
    if (form && !event.persisted) form.requestSubmit();
  });
})();
