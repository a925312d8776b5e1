// The rear camera, and the QR codes in its picture: read by the browser's own detector if there is one,
// otherwise by the `qr` package, which is loaded only then, before the app says that it is ready.

/** Ten looks a second find a code quickly, and leave a phone time for other work. */
const LOOK_INTERVAL_MS = 100;

/**
 * Plays the camera in `video` until `signal` aborts, then releases it.
 * @throws DOMException 'NotAllowedError', 'NotFoundError' and others as getUserMedia; Error without a camera
 * API.
 */
export async function openCamera(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (devices === undefined) throw new DOMException('This browser gives pages no camera', 'NotFoundError');
  const stream = await devices.getUserMedia({
    video: { facingMode: { ideal: 'environment' } },
    audio: false,
  });
  const release = (): void => {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  if (signal.aborted) {
    release();
    signal.throwIfAborted();
  }
  signal.addEventListener('abort', release, { once: true });
  video.srcObject = stream;
  await video.play();
}

/** The texts of QR codes that come into the picture, until `signal` aborts. */
export async function* scanFrames(
  video: HTMLVideoElement,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const detect = await loadDetector();
  while (!signal.aborted) {
    const text = video.readyState >= video.HAVE_CURRENT_DATA ? await detect(video) : undefined;
    if (signal.aborted) return;
    if (text !== undefined) yield text;
    await new Promise<void>((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

type Detect = (video: HTMLVideoElement) => Promise<string | undefined>;

/**
 * Loads what finds QR codes; afterwards scanning fetches nothing.
 * @throws TypeError when it cannot be fetched.
 */
export async function loadDetector(): Promise<Detect> {
  const Native = window.BarcodeDetector;
  if (Native !== undefined && (await readsCodes(Native))) {
    const native = new Native({ formats: ['qr_code'] });
    return async (video) => (await native.detect(video))[0]?.rawValue;
  }
  const { BarcodeDetector } = await import('qr/decode.js');
  const portable = new BarcodeDetector({ formats: ['qr_code'] });
  return async (video) => (await portable.detect(video))[0]?.rawValue;
}

/** Some engines have the interface and no service behind it: they list nothing, or fail to. */
async function readsCodes(detector: NonNullable<Window['BarcodeDetector']>): Promise<boolean> {
  try {
    return (await detector.getSupportedFormats()).includes('qr_code');
  } catch {
    return false;
  }
}
