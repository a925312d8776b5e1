// By what a relay is known on its network: its name, and the type of service that it is (RFC 6763).

/** DNS-SD service type of a relay, without the underscore. */
export const SERVICE_TYPE = 'palm';
/** Without letters and digits that people take for each other. */
export const NAME_DIGITS = 'abcdefghjkmnpqrstuvwxyz23456789';
/** Two relays on one network have the same with a probability of 1 in 28 million. */
export const NAME_DIGIT_COUNT = 5;

const NAME = new RegExp(`^palm-[${NAME_DIGITS}]{${NAME_DIGIT_COUNT}}\\.local$`, 'u');

/** Whether a relay may be called so; lower case. */
export function isPalmName(name: string): boolean {
  return NAME.test(name);
}
