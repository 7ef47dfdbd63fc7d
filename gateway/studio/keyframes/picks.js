// Edits of keyframes and cuts. Their state is {picks: [frame], cuts: [{frame, confidence, kind, transition}], threshold}, in frames of the source.

import { cutsOf, likely, shotsOf } from "../timeline/shots.js";

/** Return the keyframes and cuts of a video. `video`: its entry in a result of the role clip_shots. */
export function foundIn(video) {
  const picks = (video.keyframes ?? []).map(({ frame }) => frame).sort((a, b) => a - b);
  const cuts = (video.shots ?? []).slice(1).map((shot) => ({
    frame: shot.start_frame, confidence: shot.confidence, kind: shot.kind, transition: [shot.transition_start_frame, shot.transition_end_frame],
  }));
  return { picks, cuts, threshold: video.threshold };
}

/** Return the scores for trying other thresholds: {times, frames, values, candidates}. It is null if the job kept none. */
export function scoresOf(video) {
  const values = video.scores?.values?.[video.method];
  if (!values) return null;
  const candidates = video.candidates?.map(({ start_frame: from, end_frame: to, time_s: time, kind, confidence }) => (
    { frame: Math.floor((from + to) / 2), time, kind, transition: [from, to], confidence }));
  return { times: video.scores.times, frames: video.scores.frames, values, candidates: candidates ?? null };
}

/** Cut again where the scores reach a threshold, by the rules of the server. */
export function recut(state, threshold, video, scores) {
  const found = scores.candidates ? likely(scores.candidates, threshold) : cutsOf(scores.values, threshold, scores);
  const whole = { total: video.frames, first: video.shots[0]?.start_s ?? 0, duration: video.duration_s, minShot: video.min_shot };
  const cuts = shotsOf(found, whole).slice(1).map(({ startFrame: frame, confidence, kind, transition }) => ({ frame, confidence, kind, transition }));
  return { ...state, cuts, threshold };
}

/** Add a keyframe, or remove it if it is already picked. */
export function toggledPick(state, frame) {
  const { picks } = state;
  return { ...state, picks: picks.includes(frame) ? picks.filter((other) => other !== frame) : [...picks, frame].sort((a, b) => a - b) };
}

/** Begin a shot at a frame, or remove the cut there. The first shot always begins at 0. */
export function toggledCut(state, frame) {
  if (frame <= 0) return state;
  const others = state.cuts.filter((cut) => cut.frame !== frame);
  if (others.length < state.cuts.length) return { ...state, cuts: others };
  return { ...state, cuts: [...others, { frame, confidence: 1, kind: "cut", transition: [frame, frame] }].sort((a, b) => a.frame - b.frame) };
}

/** Return the shots between the cuts: [{index, start, end, picks}]. `picks` are its keyframes; `end` is the first frame of the next shot. */
export function spansOf({ picks, cuts }, frames) {
  const edges = [0, ...cuts.map(({ frame }) => frame), frames];
  return edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1];
    return { index, start, end, picks: picks.filter((frame) => frame >= start && frame < end) };
  });
}

/** Write the keyframes as CSV. `times`: seconds of each frame. */
export function csvOf(state, frames, times) {
  const rows = spansOf(state, frames).flatMap((shot) => shot.picks.map((frame) => [frame, times[frame].toFixed(3), shot.index + 1]));
  return `${["frame,seconds,shot", ...rows.map((row) => row.join(","))].join("\r\n")}\r\n`;
}

/** Return the shots with times, for the timeline and the cut lists. `timeOf(frame)`: seconds. */
export function timedShots(state, frames, timeOf, duration) {
  return spansOf(state, frames).map(({ index, start, end }) => {
    const { kind = "start", transition = [0, 0], confidence = 1 } = state.cuts[index - 1] ?? {};
    return { index, startFrame: start, endFrame: end, start: timeOf(start), end: end < frames ? timeOf(end) : duration, kind, transition, confidence };
  });
}
