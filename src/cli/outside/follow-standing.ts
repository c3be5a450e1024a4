import type { Standing } from '../../mcp/participant.ts';
import type { HostClient } from '../host-client.ts';
import { noteStanding, roundLine } from './folder-lines.ts';

/** Calls `onNews` when the run is somewhere else than it was at `first`, which may be old already. */
export function followStanding(
  client: Pick<HostClient, 'standing' | 'onChange'>,
  first: Standing,
  onNews: (standing: Standing) => void,
): { stop(): void } {
  const newsOf = (standing: Standing): string => JSON.stringify([noteStanding(standing), roundLine(standing)]);
  let last = newsOf(first);
  let asking: Promise<void> | undefined;
  let again = false;
  const ask = async (): Promise<void> => {
    do {
      again = false;
      const now = await client.standing();
      const news = newsOf(now);
      if (news !== last) onNews(now);
      last = news;
    } while (again);
  };
  const look = (): void => {
    again = true;
    // A host that is away is the mirror's to tell; it asks again when it is back.
    asking ??= ask()
      .catch(() => undefined)
      .finally(() => {
        asking = undefined;
        if (again) look();
      });
  };
  const stop = client.onChange(look);
  // What became different between `first` and now is told by nobody.
  look();
  return { stop };
}
