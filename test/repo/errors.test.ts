import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as agents from '../../src/agents.ts';
import * as library from '../../src/index.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/kernel/error-codes.ts';
import * as testing from '../../src/testing.ts';

const EXPORTED = [library, agents, testing].flatMap((entry) => Object.keys(entry));
const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/** The entries of docs/errors.md: the text below each code. */
const ENTRIES = new Map(
  readFileSync('docs/errors.md', 'utf8')
    .split(/^## /m)
    .slice(1)
    .map((entry) => [entry.slice(0, entry.indexOf('\n')), entry]),
);

describe('docs/errors.md', () => {
  // R:C2
  it('has one entry for every code, in the order of the table, and none for anything else', () => {
    expect([...ENTRIES.keys()]).toEqual(CODES);
  });

  it.each(CODES)('says of %s what happened and what to do', (code) => {
    const entry = ENTRIES.get(code) ?? '';

    expect(entry).toMatch(/\*\*What happened\.\*\* .+\.\n/);
    expect(entry).toMatch(/\*\*What to do\.\*\* .+[.:]\n/);
    expect(entry).toContain(`Retryable: ${ERROR_CODES[code][0] ? 'yes' : 'no'}.`);
  });

  it.each(CODES)('names the class of %s as it is exported', (code) => {
    const entry = ENTRIES.get(code) ?? '';
    const classes = [...(entry.split('\n')[2] ?? '').matchAll(/`([A-Z]\w+Error)`/g)];

    expect(classes.length).toBeGreaterThan(0);
    for (const [, name = ''] of classes) expect(EXPORTED).toContain(name);
  });
});
