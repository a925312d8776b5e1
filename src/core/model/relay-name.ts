// By what a relay is known on its network: its name, and the type of service that it is (RFC 6763).

/** DNS-SD service type of a relay, without the underscore. */
export const SERVICE_TYPE = 'palm';
/** Without letters and digits that people take for each other. */
export const NAME_DIGITS = 'abcdefghjkmnpqrstuvwxyz23456789';
/** Two relays on one network have the same with a probability of 1 in 28 million. */
export const NAME_DIGIT_COUNT = 5;
/**
 * Of the part before `.local`: what DNS allows (RFC 1035, 2.3.4), less room for the number of a next name.
 */
export const MAX_NAME_LABEL_LENGTH = 60;

const LOCAL_NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.local$/u;

/**
 * Whether a relay may be called so; lower case. One label before `.local`: systems that look names up by mDNS
 * take no more.
 */
export function isLocalName(name: string): boolean {
  return LOCAL_NAME.test(name);
}
