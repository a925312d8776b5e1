// Why a device spares itself: then work that can wait does wait.

export const SPARING_REASONS = ['battery-low', 'data-saver'] as const;

export type SparingReason = (typeof SPARING_REASONS)[number];
