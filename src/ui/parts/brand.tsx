// The mark of Palm: fronds over a bunch of dates. The same drawing as public/icon.svg, in the theme's
// colours.

export function Brand() {
  return (
    <svg class="brand" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <g class="brand-fronds">
        <path d="M32 27C29 17 20 12 9 15c9 1 17 5 23 12Z" />
        <path d="M32 27C35 17 44 12 55 15c-9 1-17 5-23 12Z" />
        <path d="M32 27C24 21 14 23 7 32c8-4 17-5 25-5Z" />
        <path d="M32 27c8-6 18-4 25 5-8-4-17-5-25-5Z" />
        <path d="M32 27c-4-7-4-14 0-21 4 7 4 14 0 21Z" />
      </g>
      <g class="brand-stalks">
        <path d="M32 27v9M32 27c-5 2-8 5-9 10M32 27c5 2 8 5 9 10" />
      </g>
      <g class="brand-dates">
        <ellipse cx="22" cy="42" rx="4.4" ry="6.4" />
        <ellipse cx="42" cy="42" rx="4.4" ry="6.4" />
        <ellipse cx="32" cy="41.5" rx="4.4" ry="6.4" />
        <ellipse class="brand-low" cx="27" cy="51.5" rx="4.4" ry="6.4" />
        <ellipse class="brand-low" cx="37" cy="51.5" rx="4.4" ry="6.4" />
      </g>
    </svg>
  );
}
