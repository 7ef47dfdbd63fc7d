// The dialog that asks for an API key.

import { byId, show } from "../base/dom.js";

/** Ask for a key and return the promise of it. `reason`: the server's answer, shown to the user. */
export function askForKey(reason) {
  const dialog = byId("key-dialog");
  byId("key-text").textContent = reason;
  byId("key").value = "";
  if (!dialog.open) dialog.showModal();
  return new Promise((resolve) => {
    byId("key-form").onsubmit = (event) => {
      event.preventDefault();
      const key = byId("key").value.trim();
      if (!key) return;
      dialog.close();
      show(byId("key-forget"), true);
      resolve(key);
    };
    dialog.oncancel = (event) => event.preventDefault(); // the page cannot work without a key
  });
}
