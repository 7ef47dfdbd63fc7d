// The videos embedded in this page.

import { ratio } from "../../../shared/timeline/timecode.js";

/** Unpack the videos that output/gallery.py put into the page. The shots become objects, the scores typed arrays. */
export function readVideos() {
  const mediaIds = document.querySelector("meta[name=reelwright-media]").content.split(" ").filter(Boolean);
  return [...document.querySelectorAll("script.video")].map((script, index) => {
    const data = JSON.parse(script.textContent);
    script.remove(); // otherwise its pictures are in memory twice
    const media = mediaIds[index] ? `/v1/media/${mediaIds[index]}/content` : null;
    if (data.error) return { ...data, media };
    const candidates = data.candidates?.map(unpackCandidate) ?? null;
    return { ...data, media, candidates, shots: data.shots.map(unpackShot), scores: unpackScores(data) };
  });
}

function unpackCandidate([from, to, time, kind, confidence]) {
  return { frame: Math.floor((from + to) / 2), time, kind, transition: [from, to], confidence };
}

function unpackShot([startFrame, endFrame, start, end, kind, from, to, confidence], index) {
  return { index, startFrame, endFrame, start, end, kind, transition: [from, to], confidence };
}

function unpackScores({ scores, rate }) {
  if (!scores) return null;
  const values = Object.fromEntries(Object.entries(scores.values).map(([name, text]) => [name, new Float32Array(bytes(text))]));
  const frames = scores.frames ? new Uint32Array(bytes(scores.frames)) : Uint32Array.from({ length: scores.count }, (_, at) => at);
  const frameDuration = 1 / ratio(rate);
  const times = scores.times ? new Float64Array(bytes(scores.times)) : Float64Array.from(frames, (frame) => frame * frameDuration);
  return { frames, times, values };
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}
