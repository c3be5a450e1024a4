import { findEndpoint } from './endpoint-file.ts';

/** How long whoever played an experiment has to come back before somebody else goes on with it. */
const COMES_BACK_MS = 8_000;

/** Where an experiment is played, asked again and again while nobody is met there; when nobody comes back, `play` plays it here. */
export function whoPlaysOn(dir: string | undefined, play: () => Promise<string>): () => Promise<string | undefined> {
  let missedAt: number | undefined;
  return async () => {
    const there = dir === undefined ? undefined : await findEndpoint(dir);
    if (there !== undefined) {
      missedAt = undefined;
      return there.url;
    }
    missedAt ??= performance.now();
    return dir === undefined || performance.now() - missedAt < COMES_BACK_MS ? undefined : play();
  };
}
