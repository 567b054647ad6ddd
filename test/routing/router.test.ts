import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../src/message/pattern.ts';
import { checkTopic } from '../../src/message/topic.ts';
import type { Routable } from '../../src/routing/pattern-index.ts';
import { Router } from '../../src/routing/router.ts';
import { PatternMaker } from '../message/pattern-maker.ts';

/** A router that lists the patterns that match, and remembers for which topics it was asked. */
function routerOf(maxCachedTopics?: number) {
  const built: string[] = [];
  const build = (topic: string, matches: readonly Routable[]) => {
    checkTopic(topic);
    built.push(topic);
    return matches.map(({ pattern }) => pattern.source).join(' ');
  };
  const options = maxCachedTopics === undefined ? { build } : { build, maxCachedTopics };
  const router = new Router<Routable, string>(options);
  let order = 0;
  const add = (source: string): Routable => {
    const item = { pattern: compilePattern(source), order: order++ };
    router.add(item);
    return item;
  };
  return { router, built, add };
}

describe('the router', () => {
  it('builds the result of a topic once', () => {
    const { router, built, add } = routerOf();
    add('a.*');

    const results = [router.route('a.b'), router.route('a.b'), router.route('a.b')];

    expect(results).toEqual(['a.*', 'a.*', 'a.*']);
    expect(built).toEqual(['a.b']);
  });

  it('keeps a result that is undefined too', () => {
    let built = 0;
    const router = new Router<Routable, undefined>({ build: () => void built++ });

    router.route('a');
    router.route('a');

    expect(built).toBe(1);
  });

  it.each([
    ['a.b', 'a.b'],
    ['a.*', 'a.b a.c'],
    ['{a,b}.*', 'a.b a.c b.c'],
    ['{a.b,b.c}', 'a.b b.c'],
    ['*.c', 'a.b a.c b.c'],
    ['**', 'a.b a.c b.c'],
    ['c.*', ''],
  ])('builds anew, when %j comes and when it goes, just %j', (pattern, expected) => {
    const { router, built, add } = routerOf();
    const topics = ['a.b', 'a.c', 'b.c'];
    for (const topic of topics) router.route(topic);

    const item = add(pattern);
    built.length = 0;
    for (const topic of topics) router.route(topic);
    for (const topic of topics) router.route(topic);
    const afterAdd = built.join(' ');
    router.remove(item);
    built.length = 0;
    for (const topic of topics) router.route(topic);

    expect([afterAdd, built.join(' ')]).toEqual([expected, expected]);
  });

  it('does not build anew when what is removed was not in', () => {
    const { router, built, add } = routerOf();
    const item = add('a.*');
    router.remove(item);
    router.route('a.b');

    router.remove(item);
    router.route('a.b');

    expect(built).toEqual(['a.b']);
    expect(router.size).toBe(0);
  });

  // F:A1
  it('always says what a router without a memory says', () => {
    const maker = new PatternMaker(4);
    const { router, add } = routerOf(20);
    const list: Routable[] = [];

    for (let step = 0; step < 4_000; step += 1) {
      if (maker.below(4) === 0)
        list.push(add(maker.pick(['a.*', '**', maker.topic(), 'b.**', '{a,b}.c'])));
      if (list.length > 10) router.remove(list.splice(maker.below(list.length), 1)[0] as Routable);
      const topic = maker.topic();
      const expected = list.filter(({ pattern }) => pattern.matches(topic));
      expect(router.route(topic)).toBe(expected.map(({ pattern }) => pattern.source).join(' '));
      expect(router.matches(topic)).toEqual(expected);
    }

    expect(router.stats().cachedTopics).toBeLessThanOrEqual(20);
  });

  // R:E6
  it('keeps nothing of a topic that build refuses', () => {
    const { router, add } = routerOf();
    add('**');

    expect(() => router.route('a..b')).toThrow('a segment is empty');
    expect(() => router.route('a..b')).toThrow('a segment is empty');
    expect(() => router.route('a.'.repeat(1_000_000))).toThrow('are more than 256');
    expect(router.stats().cachedTopics).toBe(0);
  });
});

describe('the memory of the router', () => {
  // R:D5
  it('keeps few of 200 000 topics that are never said again', () => {
    const { router } = routerOf();

    for (let at = 0; at < 200_000; at += 1) router.route(`unique.${at}`);

    expect(router.stats().cachedTopics).toBeLessThan(2_000);
  });

  it('lets topics that are said once push none out', () => {
    const { router, built } = routerOf(2_000);
    const hot = Array.from({ length: 1_500 }, (_, at) => `hot.${at}`);
    for (let round = 0; round < 4; round += 1) for (const topic of hot) router.route(topic);
    for (let at = 0; at < 20_000; at += 1) router.route(`once.${at}`);
    built.length = 0;

    for (const topic of hot) router.route(topic);

    expect(built.length).toBeLessThan(50);
  });

  it('soon keeps nearly all of 10 000 topics that come in turn', () => {
    const { router, built } = routerOf();
    const topics = Array.from({ length: 10_000 }, (_, at) => `device.${at}.state`);
    for (let round = 0; round < 8; round += 1) for (const topic of topics) router.route(topic);
    built.length = 0;

    for (const topic of topics) router.route(topic);

    expect(built.length).toBeLessThan(100);
    expect(router.stats().cachedTopics).toBeLessThanOrEqual(10_000);
  });

  it('lets go of topics that are said no more when others are', () => {
    const { router, built } = routerOf(100);
    for (let at = 0; at < 100; at += 1) router.route(`old.${at}`);
    const fresh = Array.from({ length: 50 }, (_, at) => `new.${at}`);
    for (let round = 0; round < 20; round += 1) for (const topic of fresh) router.route(topic);
    built.length = 0;

    for (const topic of fresh) router.route(topic);

    expect(built).toEqual([]);
    expect(router.stats().cachedTopics).toBeLessThanOrEqual(100);
  });

  it('stays as it is when more topics come in turn than it holds', () => {
    const { router, built } = routerOf(100);
    const topics = Array.from({ length: 150 }, (_, at) => `a.${at}`);

    for (let round = 0; round < 40; round += 1) for (const topic of topics) router.route(topic);

    // Two thirds could be found; starting anew now and then costs some of it.
    expect(built.length).toBeLessThan(0.6 * 40 * 150);
  });

  it.each([0, 1, 2])('may be as small as %i', (most) => {
    const { router, add } = routerOf(most);
    add('a.*');

    const results = Array.from({ length: 40 }, (_, at) => router.route(`a.${at % 4}`));

    expect(new Set(results)).toEqual(new Set(['a.*']));
    expect(router.stats().cachedTopics).toBeLessThanOrEqual(most);
  });

  it('drops the results that hold on to what was removed', () => {
    const { router, add } = routerOf();
    for (let at = 0; at < 100; at += 1) router.route(`a.${at}`);

    for (let at = 0; at <= 100; at += 1) router.remove(add('a.*'));

    expect(router.stats().cachedTopics).toBe(0);
  });

  // R:D5
  it('is of the same size after patterns came and went under one name', () => {
    const { router, add } = routerOf();
    const before = router.stats();

    for (let at = 0; at < 20_000; at += 1) {
      const items = [add('a.*'), add('a.b'), add(`passing.${at}`), add(`passing.${at}.**`)];
      for (const item of items) router.remove(item);
    }

    expect(router.stats()).toEqual(before);
    expect(router.size).toBe(0);
  });
});
