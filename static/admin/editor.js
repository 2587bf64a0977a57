// Makes the editor faster, but nothing here is necessary: the preview follows the input, and an attribute is inserted
// at the cursor. Without this script, the same buttons do the same on a separate page.

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

  // Also the user field, which is outside the form but belongs to it.
  let typed = false;
  document.addEventListener("input", ({ target }) => {
    if (target.form !== form) return;
    typed ||= target.id !== "user";
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });
  document.querySelector("#user").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    show();
  });
  result.addEventListener("click", (event) => {
    const other = event.target.closest("button[name=show]");
    if (!other) return;
    event.preventDefault();
    document.querySelector("#user").value = other.value;
    show();
  });

  // The browser asks before unsaved input is lost.
  form.addEventListener("submit", () => { typed = false; });
  window.addEventListener("beforeunload", (event) => { if (typed) event.preventDefault(); });

  // Rows of a spreadsheet do not fit into one cell: they go into the field that imports many rows.
  for (const table of form.querySelectorAll("table.lookup")) {
    table.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text/plain");
      if (!/[\t\n]/.test(text.trim())) return;
      event.preventDefault();
      const many = table.parentElement.querySelector("details.paste");
      const field = many.querySelector("textarea");
      many.open = true;
      field.value += (field.value && !field.value.endsWith("\n") ? "\n" : "") + text;
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }

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

// A link in an error summary leads to its field, whose id contains slashes.
for (const link of document.querySelectorAll(".banner a[href^='#']")) {
  link.addEventListener("click", (event) => {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: "center" });
  });
}

// A file's content goes into the field beside it, where it can be checked before it is sent.
for (const input of document.querySelectorAll("input[type=file][data-into]")) {
  input.hidden = false;
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (file) document.getElementById(input.dataset.into).value = await file.text();
  });
}
