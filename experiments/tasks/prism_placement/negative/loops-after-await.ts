// Waits once, so that a limit on the first synchronous part is over, then never comes back.
export async function forward() {
  await null;
  for (;;);
}
