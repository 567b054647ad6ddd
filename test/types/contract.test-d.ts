import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineContract, mergeContracts } from '../../src/message/contract.ts';
import type { MessageOf, RequestOutput, TopicInput } from '../../src/message/contract-types.ts';
import type { Message } from '../../src/message/message.ts';
import { type FakeBus, fakeBus } from './fake-bus.ts';

const contract = defineContract({
  topics: {
    'report.{id}.drafted': z.object({ text: z.string() }),
    'report.{id}.approved': v.object({ by: v.string() }),
    'report.all.frozen': type({ reason: 'string' }),
    'doc.created': z.object({ at: z.string().transform((text) => new Date(text)) }),
    'doc.created.again': z.object({ times: z.number().default(1) }),
  },
  requests: {
    'search.web': {
      input: z.object({ q: z.string() }),
      output: z.array(z.string()),
      chunk: z.string(),
    },
    'count.{what}': {
      input: z.object({ up: z.number().default(3) }),
      output: z.string().transform((text) => text.length),
    },
  },
});
const bus = fakeBus({ contract });

interface Drafted {
  text: string;
}
interface Desk {
  topics: { 'report.{id}.drafted': Drafted; 'doc.created': { at: Date } };
  requests: { 'search.web': { input: { q: string }; output: string[]; chunk: string } };
}

test('a bus takes its types from the contract it is given', () => {
  expectTypeOf(bus).toEqualTypeOf<FakeBus<typeof contract>>();
});

test('publishers give what the schema takes, handlers get what it gives', () => {
  bus.publish('doc.created', { at: '2026-01-01' });
  bus.publish('doc.created.again', {});
  bus.subscribe('doc.created', (message) => {
    expectTypeOf(message.payload).toEqualTypeOf<{ at: Date }>();
  });
  bus.subscribe('doc.created.again', (message) => {
    expectTypeOf(message.payload).toEqualTypeOf<{ times: number }>();
  });
  // @ts-expect-error a Date is what the handler gets, not what the publisher gives
  bus.publish('doc.created', { at: new Date() });
});

test('zod, valibot and arktype describe payloads alike', () => {
  bus.publish('report.7.approved', { by: 'editor' });
  bus.publish('report.all.frozen', { reason: 'audit' });
  // @ts-expect-error valibot wants a string
  bus.publish('report.7.approved', { by: 7 });
  // @ts-expect-error arktype wants a string
  bus.publish('report.all.frozen', { reason: 7 });
});

test('a topic of a template carries its parameters', () => {
  bus.publish('report.7.drafted', { text: '' });
  bus.subscribe('report.7.drafted', (message) => {
    expectTypeOf(message).toEqualTypeOf<
      Message<{ text: string }, 'report.{id}.drafted', { readonly id: string }>
    >();
  });
});

test('a topic that is built keeps its template', () => {
  const built = 'report.7.drafted' as `report.${string}.drafted`;
  bus.publish(built, { text: '' });
  // @ts-expect-error the payload of that template has a text
  bus.publish(built, { by: 'editor' });
});

test('an unknown topic does not compile', () => {
  // @ts-expect-error misspelt
  bus.publish('report.7.draftd', { text: '' });
  // @ts-expect-error one segment too many
  bus.publish('report.7.8.drafted', { text: '' });
  // @ts-expect-error one segment too few
  bus.publish('report.drafted', { text: '' });
  // @ts-expect-error a template is no topic
  bus.publish('report.{id}.drafted', { text: '' });
  // @ts-expect-error a pattern is no topic
  bus.publish('report.*.drafted', { text: '' });
  // @ts-expect-error an empty segment
  bus.publish('report..drafted', { text: '' });
  // @ts-expect-error a blank
  bus.publish('report.a b.drafted', { text: '' });
  // @ts-expect-error a request is no topic
  bus.publish('search.web', { q: '' });
  // @ts-expect-error not known before run time
  bus.publish(String(Math.PI), { text: '' });
});

type Families<P extends string> = MessageOf<typeof contract, P>['family'];

test('a pattern gives the union of what it can match', () => {
  expectTypeOf<Families<'doc.*'>>().toEqualTypeOf<'doc.created'>();
  expectTypeOf<Families<'doc.**'>>().toEqualTypeOf<'doc.created' | 'doc.created.again'>();
  expectTypeOf<Families<'doc.created.**'>>().toEqualTypeOf<'doc.created' | 'doc.created.again'>();
  expectTypeOf<Families<'**.again'>>().toEqualTypeOf<'doc.created.again'>();
  expectTypeOf<Families<'**.created'>>().toEqualTypeOf<'doc.created'>();
  expectTypeOf<Families<'report.*.drafted'>>().toEqualTypeOf<'report.{id}.drafted'>();
  expectTypeOf<Families<'report.{id}.drafted'>>().toEqualTypeOf<'report.{id}.drafted'>();
  expectTypeOf<Families<'report.{other}.drafted'>>().toEqualTypeOf<'report.{id}.drafted'>();
  expectTypeOf<Families<'report.7.*'>>().toEqualTypeOf<
    'report.{id}.drafted' | 'report.{id}.approved'
  >();
  expectTypeOf<Families<'report.all.*'>>().toEqualTypeOf<
    'report.{id}.drafted' | 'report.{id}.approved' | 'report.all.frozen'
  >();
  expectTypeOf<Families<'**'>>().toEqualTypeOf<Families<string>>();
});

test('a key that begins with a parameter is found under any first segment', () => {
  const tenants = fakeBus({
    contract: defineContract({
      topics: { '{tenant}.bill.paid': z.number(), 'doc.created': z.string() },
    }),
  });
  tenants.publish('acme.bill.paid', 1);
  tenants.subscribe('acme.bill.*', (message) => {
    expectTypeOf(message.params).toEqualTypeOf<{ readonly tenant: string }>();
  });
  tenants.subscribe('*.*.paid', (message) => {
    expectTypeOf(message.family).toEqualTypeOf<'{tenant}.bill.paid'>();
  });
  tenants.subscribe('doc.**', (message) => {
    expectTypeOf(message.family).toEqualTypeOf<'{tenant}.bill.paid' | 'doc.created'>();
  });
  // @ts-expect-error two segments are no bill
  tenants.publish('acme.paid', 1);
});

test('globs inside a segment and braces are followed', () => {
  expectTypeOf<Families<'report.*.dr*'>>().toEqualTypeOf<'report.{id}.drafted'>();
  expectTypeOf<Families<'report.*.*e*d'>>().toEqualTypeOf<
    'report.{id}.drafted' | 'report.{id}.approved'
  >();
  expectTypeOf<Families<'doc.create?'>>().toEqualTypeOf<'doc.created'>();
  expectTypeOf<Families<'doc.creat?*'>>().toEqualTypeOf<'doc.created'>();
  expectTypeOf<Families<'{doc,draft}.*'>>().toEqualTypeOf<'doc.created'>();
  expectTypeOf<Families<'report.*.{drafted,approved}'>>().toEqualTypeOf<
    'report.{id}.drafted' | 'report.{id}.approved'
  >();
  expectTypeOf<Families<'{doc.created,report.all}.{again,frozen}'>>().toEqualTypeOf<
    'doc.created.again' | 'report.all.frozen'
  >();
});

test('what the types do not follow gives all that begins alike', () => {
  expectTypeOf<Families<'doc.[cd]reated'>>().toEqualTypeOf<'doc.created' | 'doc.created.again'>();
  expectTypeOf<Families<'doc.!(deleted)'>>().toEqualTypeOf<'doc.created' | 'doc.created.again'>();
  expectTypeOf<Families<'doc.{created,{a,b}}'>>().toEqualTypeOf<
    'doc.created' | 'doc.created.again'
  >();
  expectTypeOf<Families<'doc{1..3}.created'>>().toEqualTypeOf<
    'doc.created' | 'doc.created.again'
  >();
});

test('a union is narrowed by its family', () => {
  bus.subscribe('report.*.*', (message) => {
    if (message.family === 'report.{id}.drafted') {
      expectTypeOf(message.payload).toEqualTypeOf<{ text: string }>();
      expectTypeOf(message.params).toEqualTypeOf<{ readonly id: string }>();
    }
    if (message.family === 'report.all.frozen') {
      expectTypeOf(message.payload).toEqualTypeOf<{ reason: string }>();
      // @ts-expect-error an exact key has no parameters
      message.params.id;
    }
  });
});

test('a pattern that can match nothing does not compile', () => {
  // @ts-expect-error no such segment
  bus.subscribe('report.*.draftd', () => {});
  // @ts-expect-error nothing is that long
  bus.subscribe('doc.*.*.*.*', () => {});
  // @ts-expect-error no alternative fits
  bus.subscribe('doc.{deleted,moved}', () => {});
  // @ts-expect-error no such beginning
  bus.subscribe('docs.[ab]', () => {});
});

test('a pattern known at run time only gives everything', () => {
  const pattern = String(Math.PI);
  bus.subscribe(pattern, (message) => {
    expectTypeOf(message).toEqualTypeOf<MessageOf<typeof contract>>();
  });
});

test('the topics of the library itself are always there', () => {
  bus.subscribe('$bus.**', (message) => {
    expectTypeOf(message).toEqualTypeOf<Message>();
  });
});

test('requests are typed on all four sides', () => {
  expectTypeOf(bus.request('search.web', { q: '' })).toEqualTypeOf<Promise<string[]>>();
  expectTypeOf(bus.request('count.hits', {})).toEqualTypeOf<Promise<number>>();
  bus.serve('count.hits', (request) => {
    expectTypeOf(request.payload).toEqualTypeOf<{ up: number }>();
    expectTypeOf(request.params).toEqualTypeOf<{ readonly what: string }>();
    return 'x'.repeat(request.payload.up);
  });
  bus.serve('search.web', async function* (request) {
    yield request.payload.q;
    return [];
  });
  // @ts-expect-error the answer goes in as a string
  bus.serve('count.hits', () => 3);
  // @ts-expect-error what it yields is a string
  bus.serve('search.web', async function* () {
    yield 1;
    return [];
  });
  // @ts-expect-error it has no chunks
  bus.serve('count.hits', async function* () {
    yield 'a';
    return 'b';
  });
  // @ts-expect-error a topic is no request
  void bus.request('doc.created', {});
  // @ts-expect-error q is missing
  void bus.request('search.web', {});
});

test('a contract of types alone needs no schema', () => {
  const desk = fakeBus<Desk>();
  desk.publish('report.7.drafted', { text: '' });
  desk.publish('doc.created', { at: new Date() });
  desk.subscribe('report.**', (message) => {
    // The keys are gone at run time: family is the topic, so the type promises no more.
    expectTypeOf(message).toEqualTypeOf<Message<Drafted>>();
  });
  expectTypeOf(desk.request('search.web', { q: '' })).toEqualTypeOf<Promise<string[]>>();
  // @ts-expect-error unknown topic
  desk.publish('doc.moved', {});
});

test('without a contract any topic goes and payloads are unknown', () => {
  const open = fakeBus();
  open.publish('anything.at.all', 7);
  open.publish(String(Math.PI), 7);
  open.subscribe('any.*', (message) => {
    expectTypeOf(message).toEqualTypeOf<Message>();
  });
  expectTypeOf(open.request('anything', 7)).toEqualTypeOf<Promise<unknown>>();
  open.serve('anything', (request) => {
    expectTypeOf(request).toEqualTypeOf<Message>();
    return 7;
  });
});

test('a section that is left out has no addresses', () => {
  const quiet = fakeBus({ contract: defineContract({ state: { 'doc.{id}': z.string() } }) });
  // @ts-expect-error the contract has no topics
  quiet.publish('doc.7', '');
  // @ts-expect-error the contract has no requests
  void quiet.request('doc.7', '');
});

test('contracts merge', () => {
  const merged = mergeContracts(
    contract,
    defineContract({ topics: { 'mail.sent': z.object({ to: z.string() }) } }),
  );
  expectTypeOf<TopicInput<typeof merged, 'mail.sent'>>().toEqualTypeOf<{ to: string }>();
  expectTypeOf<TopicInput<typeof merged, 'report.7.drafted'>>().toEqualTypeOf<{ text: string }>();
  expectTypeOf<RequestOutput<typeof merged, 'search.web'>>().toEqualTypeOf<string[]>();
});
