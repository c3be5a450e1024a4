import type { Participant } from './participant.ts';
import {
  chosenIn,
  type Handler,
  invalidParams,
  type Params,
  quoted,
  recordParam,
  stringParam,
} from './protocol-handlers.ts';
import { pathInside, strategyFolders } from './view-folders.ts';

/** The most values the protocol lets one completion give. */
const MOST_VALUES = 100;
/** Marks whose ids are offered: the newest. */
const MARKS_OFFERED = 1000;
const MAX_CHARS = 4096;

/** `completion/complete` for the variables of the resource templates. */
export function completeTemplates(participant: Participant): Handler {
  return (params) => {
    const ref = recordParam(params, 'ref');
    const argument = recordParam(params, 'argument');
    const name = stringParam(argument, 'name', MAX_CHARS);
    const value = stringParam(argument, 'value', MAX_CHARS);
    if (ref['type'] !== 'ref/resource') {
      throw invalidParams('ref must be a ref/resource: the prompts of this server take no arguments');
    }
    const offered = candidatesFor(participant, stringParam(ref, 'uri', MAX_CHARS), name, chosenIn(params));
    const fitting = offered.filter((candidate) => candidate.startsWith(value));
    const values = fitting.slice(0, MOST_VALUES);
    return Promise.resolve({
      completion: { values, total: fitting.length, hasMore: fitting.length > values.length },
    });
  };
}

function candidatesFor(participant: Participant, uri: string, name: string, context: Params): readonly string[] {
  switch (`${uri} ${name}`) {
    case 'hivemark://files/{+path} path':
      return participant.files().map(({ path }) => path);
    case 'hivemark://strategies/{peer} peer':
    case 'hivemark://strategies/{peer}/{+path} peer':
      return strategyFolders(participant).map(({ peer }) => peer);
    case 'hivemark://strategies/{peer}/{+path} path': {
      const folders = strategyFolders(participant).filter(({ peer }) => (context['peer'] ?? peer) === peer);
      const paths = folders.flatMap(({ folder, files }) => files.map(({ path }) => pathInside(folder, path)));
      return [...new Set(paths)].sort();
    }
    case 'hivemark://marks/{+id} id':
      return participant
        .marks({ last: MARKS_OFFERED })
        .map(({ id }) => id)
        .toReversed();
    default:
      throw invalidParams(`there is no variable ${quoted(name)} of a resource template ${quoted(uri)}`);
  }
}
