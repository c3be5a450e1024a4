// Exports nothing that can be called.
export const forward = { score: 1 };
