// The heading of one step of a dialog: give it the step as its key, so that each is announced.

import { useEffect, useRef } from 'preact/hooks';

export function StepHeading({ text }: { readonly text: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  // The keyboard goes on from it.
  useEffect(() => heading.current?.focus(), []);
  return (
    // The dialog opens after the first effect, and focuses what asks for it.
    <h3 ref={heading} tabIndex={-1} autofocus class="step">
      {text}
    </h3>
  );
}
