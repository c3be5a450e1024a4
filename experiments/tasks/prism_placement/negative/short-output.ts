// Places the smallest models only and drops the rest.
export function forward(input) {
  return input.models.slice(0, input.gpuCount).map((_, i) => i);
}
