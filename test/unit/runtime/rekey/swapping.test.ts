// Names that move to a content that was stored anew, and those that do not.

import { expect, it } from 'vitest';
import { swap, type SwapPorts } from '../../../../src/runtime/rekey/swapping.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const [OLD, NEW, NAME] = [fileIdAt(1), fileIdAt(2), fileIdAt(3)];

it('says that names moved, each once the new content has it', async () => {
  const { ports, done } = world(NAME);
  expect(await swap(OLD, NEW, ports)).toBe(true);
  expect(done).toEqual(['named', `noted ${NAME}`, `removed ${OLD}`]);
});

it('does not count a content as moved that is gone when its name should come, and takes no name away', async () => {
  const { ports, done } = world(undefined);
  expect(await swap(OLD, NEW, ports)).toBe(false);
  expect(done).toEqual(['named']);
});

/** `renewed`: the name that the new content gets; undefined when it is gone. */
function world(renewed: typeof NAME | undefined) {
  const done: string[] = [];
  const listed = { details: () => ({ name: 'a' }), modifiedMs: 0, atMs: 1, by: deviceAt(0).deviceId };
  const ports = {
    driver: {
      deviceId: deviceAt(0).deviceId,
      peer: {
        catalogue: {
          namesOf: (file: unknown) => (file === OLD ? [OLD] : []),
          listedFile: (file: unknown) => (file === OLD ? listed : undefined),
        },
      },
    },
    naming: {
      name: async () => {
        done.push('named');
        return renewed;
      },
      remove: async (_name: unknown, of: unknown) => void done.push(`removed ${String(of)}`),
    },
    noteMoved: async (moved: { readonly renewed: unknown }) =>
      void done.push(`noted ${String(moved.renewed)}`),
    movedName: () => undefined,
  };
  // What a swap looks at, and nothing else.
  return { ports: ports as unknown as SwapPorts, done };
}
