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
  /** Digits of a code, typed on a keyboard for numbers. */
  readonly digits?: boolean;
  /** A passphrase, which is not shown: one that is chosen now, or the present one. */
  readonly secret?: 'new' | 'present';
}

export function Field({
  label,
  value,
  maxLength,
  hint,
  placeholder,
  autofocus = false,
  link = false,
  digits = false,
  secret,
}: FieldProps) {
  const id = useId();
  const hintId = `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        {...typeOf(secret)}
        value={value.value}
        maxLength={maxLength}
        autofocus={autofocus}
        {...(link ? { inputMode: 'url', autocapitalize: 'off', spellcheck: false } : {})}
        {...(digits ? { inputMode: 'numeric' } : {})}
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

function typeOf(secret: FieldProps['secret']) {
  if (secret === undefined) return { type: 'text', autocomplete: 'off' } as const;
  const autocomplete = secret === 'new' ? 'new-password' : 'current-password';
  return { type: 'password', autocomplete } as const;
}
