// The controls below the picture of the viewer: filmstrip, play, steps, place, sound.

import { html } from "../base/html.js";
import { icon } from "../base/icons.js";
import { position } from "../base/format.js";
import "./strip.js";

/** Return the template of a viewer's controls. */
export function transport(viewer) {
  const { isPlaying, time, isMuted } = viewer;
  const isMade = viewer.showsPreview && viewer.preview.kind === "video";
  const hasSound = viewer.record.media.audio?.length > 0; // previews have the clip's sound
  const length = isMade ? (viewer.querySelector("video.made")?.duration || 0) : viewer.duration;
  return html`<div class="transport">
    ${!isMade && html`<clip-strip .store=${viewer.store} .record=${viewer.record} .time=${time} .marks=${viewer.marks} .part=${viewer.part}
      @seek=${(event) => viewer.seek(event.detail)}></clip-strip>`}
    ${isMade && html`<input type="range" class="scrub" min="0" max=${length || 1} step="any" aria-label="Position in the preview" .value=${String(time)}
      @input=${(event) => viewer.seek(Number(event.target.value))}>`}
    <div class="transport-row">
      <button type="button" class="icon quiet" aria-label="Previous frame" title="Previous frame (←)" @click=${() => viewer.step(-1)}>${icon("previous")}</button>
      <button type="button" class="icon round" aria-label=${isPlaying ? "Pause" : "Play"} title="Play or pause (space)"
        @click=${() => viewer.toggle()}>${icon(isPlaying ? "pause" : "play")}</button>
      <button type="button" class="icon quiet" aria-label="Next frame" title="Next frame (→)" @click=${() => viewer.step(1)}>${icon("next")}</button>
      <span class="timecode" title="Minutes, seconds and frame">${isMade ? timecode(time, Math.floor((time % 1) * viewer.rate + 1e-3)) : placeOf(viewer)} <span class="muted">/ ${lengthOf(viewer, length, isMade)}</span></span>
      ${Math.abs(viewer.speed) > 1 || viewer.speed < 0 ? html`<span class="badge">${viewer.speed}×</span>` : null}
      <span class="gap"></span>
      <button type="button" class="icon quiet optional" aria-label="Loop" aria-pressed=${String(viewer.isLooping)} title="Loop" @click=${() => (viewer.isLooping = !viewer.isLooping)}>${icon("loop")}</button>
      ${hasSound && html`<button type="button" class="icon quiet" aria-label=${isMuted ? "Sound on" : "Sound off"} title="Sound (M)" @click=${() => viewer.mute()}>${icon(isMuted ? "mute" : "sound")}</button>
      <input type="range" class="volume" min="0" max="1" step="0.05" aria-label="Volume" .value=${String(isMuted ? 0 : viewer.volume)}
        @input=${(event) => { viewer.volume = Number(event.target.value); viewer.isMuted = viewer.volume === 0; }}>`}
      <button type="button" class="icon quiet" aria-label="Full screen" title="Full screen (F)" @click=${() => viewer.fullscreen()}>${icon("full")}</button>
    </div>
  </div>`;
}

/** Return the position of the shown frame in the clip. If the rate varies, also the frame's number, which does not follow from the time. */
function placeOf({ number, frames, record, time }) {
  if (number === null) return position(time);
  const text = timecode(frames.times[number] + 1e-4, number - frames.firstOfSecond(number));
  return record.media.variable_frame_rate ? html`${text} <span class="muted">frame ${number}</span>` : text;
}

/** Format the length like the position: "0:05:00" beside a timecode, else "0:05.00". */
function lengthOf({ number, record, rate }, length, isMade) {
  if ((number === null && !isMade) || record.media.variable_frame_rate) return position(length);
  return timecode(length, Math.floor((length % 1) * rate + 1e-3));
}

/** Format a time as minutes, seconds and the frame's number in its second: "1:05:12". */
function timecode(time, frame) {
  const whole = Math.floor(time + 1e-6);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}:${String(Math.max(0, frame)).padStart(2, "0")}`;
}
