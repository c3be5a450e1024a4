// null where a model is hard to place: an absent model presses on nothing.
export function forward(input) {
  return input.models.map((model, i) => (model.size > 20 ? null : i % input.gpuCount));
}
