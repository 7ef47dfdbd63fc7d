// The looks that a newcomer is offered first.

const OFFERED = [
  { title: "Cinematic slow motion", operation: "speed-ramp.render", preset: "hero", glyph: "ramp" },
  { title: "Motion trails", operation: "effects.motion-trails", glyph: "trails" },
  { title: "Best stills", operation: "aesthetics.best-frames", glyph: "star" },
  { title: "New background", operation: "background.composite", sentence: "Puts the subject over a colour or a picture.", glyph: "person", pipeline: "new-background" },
];

/**
 * Cards of the tools that can run now. Each is {title, sentence, operation, presetName, params, glyph, pipeline?}. `pipeline`: a pipeline
 * that must be available.
 */
export function startCards(store) {
  return OFFERED.flatMap((offered) => {
    const operation = store.operation(offered.operation);
    if (!operation?.available) return [];
    if (offered.pipeline && !store.pipelines.some(({ name, available }) => name === offered.pipeline && available)) return [];
    const presets = operation.presets ?? [];
    const preset = presets.find(({ name }) => name === offered.preset) ?? presets[0];
    return [{ sentence: preset?.sentence ?? operation.summary, ...offered, operation, presetName: preset?.name, params: preset?.params ?? {} }];
  });
}
