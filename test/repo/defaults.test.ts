import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultsPage } from '../../scripts/docs-defaults.ts';
import { MessageBus } from '../../src/index.ts';

describe('docs/defaults.md', () => {
  it('says what the code uses (npm run docs:update writes it)', () => {
    expect(readFileSync('docs/defaults.md', 'utf8')).toBe(defaultsPage());
  });

  it('says the limits that a bus without options has', async () => {
    const bus = new MessageBus();
    const page = readFileSync('docs/defaults.md', 'utf8').replaceAll('_', '');

    const { limits } = bus.inspect();

    for (const limit of Object.values(limits)) expect(page).toContain(`\`${limit}\``);
    await bus.close();
  });
});
