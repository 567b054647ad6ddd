/** Where the library lies: its sources, or what was built of them. */
const LIBRARY = pathOf(new URL('..', import.meta.url).href);

const FRAMES = 30;

/** The line outside of the library from which it was called, as `test/first.test.ts:12:5`. */
export function placeOutside(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  const { stack = '' } = new Error('here');
  Error.stackTraceLimit = limit;
  const frames = stack.split('\n').filter((line) => line.trimStart().startsWith('at '));
  const outside = frames.map(fileOf).find((file) => !isOwn(file));
  return outside === undefined ? 'a place that is not known' : relative(outside);
}

/** What stands between the brackets, or behind `at`. */
function fileOf(frame: string): string {
  const inBrackets = /\(([^()]*)\)$/.exec(frame);
  const file = inBrackets?.[1] ?? frame.replace(/^\s*at (?:async )?/, '');
  return pathOf(file);
}

function pathOf(file: string): string {
  return file.startsWith('file://') ? decodeURIComponent(new URL(file).pathname) : file;
}

function isOwn(file: string): boolean {
  return file.startsWith(LIBRARY) || file.startsWith('node:') || file === '<anonymous>';
}

function relative(file: string): string {
  const here = `${process.cwd()}/`;
  return file.startsWith(here) ? file.slice(here.length) : file;
}
