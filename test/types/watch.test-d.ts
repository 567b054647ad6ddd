import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract } from '../../src/message/contract.ts';
import type { StateVersion } from '../../src/state/entry.ts';
import { StateManager } from '../../src/state/state-manager.ts';

const contract = defineContract({
  state: {
    'doc.{id}': z.object({ content: z.string() }),
    'doc.{id}.score': z.number(),
    phase: z.enum(['draft', 'final']),
  },
});

// R:K5
test('a watch gives versions of what its pattern can match', async () => {
  const state = new StateManager({ contract });

  for await (const version of state.watch('doc.*')) {
    expectTypeOf(version).toEqualTypeOf<StateVersion<{ content: string }>>();
  }
  for await (const { value } of state.watch('doc.**')) {
    expectTypeOf(value).toEqualTypeOf<{ content: string } | number | undefined>();
  }
  for await (const { value } of state.watch('phase')) {
    expectTypeOf(value).toEqualTypeOf<'draft' | 'final' | undefined>();
  }
  for await (const { value } of state.watch()) {
    expectTypeOf(value).toEqualTypeOf<
      { content: string } | number | 'draft' | 'final' | undefined
    >();
  }
});

test('a list gives what its pattern can match, now and at a revision', () => {
  const state = new StateManager({ contract });

  for (const view of [state, state.at(0)]) {
    const [doc] = view.list('doc.*');
    expectTypeOf(doc?.value).toEqualTypeOf<{ content: string } | undefined>();
  }
  const [any] = state.list();
  expectTypeOf(any?.value).toEqualTypeOf<
    { content: string } | number | 'draft' | 'final' | undefined
  >();
  const [unknown] = new StateManager().list('doc.*');
  expectTypeOf(unknown?.value).toEqualTypeOf<unknown>();
  // @ts-expect-error: no key of the contract begins so
  state.list('dok.*');
});

test('a pattern that can match nothing is an error', () => {
  const state = new StateManager({ contract });
  // @ts-expect-error the contract has no such key
  state.watch('docs.*');
});

test('without a contract any pattern goes, and values are unknown', async () => {
  const state = new StateManager();

  for await (const { value } of state.watch('docs.*', { latest: true })) {
    expectTypeOf(value).toEqualTypeOf<unknown>();
  }
});

test('a pattern not known before run time gives all values', async () => {
  const state = new StateManager({ contract });
  const pattern: string = 'doc.7';

  for await (const { value } of state.watch(pattern)) {
    expectTypeOf(value).toEqualTypeOf<
      { content: string } | number | 'draft' | 'final' | undefined
    >();
  }
});
