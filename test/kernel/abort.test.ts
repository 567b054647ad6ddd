import { describe, expect, it } from 'vitest';
import { onAbort } from '../../src/kernel/abort.ts';

describe('onAbort', () => {
  // R:D1
  it('may be told twice to stop waiting: those who came since are still called', () => {
    const controller = new AbortController();
    const heard: string[] = [];
    const off = onAbort(controller.signal, () => heard.push('first'));
    off();
    onAbort(controller.signal, () => heard.push('second'));

    off();
    controller.abort();

    expect(heard).toEqual(['second']);
  });
});
