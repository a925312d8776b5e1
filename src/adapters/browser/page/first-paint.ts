// When the browser has drawn what the page rendered, so that loading the rest delays nothing that is seen.

/** A busy browser may draw late, and a hidden page is not drawn at all. */
const AT_MOST_MS = 500;

/** Resolves soon after the next frame was drawn. */
export function firstPaint(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, AT_MOST_MS);
    // The callback runs before its frame is drawn, and the task after.
    requestAnimationFrame(() => setTimeout(resolve, 0));
  });
}
