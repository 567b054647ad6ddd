import type { Answer, Finding, Page } from './finding.ts';
import type { Contested, Review } from './review.ts';

/** What is said at the desk: a contract of types only, for `new MessageBus<Desk>()`. */
export interface Desk {
  topics: {
    'file.{path}.found': { readonly path: string };
    'package.{path}.found': { readonly path: string };
    'folder.{path}.unreadable': { readonly path: string; readonly reason: string };
    'page.{path}.read': Page;
    'page.{path}.checked': { readonly checker: string; readonly findings: readonly Finding[] };
    'page.{path}.reviewed': { readonly reviews: readonly Review[] };
  };
  requests: {
    extract: { input: { readonly path: string }; output: Page };
    'reconsider.{checker}': { input: readonly Contested[]; output: readonly Answer[] };
  };
}
