// Never comes back.
export function forward() {
  for (;;);
}
