// The dialog that asks for a name.

import { html, render } from "../base/html.js";

/** Ask for a name; return a promise of it, null if the user cancels. */
export function askForName({ title, name, action = "Save", hint = "" }) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "name-title");
  document.body.append(dialog);
  return new Promise((resolve) => {
    const state = { answer: null };
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(state.answer);
    });
    const submit = (event) => {
      event.preventDefault();
      state.answer = dialog.querySelector("input").value.trim().replaceAll("/", "-") || null;
      if (state.answer) dialog.close();
    };
    render(
      html`<form @submit=${submit}>
        <h2 id="name-title">${title}</h2>
        <label for="name">Name</label>
        <input type="text" id="name" .value=${name} maxlength="100" required autocomplete="off">
        ${hint && html`<p class="muted small">${hint}</p>`}
        <div class="row end"><button type="button" @click=${() => dialog.close()}>Cancel</button><button type="submit" class="primary">${action}</button></div>
      </form>`,
      dialog,
    );
    dialog.showModal();
    dialog.querySelector("input").select();
  });
}
