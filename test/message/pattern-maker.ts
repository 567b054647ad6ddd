/** A source of chance that repeats itself (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A made pattern: ours, how micromatch writes it, and a text that it may well match. */
interface Made {
  readonly ours: string;
  readonly theirs: string;
  readonly like: string;
}

/** Makes patterns of every kind over few letters, so that many of them match many topics. */
export class PatternMaker {
  readonly #chance: () => number;

  constructor(seed: number) {
    this.#chance = chanceOf(seed);
  }

  below(most: number): number {
    return Math.floor(this.#chance() * most);
  }

  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)] as T;
  }

  pattern(): Made {
    const parts = this.#many(1 + this.below(4), () => this.#segment());
    return joined(parts, '.', '/');
  }

  topic(): string {
    return this.#many(1 + this.below(5), () => this.#word()).join('.');
  }

  /** A topic near to one that matches: now and then a letter, a dot or a segment is changed. */
  topicLike({ like }: Made): string {
    const text = like.replace(/~/g, () => this.pick(['', 'a', 'b.a', 'c.ab.b']));
    const near = this.below(3) > 0 ? text : this.#changed(text);
    return (
      near
        .split('.')
        .filter((segment) => segment !== '')
        .join('.') || 'a'
    );
  }

  #changed(text: string): string {
    const at = this.below(text.length);
    return text.slice(0, at) + this.pick(['', 'a', 'b', 'c', '.', '1']) + text.slice(at + 1);
  }

  #segment(): Made {
    const kind = this.below(9);
    if (kind < 2) return { ours: '*', theirs: '*', like: this.#word() };
    if (kind === 2) return { ours: '**', theirs: '**', like: '~' };
    if (kind === 3) return { ours: '{name}', theirs: '*', like: this.#word() };
    if (kind === 4) return this.#spanning();
    return joined(
      this.#many(1 + this.below(3), () => this.#piece()),
      '',
      '',
    );
  }

  #piece(): Made {
    const kind = this.below(11);
    if (kind < 4) return plain(this.#word());
    if (kind === 4) return { ours: 'a*', theirs: 'a*', like: `a${this.pick(['', 'b', 'cab'])}` };
    if (kind === 5) return { ours: '?', theirs: '?', like: this.pick(['a', 'b', 'c', '1']) };
    if (kind === 6) return { ours: '[ab]', theirs: '[ab]', like: this.pick(['a', 'b']) };
    if (kind === 7) return { ours: '[b-c1]', theirs: '[b-c1]', like: this.pick(['b', 'c', '1']) };
    // Theirs would take a slash: so it gets the other letters that there are.
    if (kind === 8) return { ours: '[!a]', theirs: '[bc1]', like: this.pick(['b', 'c']) };
    if (kind === 9) return { ours: '{1..3}', theirs: '{1..3}', like: this.pick(['1', '2', '3']) };
    return this.#braces();
  }

  #braces(): Made {
    const options = this.#many(2 + this.below(2), () => this.#nested());
    return choice(options, this.pick(options));
  }

  #nested(): Made {
    return this.below(4) === 0 ? { ours: 'b?', theirs: 'b?', like: 'bc' } : plain(this.#word());
  }

  #spanning(): Made {
    const options = [joined([this.#piece(), plain(this.#word())], '.', '/'), plain(this.#word())];
    return choice(options, this.pick(options));
  }

  #word(): string {
    return this.#many(1 + this.below(2), () => this.pick(['a', 'b', 'c', '1'])).join('');
  }

  #many<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make);
  }
}

function plain(text: string): Made {
  return { ours: text, theirs: text, like: text };
}

function choice(options: readonly Made[], { like }: Made): Made {
  return { ...joined(options, ',', ',', '{', '}'), like };
}

function joined(parts: readonly Made[], ours: string, theirs: string, open = '', close = ''): Made {
  return {
    ours: open + parts.map((part) => part.ours).join(ours) + close,
    theirs: open + parts.map((part) => part.theirs).join(theirs) + close,
    like: parts.map((part) => part.like).join(ours),
  };
}
