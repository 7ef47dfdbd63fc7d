// The looks that a newcomer is offered first.

const OFFERED = [
  { title: "Cinematic slow motion", operation: "speed-ramp.render", preset: "hero", glyph: "ramp" },
  { title: "Motion trails", operation: "effects.motion-trails", glyph: "trails" },
  { title: "Best stills", operation: "aesthetics.best-frames", glyph: "star" },
  { title: "New background", operation: "background.studio", pipeline: "new-background", sentence: "Puts the subject over a picture of yours.", glyph: "person" },
];

/** Cards {title, sentence, operation, params, glyph, pipeline?} of what can run now. */
export function startCards(store) {
  return OFFERED.flatMap((offered) => {
    const operation = store.operation(offered.operation);
    if (!operation?.available) return [];
    if (offered.pipeline) {
      const pipeline = store.pipelines.find(({ name, available }) => name === offered.pipeline && available);
      return pipeline ? [{ ...offered, operation, params: {} }] : [];
    }
    const presets = operation.presets ?? [];
    const preset = presets.find(({ name }) => name === offered.preset) ?? presets[0];
    return [{ ...offered, operation, presetName: preset?.name, params: preset?.params ?? {}, sentence: preset?.sentence ?? operation.summary }];
  });
}
