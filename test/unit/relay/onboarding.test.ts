// The page for other devices on the http port.

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { localNameOf } from '../../../signaling/local-name.ts';
import { ask, directives, STRICT_HEADERS, testRelay } from '../../fixtures/relay-fixture.ts';

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
