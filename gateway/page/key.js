// Asking for an API key.

import { byId, show } from "./dom.js";

/** Ask for a key; the promise waits until one is given. `why` says what the server answered. */
export function askForKey(why) {
  const dialog = byId("key-dialog");
  byId("key-text").textContent = why;
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
    dialog.oncancel = (event) => event.preventDefault(); // nothing works without a key
  });
}
