// What Palm's transfers are measured beside: the same bytes between two pages over one simple-peer data channel with a
// backpressure loop, and nothing else. No sealing, no coding, no hashing, no disk.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from '@playwright/test';

const MEBIBYTE = 2 ** 20;

/** Sends `byteCount` bytes from one new page to another. Answers MB (10^6 bytes) a second. */
export async function measurePlainChannel(browser: Browser, byteCount: number): Promise<number> {
  const server = await servePage();
  const contexts = await Promise.all([browser.newContext(), browser.newContext()]);
  try {
    const [sender, receiver] = await Promise.all(contexts.map((context) => context.newPage()));
    if (sender === undefined || receiver === undefined) throw new Error('two pages were opened');
    await connect(sender, receiver, server.url);
    const received = receiver.evaluate((count) => window.plainChannel.receive(count), byteCount);
    await sender.evaluate((count) => window.plainChannel.send(count), byteCount);
    return byteCount / 1e6 / ((await received) / 1_000);
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
    server.close();
  }
}

interface PlainChannel {
  start(initiator: boolean): Promise<void>;
  signal(data: unknown): void;
  send(byteCount: number): Promise<void>;
  /** ms from the first byte to the last. */
  receive(byteCount: number): Promise<number>;
}

declare global {
  interface Window {
    plainChannel: PlainChannel;
    passSignal(data: unknown): Promise<void>;
    readonly SimplePeer: typeof import('simple-peer');
  }
}

async function connect(sender: Page, receiver: Page, url: string): Promise<void> {
  const pass = (to: Page) => (data: unknown) => to.evaluate((given) => window.plainChannel.signal(given), data);
  await sender.exposeFunction('passSignal', pass(receiver));
  await receiver.exposeFunction('passSignal', pass(sender));
  for (const page of [sender, receiver]) {
    await page.goto(url);
    await page.evaluate(installPlainChannel, MEBIBYTE);
  }
  const answering = receiver.evaluate(() => window.plainChannel.start(false));
  await Promise.all([answering, sender.evaluate(() => window.plainChannel.start(true))]);
}

/** Runs in the page: it names nothing outside itself. */
function installPlainChannel(highWaterBytes: number): void {
  const chunkBytes = 64 * 1024;
  let peer: import('simple-peer').Instance;
  let channel: RTCDataChannel;
  const early: unknown[] = [];
  window.plainChannel = {
    start: (initiator) =>
      new Promise((resolve, reject) => {
        peer = new window.SimplePeer({ initiator, config: { iceServers: [] } });
        peer.on('signal', (data) => void window.passSignal(data));
        peer.on('connect', () => {
          // simple-peer keeps its channel under this name; its own send has no backpressure.
          channel = Reflect.get(peer, '_channel');
          resolve();
        });
        peer.on('error', reject);
        for (const data of early) peer.signal(data as Parameters<typeof peer.signal>[0]);
      }),
    signal(data) {
      if (peer === undefined) early.push(data);
      else peer.signal(data as Parameters<typeof peer.signal>[0]);
    },
    async send(byteCount) {
      const chunk = new Uint8Array(chunkBytes);
      channel.bufferedAmountLowThreshold = highWaterBytes / 4;
      for (let sent = 0; sent < byteCount; sent += chunkBytes) {
        if (channel.bufferedAmount > highWaterBytes) {
          await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
        }
        channel.send(chunk.subarray(0, Math.min(chunkBytes, byteCount - sent)));
      }
    },
    receive: (byteCount) =>
      new Promise((resolve) => {
        let receivedBytes = 0;
        let startMs = 0;
        peer.on('data', (chunk: Uint8Array) => {
          if (receivedBytes === 0) startMs = performance.now();
          receivedBytes += chunk.length;
          if (receivedBytes >= byteCount) resolve(performance.now() - startMs);
        });
      }),
  };
}

async function servePage(): Promise<{ url: string; close: () => void }> {
  const script = await readFile(createRequire(import.meta.url).resolve('simple-peer/simplepeer.min.js'));
  const server = createServer((request, response) => {
    const isScript = request.url === '/simplepeer.min.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script src="/simplepeer.min.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // listening on TCP
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
