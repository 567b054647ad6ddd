import { posix } from 'node:path';

/** A relative link taken apart. `path` is relative to the audited folder. */
export interface LinkTarget {
  readonly path: string;
  /** What follows `#`, decoded; undefined when there is none. */
  readonly fragment: string | undefined;
  /** The link names no file: it stays on its own page. */
  readonly samePage: boolean;
  /** The link began with `/`, so it is relative to a root that only the publisher knows. */
  readonly rooted: boolean;
}

/** Says where a link of the page `from` leads; undefined when it leads to the web. */
export function linkTarget(from: string, target: string): LinkTarget | undefined {
  if (/^[a-z][a-z\d+.-]*:|^\/\/|^\s*$|\{\{|\$\{|^<%/i.test(target)) return undefined;
  const [, file = '', fragment] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/s.exec(target) ?? [];
  const rooted = file.startsWith('/');
  const path = decode(rooted ? file.slice(1) : file);
  return {
    path:
      file === '' ? from : posix.normalize(rooted ? path : posix.join(posix.dirname(from), path)),
    fragment: fragment === undefined ? undefined : decode(fragment),
    samePage: file === '',
    rooted,
  };
}

/** Undoes percent signs; a stray one stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
