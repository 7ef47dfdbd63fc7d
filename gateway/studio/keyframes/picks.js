// Keyframes and cuts as they are edited: {picks: [frame], cuts: [{frame, confidence}]}, both rising, in frames of the source.

/** The state that a job of `keyframes.detect` found. `video`: its entry in the result. */
export function foundIn(video) {
  const picks = (video.keyframes ?? []).map(({ frame }) => frame).sort((a, b) => a - b);
  const cuts = (video.shots ?? []).slice(1).map(({ start_frame: frame, confidence }) => ({ frame, confidence }));
  return { picks, cuts };
}

/** Add a keyframe, or take it out. */
export function toggledPick(state, frame) {
  const { picks } = state;
  return { ...state, picks: picks.includes(frame) ? picks.filter((other) => other !== frame) : [...picks, frame].sort((a, b) => a - b) };
}

/** Begin a shot at a frame, or join it to the one before. The first shot begins at 0 in any case. */
export function toggledCut(state, frame) {
  if (frame <= 0) return state;
  const others = state.cuts.filter((cut) => cut.frame !== frame);
  if (others.length < state.cuts.length) return { ...state, cuts: others };
  return { ...state, cuts: [...others, { frame, confidence: 1 }].sort((a, b) => a.frame - b.frame) };
}

/** Only the cuts of a confidence, 0 to 1. A shot that was joined keeps its keyframes. */
export function surest(state, confidence) {
  return { ...state, cuts: state.cuts.filter((cut) => cut.confidence >= confidence) };
}

/** The shots between the cuts, each with its keyframes: [{index, start, end, picks}], `end` being the first frame of the next. */
export function shotsOf({ picks, cuts }, frames) {
  const edges = [0, ...cuts.map(({ frame }) => frame), frames];
  return edges.slice(0, -1).map((start, index) => {
    const end = edges[index + 1];
    return { index, start, end, picks: picks.filter((frame) => frame >= start && frame < end) };
  });
}

/** The keyframes as CSV. `times`: seconds of each frame. */
export function csvOf(state, frames, times) {
  const rows = shotsOf(state, frames).flatMap((shot) => shot.picks.map((frame) => [frame, times[frame].toFixed(3), shot.index + 1]));
  return `${["frame,seconds,shot", ...rows.map((row) => row.join(","))].join("\r\n")}\r\n`;
}

/** The shots as an edit list (CMX 3600) without drop-frame. `rate`: whole frames per second. */
export function edlOf(state, frames, rate, title) {
  const code = (frame) => [frame / rate / 3600, (frame / rate / 60) % 60, (frame / rate) % 60, frame % rate].map((part) => String(Math.floor(part)).padStart(2, "0")).join(":");
  const events = shotsOf(state, frames).map(({ index, start, end }) => {
    const span = `${code(start)} ${code(end)}`;
    return `${String(index + 1).padStart(3, "0")}  AX       V     C        ${span} ${span}\r\n* FROM CLIP NAME: ${title.replace(/[\r\n]+/g, " ")}`;
  });
  return `TITLE: ${title.replace(/[\r\n]+/g, " ")}\r\nFCM: NON-DROP FRAME\r\n${events.join("\r\n")}\r\n`;
}
