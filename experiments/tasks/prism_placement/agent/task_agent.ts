// Places models on GPUs: every pass improves the placement that the one before it left.
type Model = { id: number; size: number; req: number; slo: number };
type Input = { gpuCount: number; models: Model[] };
type Pass = (placement: number[], input: Input, random: () => number) => number[];

const memoryGb = 80;

// Passes to run after the construction, in this order.
const passes: Pass[] = [];

// Greedy: the most demanding models first, each on the GPU whose pressure is least at that moment, if it fits.
function construct(input: Input): number[] {
  const placement = new Array<number>(input.models.length).fill(0);
  const demand = new Array<number>(input.gpuCount).fill(0);
  const size = new Array<number>(input.gpuCount).fill(0);
  const sorted = [...input.models].sort((a, b) => b.req / b.slo - a.req / a.slo);
  for (const model of sorted) {
    let best = -1;
    let bestPressure = Infinity;
    for (let gpu = 0; gpu < input.gpuCount; gpu++) {
      const free = memoryGb - size[gpu];
      if (model.size > free) continue;
      const pressure = free > 0 ? demand[gpu] / free : 1_000_000;
      if (pressure < bestPressure) {
        bestPressure = pressure;
        best = gpu;
      }
    }
    if (best < 0) throw new Error(`model ${model.id} fits nowhere`);
    placement[model.id] = best;
    demand[best] += model.req / model.slo;
    size[best] += model.size;
  }
  return placement;
}

export async function forward(input: Input, ctx: { random: () => number }): Promise<number[]> {
  let placement = construct(input);
  for (const pass of passes) placement = pass(placement, input, ctx.random);
  return placement;
}
