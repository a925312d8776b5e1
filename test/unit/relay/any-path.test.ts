// Whatever path somebody opens at the relay, they get words: the app, or the page that leads to it.

import { describe, expect, test } from 'vitest';
import { ask, authorityOf, testRelay } from '../../fixtures/relay-fixture.ts';

describe('the relay', () => {
  test.each(['/%23/join/uAQAA', '/join', '/nothing-here', '/missing.js', '/a/b?c', '/%'])(
    'answers somebody who opens %s, and says what there is',
    async (path) => {
      const relay = await testRelay();
      const ca = await authorityOf(relay);
      const headers = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
      for (const options of [{ headers }, { headers, secure: true, ca }]) {
        const answer = await ask(relay, path, options);
        expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('Tiny') });
        expect(answer.headers).toMatchObject({
          'referrer-policy': 'no-referrer',
          'content-type': 'text/html;charset=utf-8',
        });
      }
      const missing = await ask(relay, '/assets/app-000000.js', { headers });
      expect(missing).toMatchObject({ status: 404, body: 'There is no such page here.\n' });
    },
  );

  test('leads another device to the app, over http', async () => {
    const relay = await testRelay();
    const headers = { Host: '192.168.7.7:8080', Accept: 'text/html' };
    const { status, body } = await ask(relay, '/%23/join/uAQAA', { headers });
    expect(status).toBe(200);
    expect(body).toContain(`href="https://192.168.7.7:${relay.httpsPort}/"`);
  });
});
