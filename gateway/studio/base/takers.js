// The tools that take a medium: as the clip they work on, or as another input.

/** Return the names of a tool's main inputs. Its other inputs only help, such as a background. */
export function mainInputs(operation) {
  return operation.needs.length ? operation.needs : Object.keys(operation.inputs).slice(0, 1);
}

/** Return the tools whose main inputs take media of a kind. */
export function toolsFor(operations, kind) {
  return operations.filter((operation) => mainInputs(operation).some((name) => operation.inputs[name].kinds.includes(kind)));
}

/** Return all tools' secondary inputs that take media of a kind: [{operation, name, port}]. */
export function rolesFor(operations, kind) {
  return operations.flatMap((operation) => {
    const main = mainInputs(operation);
    return Object.entries(operation.inputs)
      .filter(([name, port]) => !main.includes(name) && port.kinds.includes(kind))
      .map(([name, port]) => ({ operation, name, port }));
  });
}

/** Return whether any tool takes media of a kind. */
export function isTaken(operations, kind) {
  return operations.some(({ inputs }) => Object.values(inputs).some(({ kinds }) => kinds.includes(kind)));
}
