// The pipeline that is being edited, kept in the browser until it is discarded.

const KEPT_AS = "reelwright-pipeline-draft";

/** Read the kept pipeline: {chosen, base, steps, media}, steps null if they are `base`, those of the pipeline `chosen`; null if there is none. */
export function readDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem(KEPT_AS));
    const isWhole = draft && Array.isArray(draft.base) && (draft.steps === null || Array.isArray(draft.steps)) && draft.media;
    return isWhole ? draft : null;
  } catch {
    return null;
  }
}

export function keepDraft(draft) {
  try {
    localStorage.setItem(KEPT_AS, JSON.stringify(draft));
  } catch {
    // Storage is full or off: the steps are lost with the page.
  }
}
