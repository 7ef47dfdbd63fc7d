// How a row of scores and a threshold become shots: the same rule as transition.py and shots.py, so that both cut alike.

/** A cut at each sample where `scores` reach `threshold`; of several in a row at the highest. Answers [{at, confidence}]. */
export function cutsOf(scores, threshold) {
  const least = Math.fround(threshold); // scores are held in 32 bits, and so the threshold is compared there
  const cuts = [];
  let index = 0;
  while (index < scores.length) {
    if (scores[index] < least) {
      index += 1;
      continue;
    }
    let best = index;
    for (; index < scores.length && scores[index] >= least; index += 1) if (scores[index] > scores[best]) best = index;
    if (best > 0) cuts.push({ at: best, confidence: Math.min(scores[best] / threshold / 2, 1) });
  }
  return cuts;
}

/** The shots between `cuts` of samples with `frames` and `times`: none is shorter than `minShot` seconds, all cover the video. */
export function shotsOf(cuts, { frames, times, total, duration, minShot }) {
  const kept = [];
  for (const cut of cuts) {
    const last = kept.length ? times[kept[kept.length - 1].at] : 0;
    if (frames[cut.at] > 0 && frames[cut.at] < total && times[cut.at] - last >= minShot) kept.push(cut);
  }
  while (kept.length && duration - times[kept[kept.length - 1].at] < minShot) kept.pop();
  const ends = kept.map(({ at, confidence }) => ({ frame: frames[at], time: times[at], confidence }));
  const edges = [{ frame: 0, time: times.length ? times[0] : 0, confidence: 1 }, ...ends, { frame: total, time: duration }];
  return edges.slice(0, -1).map((edge, index) => ({
    index,
    startFrame: edge.frame,
    endFrame: edges[index + 1].frame,
    start: edge.time,
    end: edges[index + 1].time,
    kind: index ? "cut" : "start",
    transition: [edge.frame, edge.frame],
    confidence: edge.confidence,
  }));
}

/** `shots` with what is known of their beginnings from those that the server found: a cut within a transition is that transition. */
export function named(shots, found) {
  let next = 0;
  return shots.map((shot) => {
    while (next < found.length - 1 && Math.max(found[next].startFrame, found[next].transition[1]) < shot.startFrame) next += 1;
    const { kind, transition, startFrame } = found[next] ?? shot;
    const same = startFrame === shot.startFrame || (transition[0] <= shot.startFrame && shot.startFrame <= transition[1]);
    return same && shot.index ? { ...shot, kind, transition } : shot;
  });
}

/** Index of the shot at a time, by halving. */
export function shotAt(shots, time) {
  let low = 0;
  let high = shots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (shots[middle].start <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
