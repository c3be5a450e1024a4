// Half a GPU: an index that is no index holds no memory.
export function forward(input) {
  return input.models.map((_, i) => (i % input.gpuCount) + 0.5);
}
