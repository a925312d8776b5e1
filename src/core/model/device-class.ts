// What kind of device it is, as far as that says how long it may well be away.

export const DEVICE_CLASSES = ['alwaysOn', 'laptop', 'phone'] as const;

export type DeviceClass = (typeof DEVICE_CLASSES)[number];
