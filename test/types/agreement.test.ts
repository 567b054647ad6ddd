import fc from 'fast-check';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { compilePattern } from '../../src/message/pattern.ts';

const FILE = `${process.cwd()}/test/types/in-memory-agreement.ts`;
const WORDS = ['a', 'b', 'ab', 'ba'];
const KEYS = [
  'a',
  'ab.b',
  'a.b',
  'a.{x}',
  'b.{x}.a',
  'b.ab.a',
  '{x}.{y}.ab',
  'ba.a.b.a',
  'ba.{x}.b.b',
];

const glob = fc.constantFrom(
  'a*',
  '*b',
  '?',
  'a?',
  '*a*',
  '{x}',
  '{a,ab}',
  '{b,b.ab}',
  '[ab]',
  '!(a)',
);
const segment = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...WORDS) },
  { weight: 2, arbitrary: fc.constantFrom('*', '**') },
  { weight: 2, arbitrary: glob },
);
const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));

/** The keys that the types give for every pattern, read out of the compiler. */
function keysByTypes(patterns: readonly string[]): readonly ReadonlySet<string>[] {
  const union = KEYS.map((key) => `'${key}'`).join(' | ');
  const lines = patterns.map((p, at) => `export type R${at} = [KeysOfPattern<Keys, '${p}'>];`);
  const source = `import type { KeysOfPattern } from '../../src/message/pattern-types.ts';
type Keys = ${union};
${lines.join('\n')}
`;
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, target) =>
    file === FILE ? ts.createSourceFile(file, source, target) : getSourceFile(file, target);
  host.fileExists = (file) => file === FILE || fileExists(file);
  host.readFile = (file) => (file === FILE ? source : readFile(file));
  const program = ts.createProgram([FILE], options, host);
  const checker = program.getTypeChecker();
  const answers = new Map<string, ReadonlySet<string>>();
  program.getSourceFile(FILE)?.forEachChild((node) => {
    if (!ts.isTypeAliasDeclaration(node) || !ts.isTupleTypeNode(node.type)) return;
    const type = checker.getTypeFromTypeNode(node.type.elements[0] as ts.TypeNode);
    answers.set(node.name.text, new Set(literalsOf(type)));
  });
  return patterns.map((_, at) => answers.get(`R${at}`) as ReadonlySet<string>);
}

function literalsOf(type: ts.Type): string[] {
  if (type.isUnion()) return type.types.flatMap(literalsOf);
  return type.isStringLiteral() ? [type.value] : [];
}

/** Topics that look like a key: every way to fill its parameters with the words. */
function topicsOf(key: string): string[] {
  if (!key.includes('{')) return [key];
  return WORDS.flatMap((word) => topicsOf(key.replace(/\{\w\}/, word)));
}

/** Whether the key is a topic's own: an exact key beats a template. */
function isOf(key: string, topic: string): boolean {
  return key === topic || !KEYS.includes(topic);
}

// F:A5
it('gives by types the keys that patterns match at run time', { timeout: 60_000 }, () => {
  const patterns = [...new Set(fc.sample(pattern, { seed: 11, numRuns: 400 }))];

  const typed = keysByTypes(patterns);

  let matched = 0;
  for (const [at, source] of patterns.entries()) {
    const compiled = compilePattern(source);
    const matches = (topic: string) => compiled.matches(topic);
    const alike = KEYS.filter((key) => topicsOf(key).some(matches));
    const needed = KEYS.filter((key) => topicsOf(key).some((t) => isOf(key, t) && matches(t)));
    const given = [...(typed[at] ?? [])];
    matched += needed.length;
    expect([source, given]).toEqual([source, expect.arrayContaining(needed)]);
    // Classes and negations are not followed: there the types may give more.
    if (!/[[!]/.test(source))
      expect([source, alike]).toEqual([source, expect.arrayContaining(given)]);
  }
  expect(matched).toBeGreaterThan(300);
});
