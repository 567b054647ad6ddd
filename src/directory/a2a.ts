import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import type { RegisteredCapability, RegisteredCard } from './card.ts';

/** The version of the A2A protocol whose fields are written. */
const PROTOCOL_VERSION = '1.0';
const JSON_ONLY: readonly string[] = Object.freeze(['application/json']);

/** A way to reach an agent, as A2A names it. */
export interface A2AInterface {
  readonly url: string;
  /** `JSONRPC`, `GRPC`, `HTTP+JSON`, or the name of another binding. */
  readonly protocolBinding: string;
  readonly protocolVersion: string;
  readonly tenant?: string;
}

/** What a card does not say and an A2A card has to. */
export interface A2AOptions {
  /** Where your own server offers the agent: the library opens none. */
  readonly url: string;
  /** @default 'JSONRPC' */
  readonly protocolBinding?: string;
  /** More ways to the same agent. */
  readonly interfaces?: readonly A2AInterface[];
  readonly provider?: { readonly organization: string; readonly url: string };
  readonly documentationUrl?: string;
  readonly iconUrl?: string;
  /** What your server can do beside answering. @default neither */
  readonly capabilities?: { readonly streaming?: boolean; readonly pushNotifications?: boolean };
  /** Media types. @default ['application/json'] */
  readonly inputModes?: readonly string[];
  /** Media types. @default ['application/json'] */
  readonly outputModes?: readonly string[];
  /** Schemes by name, as A2A writes them down. */
  readonly securitySchemes?: Readonly<Record<string, unknown>>;
  readonly securityRequirements?: readonly Readonly<Record<string, unknown>>[];
}

/** One skill of an A2A card. */
export interface A2ASkill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/** An agent card with the fields of A2A 1.0 (https://a2a-protocol.org), as plain JSON. */
export interface A2ACard {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly supportedInterfaces: readonly A2AInterface[];
  readonly capabilities: { readonly streaming: boolean; readonly pushNotifications: boolean };
  readonly defaultInputModes: readonly string[];
  readonly defaultOutputModes: readonly string[];
  readonly skills: readonly A2ASkill[];
  readonly provider?: { readonly organization: string; readonly url: string };
  readonly documentationUrl?: string;
  readonly iconUrl?: string;
  readonly securitySchemes?: Readonly<Record<string, unknown>>;
  readonly securityRequirements?: readonly Readonly<Record<string, unknown>>[];
}

const OPTIONS: ReadonlySet<string> = new Set<keyof A2AOptions>([
  'url',
  'protocolBinding',
  'interfaces',
  'provider',
  'documentationUrl',
  'iconUrl',
  'capabilities',
  'inputModes',
  'outputModes',
  'securitySchemes',
  'securityRequirements',
]);

/** Writes a card down as A2A 1.0 has it. What A2A requires and the card leaves out is its name. */
export function asA2A(card: RegisteredCard, options: A2AOptions): A2ACard {
  refuseUnknown(options, OPTIONS, 'toA2A');
  const { url, protocolBinding = 'JSONRPC', interfaces = [], capabilities = {} } = options;
  if (typeof url !== 'string' || url === '') throw misuse('url', 'where the agent is reached', url);
  const { inputModes, outputModes, provider, documentationUrl, iconUrl } = options;
  const { securitySchemes, securityRequirements } = options;
  const { streaming = false, pushNotifications = false } = capabilities;
  const first = { url, protocolBinding, protocolVersion: PROTOCOL_VERSION };
  return {
    name: card.name,
    description: card.description === '' ? card.name : card.description,
    version: card.version,
    supportedInterfaces: [first, ...interfaces],
    capabilities: { streaming, pushNotifications },
    defaultInputModes: inputModes ?? JSON_ONLY,
    defaultOutputModes: outputModes ?? JSON_ONLY,
    skills: card.capabilities.map(asSkill),
    ...(provider && { provider }),
    ...(documentationUrl && { documentationUrl }),
    ...(iconUrl && { iconUrl }),
    ...(securitySchemes && { securitySchemes }),
    ...(securityRequirements && { securityRequirements }),
  };
}

function asSkill({ id, description, tags }: RegisteredCapability): A2ASkill {
  return { id, name: id, description: description === '' ? id : description, tags };
}
