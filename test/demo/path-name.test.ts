import fc from 'fast-check';
import { paramsOf, topic } from 'tellask';
import { expect, it } from 'vitest';
import { nameOf } from '../../examples/demo/path-name.ts';

const TEMPLATE = 'folder.{path}.unreadable';

it('keeps a path of ordinary length', () => {
  expect(nameOf('docs/v1.2/a b.md')).toBe('docs/v1.2/a b.md');
});

it('tells long paths with the same end apart', () => {
  const end = '/and/so/on'.repeat(20);

  expect(nameOf(`a${end}`)).not.toBe(nameOf(`b${end}`));
  expect(nameOf(`a${end}`)).toContain('/and/so/on');
});

it('names any path so that a topic can be made of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (path) => {
      const name = nameOf(path);
      expect(paramsOf(TEMPLATE, topic(TEMPLATE, { path: name }))).toEqual({ path: name });
    }),
    { seed: 13, numRuns: 300 },
  );
  expect(topic(TEMPLATE, { path: nameOf('') })).toBeTruthy();
  expect(topic(TEMPLATE, { path: nameOf('\uD800') })).toBeTruthy();
});
