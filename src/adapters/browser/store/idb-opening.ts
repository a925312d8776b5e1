// Opens databases in engines that fail to open one now and then, or never answer the first request of a page
// (Safari has done both).

/** The second request of a page is answered where the first one was not. */
const MAX_TRIES = 2;
/** A database that is there opens in a fraction of a second, also on a busy phone. */
const ANSWER_WITHIN_MS = 10_000;
/** What another try cannot change. */
const LASTING = ['VersionError', 'SecurityError', 'QuotaExceededError', 'NotSupportedError'];

/**
 * The database that `open` opens. Calls it again if it fails or does not answer; an answer that comes too
 * late is closed.
 * @throws what `open` threw last; an Error named 'TimeoutError' when there was no answer.
 */
export async function openPatiently<Database extends { close(): void }>(
  open: () => Promise<Database>,
): Promise<Database> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await answerOf(open());
    } catch (error) {
      const isLasting = error instanceof Error && LASTING.includes(error.name);
      if (isLasting || tryCount === MAX_TRIES) throw error;
    }
  }
}

function answerOf<Database extends { close(): void }>(opening: Promise<Database>): Promise<Database> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      const error = new Error('the engine did not open the database');
      error.name = 'TimeoutError';
      reject(error);
    }, ANSWER_WITHIN_MS);
    opening
      .finally(() => clearTimeout(limit))
      .then((database) => (isLate ? database.close() : resolve(database)), reject);
  });
}
