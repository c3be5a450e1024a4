import { describeLog } from './test-log-contract.ts';
import { createMemoryLog } from './memory-log.ts';

describeLog('the memory log', () => Promise.resolve(createMemoryLog()));
