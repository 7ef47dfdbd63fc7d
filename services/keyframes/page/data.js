// The videos that this page carries, unpacked.

import { ratio } from "./timecode.js";

/** Every video: what the server wrote (page.py), with shots as objects and scores as typed arrays. */
export function readVideos() {
  const served = document.querySelector("meta[name=reelwright-media]").content.split(" ").filter(Boolean);
  return [...document.querySelectorAll("script.video")].map((script, index) => {
    const given = JSON.parse(script.textContent);
    script.remove(); // the pictures in it are held once
    const media = served[index] ? `/v1/media/${served[index]}/content` : null;
    if (given.error) return { ...given, media };
    const candidates = given.candidates?.map(unpackCandidate) ?? null;
    return { ...given, media, candidates, shots: given.shots.map(unpackShot), scores: unpackScores(given) };
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
  const each = 1 / ratio(rate);
  const times = scores.times ? new Float64Array(bytes(scores.times)) : Float64Array.from(frames, (frame) => frame * each);
  return { frames, times, values };
}

function bytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer;
}
