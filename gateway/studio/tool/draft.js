// The user's entries in a tool, kept until the tab is closed.

const PREFIX = "reelwright-draft ";

/** Read the user's earlier entries in a tool on a clip. They are {params, inputs, brought, preset}; null without any. */
export function readDraft(clip, operation) {
  try {
    return JSON.parse(sessionStorage.getItem(`${PREFIX}${clip} ${operation}`)) ?? null;
  } catch {
    return null;
  }
}

export function keepDraft(clip, operation, draft) {
  try {
    sessionStorage.setItem(`${PREFIX}${clip} ${operation}`, JSON.stringify(draft));
  } catch {
    // Storage is full or off: the draft is lost with the page.
  }
}
