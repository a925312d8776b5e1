// A QR code, drawn on the page.

import { useSignal } from '@preact/signals';
import { encodeQR } from 'qr';
import { useEffect } from 'preact/hooks';

/** Longer texts make modules so small that cameras read them better without more of them for repair. */
const LONG_CODE_CHARS = 150;

type Ecc = 'low' | 'medium';

interface QrCodeProps {
  readonly text: string;
  /** What the picture is, for those who do not see it. */
  readonly label: string;
  /** Default: by the length of the text. */
  readonly ecc?: Ecc;
}

/** Dark modules on a light ground in both themes: many cameras read nothing else. */
export function QrCode({ text, label, ecc = usualEcc(text) }: QrCodeProps) {
  const drawn = useSignal<Drawing>({ size: 1, path: '' });
  useEffect(() => {
    // Once the dialog is painted: on a slow phone the code takes as long as a tap may.
    const timer = setTimeout(() => {
      drawn.value = drawing(encodeQR(text, 'raw', { ecc, border: 4 }));
    });
    return () => clearTimeout(timer);
  }, [text, ecc]);
  const { size, path } = drawn.value;
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      {...(path === '' ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      shape-rendering="crispEdges"
    >
      <path class="qr-ground" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-modules" d={path} />
    </svg>
  );
}

function usualEcc(text: string): Ecc {
  return text.length > LONG_CODE_CHARS ? 'low' : 'medium';
}

interface Drawing {
  /** Modules on each side, the border included. */
  readonly size: number;
  readonly path: string;
}

/** One path with a horizontal run for each stretch of dark modules. */
function drawing(rows: readonly (readonly boolean[])[]): Drawing {
  let path = '';
  rows.forEach((row, y) => {
    let x = 0;
    while (x < row.length) {
      const start = x;
      while (row[x] === true) x++;
      if (x > start) path += `M${start} ${y}h${x - start}v1H${start}z`;
      else x++;
    }
  });
  return { size: rows.length, path };
}
