/** A text as it may be meant, when it does not compile as it stands. */
export interface Reading {
  readonly name: string;
  readonly text: string;
}

// `...` before a name, a bracket or a string spreads; anywhere else it stands for "and so on".
const ELISION = /(?:\.\.\.|…)(?![ \t]*[\p{L}_$[({'"`\d])/gu;
// `parse(text[, options])` is how manuals write an argument that may be left out.
const OPTIONAL = /\[\s*,[^[\]]*\]/g;
const OUTPUT = /\n[{[][^\n]*(?:\n[\s\S]*)?$/;

/**
 * The ways in which an author leaves code incomplete on purpose: `...` for what goes on, optional
 * arguments, what a console printed, the inside of an object, a lone value. Lines keep their place.
 */
export function readings(text: string): Reading[] {
  const elided = text
    .replace(/^[ \t]*(?:\.\.\.|…).*$/gm, '')
    .replace(ELISION, ' ')
    // Twice, because they nest: `stringify(value[, replacer[, space]])`.
    .replace(OPTIONAL, '')
    .replace(OPTIONAL, '');
  const whole = [
    { name: 'an excerpt with ... or [, options]', text: elided },
    { name: 'code with what it prints', text: elided.replace(OUTPUT, '') },
    { name: 'a console session', text: onlyPrompts(text) },
  ].filter((reading) => reading.text !== text && reading.text.trim() !== '');
  return [...whole, ...shapes(text), ...(elided === text ? [] : shapes(elided))];
}

function shapes(code: string): Reading[] {
  const open = code.replace(/[;,]\s*$/, '');
  return [
    { name: 'a value', text: `(${open}\n)` },
    { name: 'the inside of an object', text: `({${open}\n})` },
    { name: 'the inside of a class', text: `class Excerpt {${code}\n}` },
    { name: 'arguments', text: `call(${code}\n)` },
  ];
}

function onlyPrompts(text: string): string {
  if (!/^\s*> /.test(text)) return text;
  const lines = text.split('\n').map((line) => (line.startsWith('> ') ? line.slice(2) : ''));
  return lines.join('\n');
}
