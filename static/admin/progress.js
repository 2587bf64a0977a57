// While users are being checked, the part of the page that shows the progress is refreshed; typed text stays.

async function follow() {
  while (document.querySelector("#effect progress")) {
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("#effect");
      if (!fresh) return;
      document.querySelector("#effect").replaceWith(fresh);
      const label = page.querySelector("label[for=reason]");
      if (label) document.querySelector("label[for=reason]").replaceWith(label);
    } catch {
      // The server is briefly unavailable; the next round asks again.
    }
  }
}

follow();
