// Loading of the parts of the page that are imported on demand.

import { pause } from "../server/views.js";
import { notify } from "./notices.js";

const SOONEST_MS = 500;
const LATEST_MS = 5000;

/** Import a module; try again until the server sends it. @param {() => Promise<any>} importModule */
export async function load(importModule) {
  for (let wait = SOONEST_MS; ; wait = Math.min(wait * 2, LATEST_MS)) {
    try {
      return await importModule();
    } catch {
      if (wait === 2 * SOONEST_MS) notify("A part of this page could not be loaded. Trying again. If this message stays, reload the page.", { kind: "bad" });
    }
    await pause(wait);
  }
}
