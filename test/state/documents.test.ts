import { describe, expect, it } from 'vitest';
import { documents, MessageBus, StateManager } from '../../src/index.ts';

describe('the documents of a state', () => {
  // R:K9
  it('have a brief, content, metadata and a history that says who wrote what', () => {
    const state = new StateManager();
    documents(state).createDocument('7', { topic: 'Tea', requirements: ['short'] });
    documents(state.as('writer')).updateContent('7', 'Tea is a drink.');

    const { value, version } = documents(state.as('editor')).updateMetadata('7', { tone: 'dry' });

    expect(value).toEqual({
      topic: 'Tea',
      requirements: ['short'],
      context: {},
      content: 'Tea is a drink.',
      metadata: { tone: 'dry' },
    });
    expect(version).toBe(3);
    const history = documents(state)
      .history('7')
      .map((one) => [one.actor, one.value?.content]);
    expect(history).toEqual([
      ['$host', null],
      ['writer', 'Tea is a drink.'],
      ['editor', 'Tea is a drink.'],
    ]);
    expect(documents(state).getDocument('7')).toBe(state.get('document.7'));
  });

  // R:K2a R:K9
  it('name the message because of which a handler wrote them', async () => {
    const bus = new MessageBus({ state: new StateManager() });
    documents(bus.state).createDocument('7', { topic: 'Tea' });
    bus.register('writer').subscribe('write', (_, { state }) => {
      documents(state).updateContent('7', 'Tea.');
    });

    const { id, settled } = bus.publish('write', {});
    await settled;

    expect(bus.state.get('document.7')).toMatchObject({ actor: 'writer', causationId: id });
    await bus.close();
  });

  it('let one of two writers win who have seen the same version', () => {
    const book = documents<{ text: string }>(new StateManager());
    const { version } = book.createDocument('7', { topic: 'Tea', context: { for: 'guests' } });
    book.updateContent('7', { text: 'first' }, { expectedVersion: version });

    const late = () => book.updateContent('7', { text: 'late' }, { expectedVersion: version });

    expect(late).toThrow(expect.objectContaining({ code: 'TELLASK_STATE_CONFLICT' }));
    expect(book.getDocument('7')?.value.content?.text).toBe('first');
  });

  it('name the conflict also when the version that was seen is no longer kept, or never was', () => {
    const book = documents(new StateManager({ history: { maxVersions: 2 } }));
    book.createDocument('7', { topic: 'Tea' });
    for (const content of ['a', 'b', 'c']) book.updateContent('7', content);

    for (const expectedVersion of [0, 1, 9]) {
      expect(() => book.updateContent('7', 'late', { expectedVersion })).toThrow(
        expect.objectContaining({ code: 'TELLASK_STATE_CONFLICT', actualVersion: 4 }),
      );
    }
    expect(() => book.updateContent('8', 'a', { expectedVersion: 0 })).toThrow(
      expect.objectContaining({ code: 'TELLASK_STATE_NOT_FOUND' }),
    );
    expect(() => book.updateContent('7', 'a', { version: 1 } as never)).toThrow('version');
    expect(book.getDocument('7')?.value.content).toBe('c');
  });

  it('have their notes taken away by null, and keep the others', () => {
    const book = documents(new StateManager());
    book.createDocument('7', { topic: 'Tea' });
    book.updateMetadata('7', { tone: 'dry', words: 100 });

    expect(book.updateMetadata('7', { tone: null }).value.metadata).toEqual({ words: 100 });
  });

  it('take any text as an id', () => {
    const state = new StateManager();

    documents(state).createDocument('src/a.md', { topic: 'Tea' });

    expect(documents(state).getDocument('src/a.md')?.key).toBe('document.src%2Fa%2Emd');
  });

  it.each([
    ['an empty id', () => documents(new StateManager()).createDocument('', { topic: 'Tea' })],
    ['no brief', () => documents(new StateManager()).createDocument('7', null as never)],
    ['no topic', () => documents(new StateManager()).createDocument('7', {} as never)],
    [
      'requirements that are no list',
      () =>
        documents(new StateManager()).createDocument('7', {
          topic: 'a',
          requirements: 'b' as never,
        }),
    ],
    [
      'a misspelt option',
      () => documents(new StateManager()).createDocument('7', { topic: 'a', kontext: 1 } as never),
    ],
    [
      'notes that are no object',
      () => documents(new StateManager()).updateMetadata('7', [] as never),
    ],
  ])('refuse %s', (_, call) => {
    expect(call).toThrow(TypeError);
  });

  it('refuse to write what was not created, and to create twice', () => {
    const book = documents(new StateManager());

    expect(() => book.updateContent('7', 'a')).toThrow(
      expect.objectContaining({ code: 'TELLASK_STATE_NOT_FOUND' }),
    );
    book.createDocument('7', { topic: 'Tea' });
    expect(() => book.createDocument('7', { topic: 'Tea' })).toThrow(
      expect.objectContaining({ code: 'TELLASK_STATE_EXISTS' }),
    );
    expect(() => book.updateContent('7', undefined as never)).toThrow(
      expect.objectContaining({ code: 'TELLASK_STATE_VALUE', path: '/content' }),
    );
  });
});
