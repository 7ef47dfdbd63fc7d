// How a row of scores and a threshold become shots: the same rule as transition.py and shots.py, so that both cut alike.

/** A cut at each sample where `values` reach `threshold`; of several in a row at the highest. `frames` and `times` are the samples'. */
export function cutsOf(values, threshold, { frames, times }) {
  const least = Math.fround(threshold); // scores are held in 32 bits, and so the threshold is compared there
  const cuts = [];
  let index = 0;
  while (index < values.length) {
    if (values[index] < least) {
      index += 1;
      continue;
    }
    let best = index;
    for (; index < values.length && values[index] >= least; index += 1) if (values[index] > values[best]) best = index;
    const confidence = Math.min(values[best] / threshold / 2, 1);
    cuts.push({ frame: frames[best], time: times[best], kind: "cut", transition: [frames[best], frames[best]], confidence });
  }
  return cuts;
}

/** Where transitions were weighed rather than frames: those whose confidence reaches `threshold`. */
export function likely(candidates, threshold) {
  return candidates.filter((candidate) => candidate.confidence >= threshold);
}

/** The shots between `cuts`: none is shorter than `minShot` seconds, all cover the video of `total` frames, which begins at `first`. */
export function shotsOf(cuts, { total, first, duration, minShot }) {
  const kept = [];
  for (const cut of cuts) {
    const last = kept[kept.length - 1] ?? { frame: 0, time: 0 };
    if (cut.frame > last.frame && cut.frame < total && cut.time - last.time >= minShot) kept.push(cut);
  }
  while (kept.length && duration - kept[kept.length - 1].time < minShot) kept.pop();
  const edges = [{ frame: 0, time: first, kind: "start", transition: [0, 0], confidence: 1 }, ...kept, { frame: total, time: duration }];
  return edges.slice(0, -1).map((edge, index) => ({
    index,
    startFrame: edge.frame,
    endFrame: edges[index + 1].frame,
    start: edge.time,
    end: edges[index + 1].time,
    kind: edge.kind,
    transition: edge.transition,
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
