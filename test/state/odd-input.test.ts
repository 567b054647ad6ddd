import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cached } from '../../src/state/cached.ts';
import { documents } from '../../src/state/documents.ts';
import { StateManager } from '../../src/state/state-manager.ts';
import { StateView } from '../../src/state/state-view.ts';
import { workflows } from '../../src/state/workflow-state.ts';

const PAGE = readFileSync('docs/state.md', 'utf8');
const [, TABLES = ''] = /^## Odd input$([\s\S]*?)^## /m.exec(PAGE) ?? [];
const LINES = TABLES.split('\n').filter((line) => /^\| (?!call)/.test(line));
/** A call as it stands on the page, and what it gives. */
const ROWS = LINES.map((line) => line.split(' | ').map((cell) => cell.replace(/^\| |`/g, '')));

/** What the page says is there before each call. */
function makeState(): StateManager {
  const state = new StateManager();
  state.set('doc', { n: 1 });
  state.set('gone', 1);
  state.delete('gone');
  documents(state).createDocument('7', { topic: 'Tea' });
  workflows(state).createWorkflow('7', ['draft', 'review']);
  return state;
}

/** Version, value or name of the error that a call gives. */
async function outcomeOf(call: string): Promise<unknown> {
  const state = makeState();
  const { revision } = state.metrics();
  const names = { StateManager, cached, state, docs: documents(state), flows: workflows(state) };
  try {
    return told(await evaluate(call, names), revision);
  } catch (error) {
    expect(state.metrics().revision).toBe(revision);
    return (error as Error).name;
  }
}

function evaluate(code: string, names: object = {}): unknown {
  return new Function(...Object.keys(names), `'use strict'; return (${code});`)(
    ...Object.values(names),
  );
}

function told(result: unknown, revision: number): unknown {
  const entry = result as { version: number; revision: number } | undefined;
  if (entry?.version === undefined) return result;
  return entry.revision > revision ? `version ${entry.version}` : 'no version';
}

function wanted(gives: string): unknown {
  return /^(no version|version \d|[A-Z]\w+Error)$/.test(gives) ? gives : evaluate(gives);
}

const methodsOf = (type: object): string[] =>
  Object.getOwnPropertyNames(type).filter((name) => name !== 'constructor');

describe('what docs/state.md says of odd input', () => {
  // R:K2
  it.each(ROWS)('%s gives %s', async (call = '', gives = '') => {
    expect(await outcomeOf(call)).toEqual(wanted(gives));
  });

  it('is said of every operation', () => {
    const state = new StateManager();
    const types = [StateView, StateManager].map((type): object => type.prototype);
    const others = [documents(state), workflows(state)].map((one) => Object.getPrototypeOf(one));
    const all = [...types, ...others].flatMap(methodsOf).filter((name) => name !== 'attach');
    const calls = ROWS.map(([call]) => call).join('\n');

    expect(all.length).toBeGreaterThan(30);
    expect(all.filter((name) => !new RegExp(`\\b${name}\\b`).test(calls))).toEqual([]);
  });
});
