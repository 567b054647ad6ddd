/** What a scenario threw, in words: it may be no error at all, or one that cannot be read. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  /** Empty when there is none. */
  readonly code: string;
}

/** Reads an error whole, however long; undefined for what is none. */
export function readThrown(error: unknown): Thrown | undefined {
  try {
    if (!(error instanceof Error)) return undefined;
    const { code } = error as { code?: unknown };
    const { name, message } = error;
    return {
      name: String(name),
      message: String(message),
      code: typeof code === 'string' ? code : '',
    };
  } catch {
    return { name: 'Error', message: 'an error that cannot be read', code: '' };
  }
}

/** `TypeError: x is not a function`, or the value that was thrown. */
export function thrownText(error: unknown): string {
  const thrown = readThrown(error);
  if (thrown !== undefined) return `${thrown.name}: ${thrown.message}`;
  try {
    return String(error);
  } catch {
    return 'an object that cannot be shown';
  }
}
