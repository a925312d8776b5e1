// The manual page of the program, made from what `--help` knows: docs/palm.1. Written in man(7).

import type { CAC } from 'cac';
import { EXIT } from './exit-code.ts';
import { words } from './words.ts';

type Commands = Pick<CAC, 'commands' | 'globalCommand'>;

/** Every code has its meaning. */
const EXITS: Readonly<Record<keyof typeof EXIT, string>> = words.man.exits;

export function manPage({ commands, globalCommand }: Commands): string {
  const lines = [
    '.\\" Made by `npm run man` from the help of the program.',
    '.TH PALM 1 "" Palm "User Commands"',
    '.SH NAME',
    `palm \\- ${text(words.man.summary)}`,
    '.SH SYNOPSIS',
    '.B palm',
    '.I command',
    '[arguments] [options]',
    '.SH DESCRIPTION',
    text(words.man.description),
    '.SH COMMANDS',
    ...commands.flatMap(({ rawName, description, options, examples }) => [
      '.SS',
      `palm ${text(rawName)}`,
      text(description),
      ...optionLines(options),
      ...(examples.length === 0 ? [] : ['.PP', '.RS', '.EX', ...examples.map(exampleText), '.EE', '.RE']),
    ]),
    '.SH OPTIONS OF EVERY COMMAND',
    ...optionLines(globalCommand.options),
    '.SH EXIT STATUS',
    ...Object.entries(EXIT).flatMap(([kind, code]) => [
      '.TP',
      String(code),
      text(EXITS[kind as keyof typeof EXIT]), // its keys
    ]),
    '.SH ENVIRONMENT',
    ...words.man.environment.flatMap(([name, meaning]) => ['.TP', `.B ${text(name)}`, text(meaning)]),
  ];
  return `${lines.join('\n')}\n`;
}

function optionLines(options: CAC['globalCommand']['options']): string[] {
  return options.flatMap(({ rawName, description }) => ['.TP', `.B ${text(rawName)}`, text(description)]);
}

function exampleText(example: string | ((bin: string) => string)): string {
  return text(typeof example === 'string' ? example : example('palm'));
}

/** Without anything that roff would take for its own. */
function text(plain: string): string {
  const escaped = plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '...')
    .replaceAll('→', '\\(->');
  return /^[.']/u.test(escaped) ? `\\&${escaped}` : escaped;
}
