import { ability, type PatternCompiler } from '../contender.ts';
import type { Row } from '../row.ts';

/** 64 segments, 256 characters: the longest topics that are accepted. */
const deep = Array.from({ length: 64 }, () => 'aaa').join('.');
const wide = `${'a'.repeat(127)}.${'a'.repeat(128)}`;
const topics = [deep, wide, `${deep.slice(0, -1)}b`, `${wide.slice(0, -1)}b`, 'a', '𝒂𝒂𝒂𝒂.é.a'];

/** Accepted or refused, as the library likes; each was the death of some matcher. */
const patterns = [
  '**.a.**.a.**.a.**.b',
  `**.${'*.'.repeat(40)}**.b`,
  '**.*a*a*a*.**.*a*a*a*.**.*a*b',
  `${'*.'.repeat(63)}b`,
  '*.*.*.*.*.*.*.*.b',
  '**.**.**.**',
  '**.**.**.**.**.**',
  `${'a*'.repeat(60)}b.*`,
  `${'*a'.repeat(60)}b.*`,
  `${'?*'.repeat(60)}b.${'?*'.repeat(60)}b`,
  `${'[a-z]*'.repeat(40)}b`,
  `{${'a,'.repeat(100)}a*a*b}.**`,
  `**.{${'*a*,'.repeat(50)}b}`,
  '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}',
  '{a,b}'.repeat(20),
  '{1..256}.**',
  '{1..1000000000}',
  '{{{{{{{{{{{{{{{{a,b},c},d},e},f},g},h},i},j},k},l},m},n},o},p},q}',
  '!(a|aa|aaa|aaaa)*!(a|aa|aaa)b',
  '+(a|aa)+(a|aa)+(a|aa)b',
  '*(*(*(*(*(a)))))b',
  `${'['.repeat(200)}`,
  `${'('.repeat(200)}`,
  `${'\\'.repeat(255)}`,
  'a'.repeat(100_000),
  '{a,'.repeat(80),
];

const repeats = 15;

/** The fastest of several: what the work costs, without what else the machine does. */
function fastestMs(work: () => void): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < repeats; index += 1) {
    const startedAt = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - startedAt);
  }
  return fastest;
}

function isRefused(compiler: PatternCompiler, pattern: string): boolean {
  try {
    compiler.compile(pattern);
    return false;
  } catch {
    return true;
  }
}

interface Slowest {
  ms: number;
  text: string;
}

function slower(slowest: Slowest, ms: number, text: string): Slowest {
  return ms > slowest.ms ? { ms, text: text.slice(0, 60) } : slowest;
}

function slowestRefusal(compiler: PatternCompiler): Slowest {
  let slowest: Slowest = { ms: 0, text: '' };
  for (const pattern of patterns.filter((one) => isRefused(compiler, one))) {
    const ms = fastestMs(() => isRefused(compiler, pattern));
    slowest = slower(slowest, ms, pattern);
  }
  return slowest;
}

function slowestMatch(compiler: PatternCompiler): Slowest {
  let slowest: Slowest = { ms: 0, text: '' };
  for (const pattern of patterns.filter((one) => !isRefused(compiler, one))) {
    const compiled = compiler.compile(pattern);
    for (const topic of topics) {
      slowest = slower(
        slowest,
        fastestMs(() => compiled.matches(topic)),
        pattern,
      );
    }
  }
  return slowest;
}

function hostile(
  name: string,
  title: string,
  unit: 'us' | 'ms',
  atMost: number,
  find: (compiler: PatternCompiler) => Slowest,
): Row {
  return {
    name,
    title,
    unit,
    needs: 'patterns',
    goals: [{ kind: 'limit', atMost }],
    prepare: async (contender) => {
      const compiler = await ability(contender, 'patterns');
      let slowest = find(compiler); // once before, to warm up
      return {
        sample: () => {
          slowest = find(compiler);
          return unit === 'us' ? slowest.ms * 1_000 : slowest.ms;
        },
        note: () => slowest.text,
      };
    },
  };
}

export const rows: readonly Row[] = [
  hostile('pattern-accepted', 'slowest match of a hostile pattern', 'us', 50, slowestMatch),
  hostile('pattern-refused', 'slowest refusal of a hostile pattern', 'ms', 1, slowestRefusal),
];
