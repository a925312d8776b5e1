// The authority as a configuration profile, in which Apple's phones and tablets take it: an XML property list
// with the certificate (Apple, Configuration Profile Reference, payload com.apple.security.root).

import { createHash, X509Certificate } from 'node:crypto';

/** `certificate`: PEM. The same authority gives the same profile, so installing it again replaces it. */
export function profileOf(certificate: string): string {
  const bytes = new X509Certificate(certificate).raw;
  const name = 'Palm relay';
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
<key>PayloadContent</key>
<array>
<dict>
<key>PayloadCertificateFileName</key><string>palm-ca.crt</string>
<key>PayloadContent</key><data>${bytes.toString('base64')}</data>
<key>PayloadDisplayName</key><string>${name}</string>
<key>PayloadIdentifier</key><string>palm.relay.authority.${idOf('certificate', bytes)}</string>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadUUID</key><string>${idOf('certificate', bytes)}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict>
</array>
<key>PayloadDescription</key><string>Lets this device open Palm on its home network without a warning. It can vouch for that relay and for addresses of home networks, for no website.</string>
<key>PayloadDisplayName</key><string>${name}</string>
<key>PayloadIdentifier</key><string>palm.relay.${idOf('profile', bytes)}</string>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadUUID</key><string>${idOf('profile', bytes)}</string>
<key>PayloadVersion</key><integer>1</integer>
</dict>
</plist>
`;
}

/** A UUID that follows from the certificate (RFC 9562, version 8). */
function idOf(what: string, bytes: Uint8Array): string {
  const hash = createHash('sha256').update(what).update(bytes).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)]
    .join('-')
    .toUpperCase();
}
