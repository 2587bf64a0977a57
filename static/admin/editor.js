// What makes the editor quicker, and nothing it needs: the preview follows what is typed, and an attribute is put
// where the cursor is. Without this script the same buttons do the same by a page of their own.

const form = document.querySelector("#rule");
const result = document.querySelector("#preview-result[data-preview]");

if (form && result) {
  let running;
  let timer;

  async function show() {
    running?.abort();
    running = new AbortController();
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(result.dataset.preview, { method: "POST", body, signal: running.signal, redirect: "manual" });
      if (!answer.ok) return;
      const open = [...result.querySelectorAll("details")].map((details) => details.open);
      result.innerHTML = await answer.text();
      result.querySelectorAll("details").forEach((details, i) => { details.open = open[i] ?? false; });
      result.removeAttribute("data-stale");
    } catch (error) {
      if (error.name !== "AbortError") result.setAttribute("data-stale", "");
    }
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });

  for (const button of form.querySelectorAll("button[value$='.insert']")) {
    button.addEventListener("click", (event) => {
      const select = button.parentElement.querySelector("select");
      const input = document.getElementById(select.dataset.insert);
      if (!select.value) return;
      event.preventDefault();
      input.setRangeText(`{${select.value}}`, input.selectionStart, input.selectionEnd, "end");
      input.focus();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

// A summary of errors leads to its field, whose id holds slashes.
for (const link of document.querySelectorAll(".banner a[href^='#']")) {
  link.addEventListener("click", (event) => {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });
}

// A file's text goes into the field beside it, where it can be looked at before it is sent.
for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  input.hidden = false;
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) document.getElementById(input.dataset.into).value = await file.text();
  });
}
