// The page for other devices on the http port.

import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { localNameOf } from '../../../signaling/authority-name.ts';
import { PLATFORMS } from '../../../signaling/trust/platforms.ts';
import { ask, authorityOf, directives, STRICT_HEADERS, testRelay } from '../../fixtures/relay-fixture.ts';

describe('the onboarding page', () => {
  const fromElsewhere = { headers: { Host: '192.168.7.7:8080' } };

  test('is what another device gets over http, in place of the app', async () => {
    const relay = await testRelay();
    const { status, headers, body } = await ask(relay, '/', fromElsewhere);
    expect(status).toBe(200);
    expect(headers).toMatchObject(STRICT_HEADERS);
    expect(body).toContain(`href="https://192.168.7.7:${relay.httpsPort}/"`);
    expect(body).toContain('href="/palm-ca.crt"');
    expect(body).toContain(relay.certificate.certificateFingerprint);
    expect(body).toContain(relay.certificate.authority?.fingerprint);
    expect(body).toContain('That alone proves nothing');
    expect(body).not.toContain('data-named');
    expect(body).not.toContain('Tiny');
  });

  test('a page at an address is told the relay’s name, and may ask there; others are not', async () => {
    const relay = await testRelay({ host: '0.0.0.0', advertise: () => ({ stop: async () => undefined }) });
    const name = `https://${localNameOf(relay.certificate.authority?.certificate ?? '')}:${relay.httpsPort}`;
    const ca = await authorityOf(relay);
    const told = async (Host: string) => {
      const options = { secure: true, ca, headers: { Host } };
      const reached: unknown = JSON.parse((await ask(relay, '/reached', options)).body);
      const { headers } = await ask(relay, '/', options);
      return { reached, connects: directives(headers['content-security-policy'])['connect-src'] };
    };
    const origin = 'https://192.168.7.7:8443';
    expect(await told('192.168.7.7:8443')).toEqual({
      reached: { origin, name },
      connects: `'self' wss://192.168.7.7:8443 ${name}`,
    });
    expect(await told('localhost:8443')).toEqual({
      reached: { origin: 'https://localhost:8443' },
      connects: "'self' wss://localhost:8443",
    });
  });

  test('allows itself its own style sheet and script, and to ask this relay', async () => {
    const relay = await testRelay({ host: '0.0.0.0', advertise: () => ({ stop: async () => undefined }) });
    const { headers, body } = await ask(relay, '/', fromElsewhere);
    const name = localNameOf(relay.certificate.authority?.certificate ?? '');
    expect(body).toContain(`data-named="https://${name}:${relay.httpsPort}"`);
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(body) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    expect(directives(headers['content-security-policy'])).toEqual({
      'default-src': "'none'",
      'style-src': expect.stringMatching(/^'sha256-[A-Za-z0-9+/]{43}='$/),
      'script-src': `'sha256-${hash}'`,
      'connect-src': `'self' https://192.168.7.7:${relay.httpsPort} https://${name}:${relay.httpsPort} http://${name}:8080`,
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
  });

  test.each([
    [
      'ios',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1',
    ],
    [
      'ios',
      'Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 FxiOS/130.0 Mobile Safari/605.1.15',
    ],
    [
      'android',
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36',
    ],
    ['android', 'Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0'],
    [
      'windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0',
    ],
    ['firefox', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    [
      'macos',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15',
    ],
    ['linux', 'Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36'],
    ['linux', ''],
  ])('opens the steps for %s, and has those for all others', async (platform, agent) => {
    const relay = await testRelay();
    const { body } = await ask(relay, '/', { headers: { ...fromElsewhere.headers, 'User-Agent': agent } });
    const all = [...body.matchAll(/<details id="on-(\w+)"( open)?>/g)];
    expect(all[0]?.[1]).toBe(platform);
    expect(new Set(all.map(([, id]) => id))).toEqual(new Set(PLATFORMS));
    expect(all.filter(([, , open]) => open !== undefined).map(([, id]) => id)).toEqual([platform]);
    expect(body.match(/<li><p>/g)?.length).toBe(body.match(/<svg /g)?.length);
  });

  test('offers the same authority as a profile for Apple’s phones, which a repeat replaces', async () => {
    const relay = await testRelay();
    const { headers, body } = await ask(relay, '/palm-ca.mobileconfig', fromElsewhere);
    expect(headers['content-type']).toBe('application/x-apple-aspen-config');
    const [, data = ''] = /<data>([A-Za-z0-9+/=]+)<\/data>/.exec(body) ?? [];
    const { raw } = new X509Certificate(relay.certificate.authority?.certificate ?? '');
    expect(data).toBe(raw.toString('base64'));
    const ids = [...body.matchAll(/<key>PayloadUUID<\/key><string>([^<]+)</g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids)
      expect(id).toMatch(/^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$/);
    expect((await ask(relay, '/palm-ca.mobileconfig', fromElsewhere)).body).toBe(body);
  });

  test('has no files of the app next to it', async () => {
    const relay = await testRelay();
    expect((await ask(relay, '/sw.js', fromElsewhere)).status).toBe(404);
    expect((await ask(relay, '/index.html', fromElsewhere)).status).toBe(404);
  });

  test('offers the certificate of the authority, and no key', async () => {
    const relay = await testRelay();
    const { headers, body } = await ask(relay, '/palm-ca.crt', fromElsewhere);
    expect(headers['content-type']).toBe('application/x-x509-ca-cert');
    expect(body).toMatch(/^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n$/);
  });
});
