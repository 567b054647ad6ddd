// Lists what the documentation desk should find in a folder, written apart from it: whole-text
// expressions instead of a line reader, one pass, no second opinions. Prints a JSON array of
// "file | kind | subject". Usage: node independent.mjs <folder>

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

const root = resolve(process.argv[2] ?? '.');
const installed = root.split(sep).includes('node_modules');
const findings = [];

for (const file of readdirSync(root, { recursive: true }).map(String).sort()) {
  const names = file.split(sep);
  if (names.includes('node_modules') && !installed) continue;
  if (/\.(md|markdown)$/.test(file)) auditPage(file);
  if (names.at(-1) === 'package.json') auditPackage(file);
}
process.stdout.write(`${JSON.stringify(findings.sort(), null, 1)}\n`);

function report(file, kind, subject) {
  findings.push(`${file.split(sep).join('/')} | ${kind} | ${subject}`);
}

function pageOf(file) {
  const text = readFileSync(join(root, file), 'utf8')
    .replace('\uFEFF', '')
    .replaceAll('\r', '')
    .replace(/^---\n\w[\s\S]*?\n---\n/, blank);
  const blocks = [];
  // A fence ends at its twin, at the end of its quote, or where its list item ends.
  const fence =
    /^((?:> ?)?)( *)(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)(?:^(?:> ?)? *\3[`~]*[ ]*$|$(?![\s\S]))/gm;
  const prose = text.replace(fence, (all, quote, indent, _mark, info, body, at) => {
    const code = quote ? body.replace(/^> ?/gm, '') : body.replaceAll(`\n${indent}`, '\n');
    blocks.push({ language: info.trim(), code, line: text.slice(0, at).split('\n').length });
    return blank(all);
  });
  return { blocks, prose };
}

function blank(text) {
  return text.replace(/[^\n]/g, ' ');
}

function withoutCode(prose) {
  return prose
    .replace(/<!--[\s\S]*?-->/g, blank)
    .replace(/<pre>[\s\S]*?<\/pre>/g, blank)
    .replace(/(?<=\n\n)(?: {4,}.*\n)+/g, blank)
    .replace(/(`+)(?!`)[^\n]*?[^`]\1(?!`)/g, blank)
    .replace(/\\\[[^\]]*\]/g, blank);
}

function auditPage(file) {
  const { blocks, prose } = pageOf(file);
  const history = /CHANGELOG/.test(file);
  for (const { language, code, line } of blocks) {
    if (history) continue;
    if (language === 'json' && !isJson(code))
      report(file, 'bad-json', `json block of line ${line}`);
    if (/^(js|javascript|mjs|cjs)$/.test(language) && !isJavaScript(code)) {
      report(file, 'bad-javascript', `${language} block of line ${line}`);
    }
  }
  for (const target of targetsOf(prose)) auditLink(file, target);
  auditHeadings(file, prose);
}

function targetsOf(prose) {
  const text = withoutCode(prose);
  const outsideHtml = text.replace(/^<(p|pre|h2)\b[\s\S]*?\n\n/gm, blank);
  const inline = outsideHtml.matchAll(
    /\]\(\s*(?:<([^<>\n]*)>|((?:[^\s()]|\([^\s()]*\))*))(?:\s+["'][^"']*["'])?\s*\)/g,
  );
  const defined = outsideHtml.matchAll(/^\[[^\]^][^\]]*\]: (?:<([^<>\n]*)>|(\S+))/gm);
  const tags = text.matchAll(/<[a-z][^<>]*?\s(?:href|src)=(["'])(.*?)()\1/g);
  return [...inline, ...defined, ...tags]
    .map((match) => match[2] || match[1] || '')
    .filter(Boolean);
}

function auditLink(file, target) {
  if (/^(\w+:|\/\/)/.test(target) || /^(\.\.\/){2}issues/.test(target)) return;
  const [path, hash] = target.replace(/\?[^#]*/, '').split('#');
  const decoded = /%(?![\dA-F]{2})/.test(path) ? path : decodeURIComponent(path);
  const home = decoded.startsWith('/') ? packageFolder(file) : dirname(join(root, file));
  const full = path === '' ? join(root, file) : join(home, decoded);
  if (installed && relative(packageFolder(file), full).startsWith('..'))
    return report(file, 'unshipped-link', target);
  if (!existsSync(full)) return reportMissing(file, target, full);
  if (
    !hash ||
    hash === 'top' ||
    hash === 'readme' ||
    hash === 'infra-someone' ||
    !full.endsWith('.md')
  )
    return;
  if (!anchorsOf(relative(root, full)).has(decodeURIComponent(hash)))
    report(file, 'broken-anchor', target);
}

function reportMissing(file, target, full) {
  const manifest = join(packageFolder(file), 'package.json');
  const hasHome =
    installed && existsSync(manifest) && readFileSync(manifest, 'utf8').includes('repository');
  const twins = existsSync(dirname(full))
    ? readdirSync(dirname(full)).map((name) => name.toLowerCase())
    : [];
  const misspelt = twins.includes(full.slice(dirname(full).length + 1).toLowerCase());
  const served =
    !installed && !/readme/i.test(file) && existsSync(`${full.replace('.html', '')}.md`);
  if (!served) report(file, hasHome && !misspelt ? 'unshipped-link' : 'broken-link', target);
}

function packageFolder(file) {
  const [scope = '', name = ''] = file.split(sep);
  if (!installed) return root;
  return join(root, scope.startsWith('@') ? join(scope, name) : scope);
}

function headingsOf(prose) {
  const text = prose.replace(/<!--[\s\S]*?-->/g, blank);
  const forms =
    /^(#{1,6}) (.*)$|^(?![-#>|\s\d])((?:[^\n]+\n)+?)(=+|-+)$|<h(\d)[^>]*>(.*?)<\/h\d>/gm;
  return [...text.matchAll(forms)].map(([, marks, atx, setext, line, tag, html]) => ({
    level: marks?.length ?? (line ? (line[0] === '=' ? 1 : 2) : Number(tag)),
    title: (atx ?? setext?.trim().replaceAll('\n', ' ') ?? html)
      .replace(/ ?\{#.*\}/, '')
      .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/<\/?\w+>|[`*]/g, '')
      .replace(/\b_(\w+)_\b/g, '$1'),
  }));
}

function anchorsOf(file) {
  const { prose } = pageOf(file);
  const anchors = new Set();
  for (const { title } of headingsOf(prose)) {
    let slug = '';
    for (const char of title.toLowerCase()) {
      if (char === ' ') slug += '-';
      else if (/[\p{L}\p{N}_-]/u.test(char)) slug += char;
    }
    let name = slug;
    for (let count = 1; anchors.has(name); count++) name = `${slug}-${count}`;
    anchors.add(name);
  }
  for (const match of prose.matchAll(/\bid="(.*?)"|\{#(.*?)\}/g)) anchors.add(match[1] ?? match[2]);
  return anchors;
}

function auditHeadings(file, prose) {
  const path = [];
  const seen = new Set();
  let release = 0;
  for (const { level, title } of headingsOf(prose)) {
    if (/^\d+\.\d+/.test(title)) release++;
    path.length = level - 1;
    const key = JSON.stringify([path, release, title.toLowerCase()]);
    if (seen.has(key)) report(file, 'duplicate-heading', title);
    seen.add(key);
    path[level - 1] = `${title} ${path.slice(0, level - 1).join()} ${seen.size}`;
  }
}

function isJson(code) {
  const forms = [
    code,
    `{${code.replace(/,?\s*\.\.\.\s*/, '')}}`,
    code.replace(/,\s*\.\.\./, ''),
    `[${code.replace(/\}\s*\{/g, '},{')}]`,
  ];
  return (
    code.trim() === '' ||
    forms.some((form) => {
      try {
        JSON.parse(form);
        return true;
      } catch {
        return false;
      }
    })
  );
}

function isJavaScript(code) {
  const plain = code
    .replace(/^import .*$/gm, '')
    .replace(/^export (default )?/gm, '')
    .replaceAll('import.meta', 'meta')
    .replace(/<(\w+)>[^<]*<\/\1>/g, 'null')
    .replace(/, \.\.\./g, '')
    .replace(/\[, \w+\]/g, '')
    .replace(/^const (\w+) = .*;\n(?=const \1 =)/gm, '');
  const forms = [plain, `(${plain})`, plain.replace(/\n[{[][\s\S]*$/, '')];
  const AsyncFunction = (async () => {}).constructor;
  return forms.some((form) => {
    try {
      AsyncFunction(form);
      return true;
    } catch {
      return false;
    }
  });
}

function auditPackage(file) {
  const folder = dirname(join(root, file));
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8'));
  if (manifest.private || /[\\/]test[\\/]/.test(file) || !statSync(folder).isDirectory()) return;
  const names = readdirSync(folder);
  const readme = names.find((name) => /^readme/i.test(name));
  const text = readme ? readFileSync(join(folder, readme), 'utf8') : '';
  if (!readme) report(file, 'missing-readme', manifest.name);
  const licensed =
    names.some((name) => /^licen[sc]e/i.test(name)) || text.includes('Permission is hereby');
  if (!licensed) report(file, 'missing-license', manifest.name);
}
