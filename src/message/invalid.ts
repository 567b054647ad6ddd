import { TellaskError } from '../kernel/errors.ts';
import { type Fault, quote } from './alphabet.ts';

/** A topic that cannot be. `position` counts characters from 0; `problem` says what to do. */
export class InvalidTopicError extends TellaskError {
  readonly topic: string;
  readonly position: number;
  readonly problem: string;

  constructor(topic: string, fault: Fault) {
    super('TELLASK_INVALID_TOPIC', sentence('topic', topic, fault));
    this.topic = topic;
    this.position = fault.position;
    this.problem = fault.problem;
  }
}

/** A pattern that is refused. `position` counts characters from 0; `problem` says what to do. */
export class InvalidPatternError extends TellaskError {
  readonly pattern: string;
  readonly position: number;
  readonly problem: string;

  constructor(pattern: string, fault: Fault) {
    super('TELLASK_INVALID_PATTERN', sentence('pattern', pattern, fault));
    this.pattern = pattern;
    this.position = fault.position;
    this.problem = fault.problem;
  }
}

/** An agent name that cannot be. `position` counts characters from 0; `problem` says what to do. */
export class InvalidNameError extends TellaskError {
  readonly agentName: string;
  readonly position: number;
  readonly problem: string;

  constructor(agentName: string, fault: Fault) {
    super('TELLASK_INVALID_NAME', sentence('name', agentName, fault));
    this.agentName = agentName;
    this.position = fault.position;
    this.problem = fault.problem;
  }
}

function sentence(what: string, text: string, { position, problem }: Fault): string {
  return `${what} ${quote(text)}, character ${position}: ${problem}`;
}
