import { describe, expect, it } from 'vitest';
import { AgentRegistry } from '../../src/agents.ts';
import { MessageBus } from '../../src/index.ts';
import { codeOf } from '../flow/books.ts';

// The fields of `AgentCard`, `AgentInterface` and `AgentSkill` in specification/a2a.proto of A2A 1.0,
// as its JSON form spells them; `true` is what the specification requires.
const CARD = {
  name: true,
  description: true,
  supportedInterfaces: true,
  provider: false,
  version: true,
  documentationUrl: false,
  capabilities: true,
  securitySchemes: false,
  securityRequirements: false,
  defaultInputModes: true,
  defaultOutputModes: true,
  skills: true,
  signatures: false,
  iconUrl: false,
};
const INTERFACE = { url: true, protocolBinding: true, tenant: false, protocolVersion: true };
const SKILL = {
  id: true,
  name: true,
  description: true,
  tags: true,
  examples: false,
  inputModes: false,
  outputModes: false,
  securityRequirements: false,
};
const CAPABILITIES = ['streaming', 'pushNotifications', 'extensions', 'extendedAgentCard'];

function expectFields(value: object, fields: Record<string, boolean>): void {
  const required = Object.keys(fields).filter((name) => fields[name]);
  expect(Object.keys(fields)).toEqual(expect.arrayContaining(Object.keys(value)));
  expect(Object.keys(value)).toEqual(expect.arrayContaining(required));
}

function open(): AgentRegistry {
  const registry = new AgentRegistry(new MessageBus());
  registry.register({ name: 'bare' });
  registry.register({
    name: 'searcher',
    version: '1.2.0',
    description: 'Searches',
    capabilities: [
      { id: 'search.web', description: 'The web', tags: ['research'] },
      { id: 'sort' },
    ],
  });
  return registry;
}

describe('a card for A2A', () => {
  // Issue 7: exportable in the fields of A2A 1.0 agent cards
  it.each([
    ['bare', { url: 'https://a.example/a2a' }],
    [
      'searcher',
      {
        url: 'https://a.example/a2a',
        protocolBinding: 'HTTP+JSON',
        interfaces: [
          { url: 'https://a.example/rpc', protocolBinding: 'GRPC', protocolVersion: '1.0' },
        ],
        provider: { organization: 'Tea', url: 'https://tea.example' },
        documentationUrl: 'https://tea.example/docs',
        iconUrl: 'https://tea.example/icon.png',
        capabilities: { streaming: true },
        securitySchemes: { key: { apiKeySecurityScheme: { name: 'x-key', location: 'header' } } },
        securityRequirements: [{ schemes: { key: { list: [] } } }],
      },
    ],
  ])('has the published fields, and all that are required: %s', (name, options) => {
    const card = open().toA2A(name, options);

    expectFields(card, CARD);
    for (const one of card.supportedInterfaces) expectFields(one, INTERFACE);
    for (const skill of card.skills) expectFields(skill, SKILL);
    expect(CAPABILITIES).toEqual(expect.arrayContaining(Object.keys(card.capabilities)));
    expect(JSON.parse(JSON.stringify(card))).toEqual(card);
  });

  it('says what the card says, and its names where that is silent', () => {
    const card = open().toA2A('searcher', { url: 'https://a.example' });

    expect(card).toEqual({
      name: 'searcher',
      description: 'Searches',
      version: '1.2.0',
      supportedInterfaces: [
        { url: 'https://a.example', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
      ],
      capabilities: { streaming: false, pushNotifications: false },
      defaultInputModes: ['application/json'],
      defaultOutputModes: ['application/json'],
      skills: [
        { id: 'search.web', name: 'search.web', description: 'The web', tags: ['research'] },
        { id: 'sort', name: 'sort', description: 'sort', tags: [] },
      ],
    });
  });

  it('is of agents with a card only, and needs to know where', () => {
    const registry = open();

    expect(codeOf(() => registry.toA2A('sercher', { url: 'x' }))).toBe('TELLASK_UNKNOWN_RECIPIENT');
    expect(() => registry.toA2A('bare', {} as never)).toThrow(TypeError);
    expect(() => registry.toA2A('bare', { url: 'x', uri: 'y' } as never)).toThrow(TypeError);
  });
});
