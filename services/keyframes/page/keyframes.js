// Which keyframes belong to a shot, also after another cut, and their pictures.

/** Looks keyframes up by shot. `onPicture()` is called when one can be drawn. */
export class Keyframes {
  #video;
  #images = new Map(); // keyframe -> image
  #onPicture;

  constructor(video, onPicture) {
    this.#video = video;
    this.#onPicture = onPicture;
  }

  /** {own, stand}: the keyframes between a shot's frames, best first; where there are none, one that stands in, or null. */
  of(shot) {
    const own = this.#between(shot.startFrame, shot.endFrame).sort((one, other) => other.score - one.score);
    return { own, stand: own.length ? null : this.#standIn(shot) };
  }

  /** The picture of a shot, if it has been decoded; else it is begun. */
  image(shot) {
    const { own, stand } = this.of(shot);
    const keyframe = own[0] ?? stand;
    if (!keyframe?.picture) return null;
    const known = this.#images.get(keyframe);
    if (known) return known.complete && known.naturalWidth ? known : null;
    const image = new Image();
    image.onload = () => this.#onPicture();
    image.src = keyframe.picture;
    this.#images.set(keyframe, image);
    return null;
  }

  #between(from, to) {
    const all = this.#video.keyframes;
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle].frame < from) low = middle + 1;
      else high = middle;
    }
    const found = [];
    for (; low < all.length && all[low].frame < to; low += 1) found.push(all[low]);
    return found;
  }

  /** Of the server's shot that this one lies in: its own keyframe, or the one that it looks like. */
  #standIn(shot) {
    const around = this.#video.shots.find((one) => one.startFrame <= shot.startFrame && shot.startFrame < one.endFrame);
    if (!around) return null;
    const all = this.#video.keyframes;
    return all.find((one) => one.shot === around.index) ?? all.find((one) => one.like.includes(around.index)) ?? null;
  }
}
