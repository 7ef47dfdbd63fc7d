// The pipeline that is being edited, kept in the browser until it is discarded.

const KEPT_AS = "reelwright-pipeline-draft";

/**
 * Return the kept pipeline, or null.
 *
 * It is {chosen, base, steps, media}. `base`: steps of the pipeline `chosen`; `steps`: null if unchanged.
 */
export function readDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem(KEPT_AS));
    const isValid = draft && Array.isArray(draft.base) && (draft.steps === null || Array.isArray(draft.steps)) && draft.media;
    return isValid ? draft : null;
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
