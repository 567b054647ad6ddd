import { describe, expect, it, vi } from 'vitest';
import { consoleLogger, guardLogger, type Logger, silentLogger } from '../../src/observe/logger.ts';

function recordingConsole() {
  const lines: string[] = [];
  const write = (level: string) => (line: string) => void lines.push(`${level}: ${line}`);
  const [debug, info, warn, error] = ['debug', 'info', 'warn', 'error'].map(write);
  return { lines, console: { debug, info, warn, error } as unknown as Console };
}

describe('consoleLogger', () => {
  it('writes one line for each call, at its level', () => {
    const { lines, console } = recordingConsole();
    const logger = consoleLogger({ console });

    logger.debug('one');
    logger.info('two', { n: 2, big: 10n });
    logger.warn('three');
    logger.error('four', {});

    expect(lines).toEqual([
      'debug: one',
      'info: two {"n":2,"big":"10n"}',
      'warn: three',
      'error: four {}',
    ]);
  });

  // R:E7
  it('hides secrets and escapes what could forge a line', () => {
    const { lines, console } = recordingConsole();

    consoleLogger({ console }).info('a\nerror: forged', {
      token: 'canary',
      text: 'x\n\u202e\u009by',
    });

    expect(lines).toEqual([
      'info: a\\nerror: forged {"token":"[redacted]","text":"x\\n\\u202e\\u009by"}',
    ]);
    expect(JSON.parse(String(lines[0]).slice(23))).toMatchObject({ text: 'x\n\u202e\u009by' });
  });

  it('uses the redactor that it is given', () => {
    const { lines, console } = recordingConsole();

    consoleLogger({ console, redact: () => undefined }).info('m', { a: 1 });

    expect(lines).toEqual(['info: m undefined']);
  });
});

describe('guardLogger', () => {
  // R:A8
  it('tells of a logger that throws or rejects, and never throws itself', async () => {
    const onFault = vi.fn();
    const broken: Logger = {
      ...silentLogger,
      info: () => {
        throw new Error('sync');
      },
      warn: (async () => {
        throw new Error('async');
      }) as () => void,
    };
    const logger = guardLogger(broken, onFault);

    logger.info('x');
    logger.warn('x');
    logger.error('x');
    await Promise.resolve();

    expect(onFault.mock.calls.map(([error]) => error.message)).toEqual(['sync', 'async']);
  });

  it('passes everything on', () => {
    const { lines, console } = recordingConsole();

    guardLogger(consoleLogger({ console }), () => {}).info('m', { a: 1 });

    expect(lines).toEqual(['info: m {"a":1}']);
  });
});
