// The dialog that asks for an API key.

import { html, render } from "../base/html.js";

/** Ask for an API key, and return a promise of it. `reason`: the server's answer, shown to the user. */
export function askForKey(reason) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "key-title");
  document.body.append(dialog);
  return new Promise((resolve) => {
    const submit = (event) => {
      event.preventDefault();
      const key = dialog.querySelector("input").value.trim();
      if (!key) return;
      dialog.close();
      dialog.remove();
      resolve(key);
    };
    dialog.addEventListener("cancel", (event) => event.preventDefault()); // the page cannot work without a key
    render(
      html`<form @submit=${submit}>
        <h2 id="key-title">API key</h2>
        <p class="muted">${reason}</p>
        <label for="key">Key</label>
        <input type="password" id="key" autocomplete="off" spellcheck="false" required>
        <p class="muted small">This tab keeps the key until you close it.</p>
        <div class="row end"><button type="submit" class="primary">Use this key</button></div>
      </form>`,
      dialog,
    );
    dialog.showModal();
  });
}
