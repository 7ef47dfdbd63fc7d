// The dialog that fetches a clip from a link.

import { html, render } from "../base/html.js";
import { Stay } from "../common/stay.js";

export function askForLink(store) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "link-title");
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  const state = { error: "", isBusy: false };
  const submit = async (event) => {
    event.preventDefault();
    const url = dialog.querySelector("input").value.trim();
    if (!url || state.isBusy) return;
    Object.assign(state, { error: "", isBusy: true });
    draw();
    const stay = new Stay(dialog);
    try {
      const record = await store.api.post("/v1/media/from-url", { url });
      store.putMedia(record);
      stay.open(`#/clip/${record.id}`, `${record.name} is in your library.`);
      dialog.close();
    } catch (error) {
      Object.assign(state, { error: error.message, isBusy: false });
      draw();
      dialog.querySelector("input").focus(); // a disabled field loses the focus
    }
  };
  const draw = () =>
    render(
      html`<form @submit=${submit}>
        <h2 id="link-title">Add a clip from a link</h2>
        <label for="link">Address of the file</label>
        <input type="url" id="link" placeholder="https://…/clip.mp4" required ?disabled=${state.isBusy}>
        <p class="muted small">The server downloads the file, so the address must be public.</p>
        ${state.error && html`<p class="error" role="alert">${state.error}</p>`}
        <div class="row end">
          <button type="button" @click=${() => dialog.close()}>Cancel</button>
          <button type="submit" class="primary" ?disabled=${state.isBusy}>${state.isBusy ? "Fetching…" : "Add"}</button>
        </div>
      </form>`,
      dialog,
    );
  draw();
  dialog.showModal();
}
