import { TellaskError } from '../kernel/errors.ts';

/** There is no tool of this name, or not for who calls it (`TELLASK_UNKNOWN_TOOL`). */
export class UnknownToolError extends TellaskError {
  readonly tool: string;

  constructor(tool: unknown, nearest: string | undefined) {
    const name = typeof tool === 'string' ? tool.slice(0, 128) : `a ${typeof tool}`;
    const meant = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    super('TELLASK_UNKNOWN_TOOL', `There is no tool ${name}${meant}`, { stack: false });
    this.tool = name;
  }
}

/** The arguments of a tool call cannot be read (`TELLASK_TOOL_INPUT`). */
export class ToolInputError extends TellaskError {
  readonly problem: string;

  constructor(problem: string) {
    super('TELLASK_TOOL_INPUT', `The arguments of the tool ${problem}`, { stack: false });
    this.problem = problem;
  }
}
