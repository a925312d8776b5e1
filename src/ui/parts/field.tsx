// A labelled text field.

import type { Signal } from '@preact/signals';
import { useId } from 'preact/hooks';

interface FieldProps {
  readonly label: string;
  readonly value: Signal<string>;
  readonly maxLength: number;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly autofocus?: boolean;
  /** A link rather than words: no capitals, no spelling, a keyboard with slashes. */
  readonly link?: boolean;
}

export function Field({
  label,
  value,
  maxLength,
  hint,
  placeholder,
  autofocus = false,
  link = false,
}: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        value={value.value}
        maxLength={maxLength}
        autocomplete="off"
        autofocus={autofocus}
        {...(link ? { inputMode: 'url', autocapitalize: 'off', spellcheck: false } : {})}
        {...(placeholder === undefined ? {} : { placeholder })}
        {...(hint === undefined ? {} : { 'aria-describedby': hintId })}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
      {hint === undefined ? null : (
        <p id={hintId} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
