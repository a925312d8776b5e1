// Palm's rules, and how each is broken on purpose (mutations.mjs): as a hurried change might break it.
// Each text must be in its file once, so that the list follows the code
// (test/unit/project/broken-rules.test.ts).

/**
 * @typedef {{ file: string, from: string, to: string }} Change
 * `options`: of the command that tells the stories, where only some of them show it
 * @typedef {{ name: string, rule: string, changes: Change[], options?: string[] }} Mutation
 */

/** @type {readonly Mutation[]} */
export const BROKEN_RULES = [
  {
    name: 'repair',
    rule: 'lost fragments are rebuilt',
    changes: [
      {
        file: 'core/repair/repair-plan.ts',
        from: 'else if (this.#running.size < MAX_REPAIRS) effects.push(...this.#start(ready));',
        to: '',
      },
    ],
  },
  {
    name: 'cap',
    rule: 'no device holds k fragments of a file',
    changes: [{ file: 'core/model/limits.ts', from: 'return k === 1 ? 1 : k - 1;', to: 'return k;' }],
  },
  {
    name: 'tombstone',
    rule: 'a removal counts whenever it comes',
    changes: [
      {
        file: 'core/catalogue/file-index.ts',
        from: "    if (onlyOf === undefined) increase(kind === 'remove' ? this.#removals : this.#unnamed, fileId, change);",
        to: "    if (onlyOf === undefined && (this.isKnown(fileId) || this.#names.has(fileId))) increase(kind === 'remove' ? this.#removals : this.#unnamed, fileId, change);",
      },
    ],
  },
  {
    name: 'incarnation',
    rule: 'only a later word of a device is news of it',
    changes: [
      {
        file: 'core/membership/news.ts',
        from: '    return isLater(record, known);',
        to: '    return known !== undefined;',
      },
      {
        file: 'core/membership/news.ts',
        from: 'if (refutes && isLater(known, belief)) return member.record;',
        to: 'if (refutes) return member.record;',
      },
    ],
  },
  {
    name: 'sleep',
    rule: 'who slept accuses nobody',
    changes: [
      {
        file: 'core/membership/membership.ts',
        from: '    if (lateMs > (this.#links.size > 0 ? LATE_MS : LATE_ALONE_MS)) this.#slept(lateMs);',
        to: '',
      },
    ],
  },
  {
    name: 'confirmation',
    rule: 'nothing is let go without a proof',
    changes: [
      {
        file: 'core/peer/outbox.ts',
        from: 'const proved = this.#challenges.provedOf(file, claims);\n    const homes',
        to: 'const proved = claims;\n    const homes',
      },
      {
        file: 'core/peer/outbox.ts',
        from: 'if (!this.#challenges.wereProvedTogether(file, claims)) return undefined;',
        to: '',
      },
    ],
  },
  {
    name: 'margin',
    rule: 'the margin shown counts every loss',
    changes: [
      {
        file: 'core/placement/health.ts',
        from: 'if (search.mayBeFatal(lostCount)) return lostCount - 1;',
        to: 'if (search.mayBeFatal(lostCount)) return lostCount;',
      },
    ],
  },
  {
    name: 'offered-space',
    rule: 'a fifth of the space stays for its own device',
    options: ['--only', 'full'],
    changes: [
      { file: 'runtime/offered-space.ts', from: 'const OFFERED_PART = 0.8;', to: 'const OFFERED_PART = 1;' },
    ],
  },
  {
    name: 'learned-grace',
    rule: 'who came back after a long silence is given it again',
    options: ['--real-days'],
    changes: [
      {
        file: 'core/membership/learned-grace.ts',
        from: 'Math.min(FACTOR * longestMs, MAX_LEARNED_GRACE_MS),',
        to: '',
      },
    ],
  },
];
