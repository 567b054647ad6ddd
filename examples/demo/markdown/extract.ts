import { findHeadings, type Heading } from './headings.ts';
import { type CodeBlock, readLines } from './lines.ts';
import { type Anchor, findAnchors, findLinks, type Link } from './links.ts';

/** What the desk wants to know of a page. Every `line` counts from 1. */
export interface Extract {
  readonly headings: readonly Heading[];
  readonly links: readonly Link[];
  readonly anchors: readonly Anchor[];
  readonly blocks: readonly CodeBlock[];
}

/**
 * Reads the headings, links, anchors and fenced code of a Markdown text. It follows CommonMark
 * where that matters for those four, and is no renderer.
 */
export function extract(text: string): Extract {
  const { lines, blocks } = readLines(text);
  return {
    headings: findHeadings(lines),
    links: findLinks(lines),
    anchors: findAnchors(lines),
    blocks,
  };
}
