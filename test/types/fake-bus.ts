import type {
  AnyContract,
  ContractShape,
  MessageOf,
  PatternArg,
  RequestArg,
  RequestInput,
  RequestMessage,
  RequestOutput,
  ResponderChunk,
  ResponderOutput,
  TopicArg,
  TopicInput,
} from '../../src/message/contract-types.ts';

/** The methods of the bus and the agent handle as far as their types depend on the contract. */
export interface FakeBus<C extends ContractShape = AnyContract> {
  publish<const T extends string>(topic: TopicArg<C, T>, payload: TopicInput<C, T>): void;
  subscribe<const P extends string>(
    pattern: PatternArg<C, P>,
    handler: (message: MessageOf<C, P>, context: unknown) => unknown,
  ): void;
  request<const T extends string>(
    topic: RequestArg<C, T>,
    input: RequestInput<C, T>,
  ): Promise<RequestOutput<C, T>>;
  serve<const T extends string>(
    topic: RequestArg<C, T>,
    handler: (
      request: RequestMessage<C, T>,
      context: unknown,
    ) =>
      | ResponderOutput<C, T>
      | Promise<ResponderOutput<C, T>>
      | AsyncGenerator<ResponderChunk<C, T>, ResponderOutput<C, T>>,
  ): void;
}

/** The same inference as `new MessageBus({ contract })`. */
export declare function fakeBus<C extends ContractShape = AnyContract>(options?: {
  readonly contract?: C;
}): FakeBus<C>;
