// A pool without files yet: a bare branch, and what to do next.

import { words } from '../text/words.ts';

export function EmptyPool({ alone }: { readonly alone: boolean }) {
  return (
    <div class="empty">
      <svg class="empty-drawing" viewBox="0 0 160 64" aria-hidden="true" focusable="false">
        <path class="bunch-branch" d="M6 16Q80 0 154 12" />
        {[24, 46, 68, 92, 114, 136].map((x, index) => (
          <g key={x}>
            <path class="bunch-stalk" d={`M${x} 10v${index % 2 === 0 ? 16 : 22}`} />
            <ellipse class="fruit missing" cx={x} cy={index % 2 === 0 ? 38 : 44} rx="7.5" ry="11.5" />
          </g>
        ))}
      </svg>
      <p class="empty-title">{words.files.none}</p>
      <p>{alone ? words.files.noneAlone : words.files.noneTogether}</p>
    </div>
  );
}
