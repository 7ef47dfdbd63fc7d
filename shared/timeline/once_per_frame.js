// Drawing at most once per frame.

/** Wrap `work` so that it runs at most once per animation frame. */
export function oncePerFrame(work) {
  let request = 0;
  return () => {
    if (request) return;
    request = requestAnimationFrame(() => {
      request = 0;
      work();
    });
  };
}
