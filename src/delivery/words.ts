import type { FamilyView } from '../message/envelope.ts';
import type { Said } from './said.ts';
import type { Speaker } from './speech.ts';

/** What one call says, before it has an envelope. */
export interface Words {
  readonly action: 'publish' | 'send' | 'request';
  readonly speaker: Speaker;
  readonly to: string | undefined;
  readonly topic: string;
  readonly family: FamilyView | undefined;
  readonly payload: unknown;
  readonly said: Said;
}
