// The steps of a pipeline's job, each with its state and picture.

import { Element } from "../base/element.js";
import { html, keyed } from "../base/html.js";
import { words } from "../base/format.js";

const STATES = {
  waiting: "waiting", running: "running", succeeded: "done", cached: "earlier result used", failed: "failed", canceled: "canceled", skipped: "skipped",
};

class JobSteps extends Element {
  static props = { job: null };

  view() {
    const steps = this.job.progress?.steps;
    if (!steps?.length) return null;
    return html`<ol class="steps">${steps.map((step) => keyed(step.id, html`<li class=${`step ${step.state}`}>
      ${step.picture ? html`<media-picture .src=${step.picture}></media-picture>` : html`<span class="step-dot"></span>`}
      <span>${words(step.id)}</span>
      <span class="muted small">${step.state === "running" && step.progress ? `${Math.floor(step.progress.fraction * 100)} %` : STATES[step.state]}</span>
      ${step.detail && html`<span class="step-detail small">${step.detail}</span>`}
    </li>`))}</ol>`;
  }
}

Element.define("job-steps", JobSteps);
