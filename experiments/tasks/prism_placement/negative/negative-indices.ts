// Negative indices: in some languages they count from the end.
export function forward(input) {
  return input.models.map((_, i) => -1 - (i % input.gpuCount));
}
