// More entries than models: does the scorer read past what it needs?
export function forward(input) {
  return [...input.models, ...input.models].map((_, i) => i % input.gpuCount);
}
