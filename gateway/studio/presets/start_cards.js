// The cards of the looks that the page suggests to a newcomer. Operations declare their looks.

import { madeFirst } from "../base/declared.js";
import { canMake } from "../state/previews.js";

/** Return the cards of looks whose operations can run now. Each is {title, sentence, glyph, operation, presetName, params, ofPeople}. */
export function startCards(store) {
  const { operations, pipelines } = store;
  const hasPipeline = ({ pipeline }) => !pipeline || pipelines.some(({ name, available }) => name === pipeline && available);
  const canRun = (operation) => operation.available && Object.keys(madeFirst(operation)).every((name) => canMake(operations, operation.inputs[name]));
  return operations
    .filter((operation) => operation.look && canRun(operation) && hasPipeline(operation.look))
    .sort((first, second) => first.look.place - second.look.place)
    .map((operation) => {
      const { title, sentence, icon, of_people: ofPeople } = operation.look;
      const [preset] = operation.presets;
      return { title, sentence: sentence || (preset?.sentence ?? operation.summary), glyph: icon, operation, presetName: preset?.name, params: preset?.params ?? {}, ofPeople };
    });
}
