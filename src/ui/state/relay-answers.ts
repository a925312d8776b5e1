// What the relay says about itself in JSON. It is asked once before the app says that it is ready, and again
// whenever somebody looks: the last answer is still shown when the relay is gone.

const answers = new Map<string, unknown>();

/**
 * The present answer, or the last one if the relay does not answer; undefined if there was none.
 * @throws DOMException 'AbortError'.
 */
export async function askRelay(path: string, signal?: AbortSignal): Promise<unknown> {
  try {
    const response = await fetch(path, signal === undefined ? {} : { signal });
    answers.set(path, response.ok ? await response.json() : undefined);
  } catch {
    // No relay, or no JSON: the last answer is the best there is.
    signal?.throwIfAborted();
  }
  return answers.get(path);
}

/** The last answer, without asking. */
export function lastAnswer(path: string): unknown {
  return answers.get(path);
}
