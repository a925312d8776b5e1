// What went wrong with the form or dialog that shows it. Nothing for an empty text.

export function Trouble({ text }: { readonly text: string }) {
  if (text === '') return null;
  return (
    <p class="message error" role="alert">
      {text}
    </p>
  );
}
