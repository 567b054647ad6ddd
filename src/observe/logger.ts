import { createRedactor, escapeText, type Redactor } from './redaction.ts';

/** Where the library and its agents write: any logger with these four methods fits. */
export interface Logger {
  /** What only a developer asks for. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What happened, in the ordinary course of things. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What somebody should look at some time. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** What went wrong. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];
type Write = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** Writes nothing. */
export const silentLogger: Logger = toLogger(() => {});

/** The part of a console that is needed. */
export type ConsoleLike = Pick<Console, Level>;

/** Options of {@link consoleLogger}. */
export interface ConsoleLoggerOptions {
  /** @default console */
  readonly console?: ConsoleLike;
  /** What hides secrets in the fields. @default createRedactor() */
  readonly redact?: Redactor;
}

/**
 * A logger that writes one line to the console for each call: the message, then the fields as
 * JSON, redacted and escaped. For `new MessageBus({ logger: consoleLogger() })`.
 *
 * @example
 * ```ts
 * import { consoleLogger } from 'tellask';
 * const lines: string[] = [];
 * const write = (line: string) => lines.push(line);
 * const logger = consoleLogger({ console: { debug: write, info: write, warn: write, error: write } });
 * logger.info('signed in', { user: 'ann', password: 'tea' });
 * lines; // => ['signed in {"user":"ann","password":"[redacted]"}']
 * ```
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { console = globalThis.console, redact = createRedactor() } = options;
  return toLogger((level, message, fields) => {
    console[level](
      escapeText(message) + (fields === undefined ? '' : ` ${toLine(redact(fields))}`),
    );
  });
}

/** A logger that never throws: what goes wrong in `logger` is told to `onFault`. */
export function guardLogger(logger: Logger, onFault: (error: unknown) => void): Logger {
  return toLogger((level, message, fields) => {
    try {
      const result: unknown = logger[level](message, fields);
      if (result instanceof Promise) result.catch(onFault);
    } catch (error) {
      onFault(error);
    }
  });
}

/** The logger with some fields in every line, read when a line is written. */
export function withFields(logger: Logger, fields: () => Record<string, unknown>): Logger {
  return toLogger((level, message, more) => logger[level](message, { ...fields(), ...more }));
}

function toLogger(write: Write): Logger {
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

/** JSON escapes line ends by itself, but neither C1 controls nor direction characters. */
function toLine(fields: unknown): string {
  const json = JSON.stringify(fields, (_key, value) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  return String(json).replace(/[^\\]+/g, escapeText);
}
